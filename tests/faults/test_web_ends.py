"""The web ends, wholly or in part, under a crowd: nobody misses an event, no agent notices."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.clients.crowd import Connection, Crowd, crowd
from tests.faults.surroundings import row, wait_for_all_workers
from tests.server import HTTP, Server, python_agent, running_server, wait_for
from tests.sessions.machine import is_alive
from webapp.stream.view import RETRY_MS

VIEWERS = 100
MANY_VIEWERS = 400
STREAMS_END_SECONDS = 2
WORKERS_END_SECONDS = 3
TICKING = python_agent(
    "import os\ngo = sys.stdin.read()\nn = 0\n"
    "while not os.path.exists(go): print('line', n); n += 1; time.sleep(0.05)"
)


def start(server: Server) -> tuple[str, int]:
    """A session that goes on until there is a file `go`, and its agent's pid."""
    session_id = server.invoke("ticking", str(server.folder / "go"))
    return session_id, wait_for(lambda: row(server, session_id)["pid"])


def open_connections(watching: Crowd) -> list[Connection]:
    """The one of each viewer that is open."""
    wait_for(lambda: watching.are_watching() and watching.have_seen(3))
    return [viewer.connections[-1] for viewer in watching.viewers]


def watch_to_the_end(server: Server, watching: Crowd) -> None:
    """Until all are back and have seen more; then let the agent end, and look at everything."""
    wait_for(watching.are_watching)
    seen = max(len(viewer.texts) for viewer in watching.viewers)
    wait_for(lambda: watching.have_seen(seen + 3))
    (server.folder / "go").touch()
    wait_for(watching.have_done)
    watching.check_exact()


def test_worker_that_is_killed_costs_no_viewer_an_event(folder: Path) -> None:
    with running_server(folder, {"ticking": TICKING}) as server:
        wait_for_all_workers(server)
        session_id, agent = start(server)
        with crowd(server.port, session_id, VIEWERS) as watching:
            before = open_connections(watching)
            killed = before[0].worker
            os.kill(killed, signal.SIGKILL)
            wait_for(lambda: all(one.ended_at for one in before if one.worker == killed))
            watch_to_the_end(server, watching)
        assert {one.worker for one in before} > {killed}  # it did not have all of them
        assert server.wait_until_ended(session_id)["pid"] == agent


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_web_that_is_to_end_or_to_restart_costs_nobody_an_event(
    folder: Path, number: signal.Signals
) -> None:
    with running_server(folder, {"ticking": TICKING}) as server:
        session_id, agent = start(server)
        log = server.log_path(session_id)
        workers = server.worker_pids()
        with crowd(server.port, session_id, VIEWERS) as watching:
            before = open_connections(watching)
            told_at = time.monotonic()
            assert server.process is not None
            server.process.send_signal(number)
            wait_for(lambda: not any(map(is_alive, workers)))
            assert time.monotonic() - told_at < WORKERS_END_SECONDS

            wait_for(lambda: all(one.ended_at for one in before))
            ends = [one.ended_at - told_at for one in before if one.ended_at is not None]
            assert max(ends) < STREAMS_END_SECONDS
            assert all(one.is_whole for one in before)
            if number == signal.SIGTERM:
                assert server.process.wait(10) == 0
                size = log.stat().st_size
                wait_for(lambda: log.stat().st_size > size)  # the agent goes on without the web
                server.start()
            watch_to_the_end(server, watching)
        found = server.wait_until_ended(session_id)
        assert (found["status"], found["pid"]) == ("succeeded", agent)


def test_many_viewers_who_come_back_at_once_are_all_let_in(folder: Path) -> None:
    with running_server(folder, {"ticking": TICKING}) as server:
        session_id, _agent = start(server)
        with crowd(server.port, session_id, MANY_VIEWERS) as watching:
            before = open_connections(watching)
            assert server.process is not None
            server.process.send_signal(signal.SIGHUP)
            wait_for(lambda: all(one.ended_at for one in before))
            others = []
            while not watching.are_watching():
                other = server.invoke("ticking", "/")  # ends at once
                others.append(other)
                assert HTTP.get(f"{server.url}/api/sessions").status_code == 200
            watch_to_the_end(server, watching)
            assert {one.status for one in watching.connections} == {200}
            check_jitter([ms for viewer in watching.viewers for ms in viewer.retries_ms])
        assert others
        assert {server.wait_until_ended(other)["status"] for other in others} == {"succeeded"}


def check_jitter(retries_ms: list[int]) -> None:
    """They spread over the whole range: no moment has more than its share twice over."""
    least, most = RETRY_MS
    assert least <= min(retries_ms)
    assert max(retries_ms) <= most
    tenths = [(ms - least) * 10 // (most - least + 1) for ms in retries_ms]
    assert max(map(tenths.count, range(10))) < len(tenths) / 5
