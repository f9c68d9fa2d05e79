"""The web ends, or its workers are replaced, under live viewers: nobody waits for a timeout.

TERM ends it, HUP replaces the workers, USR2 starts a second master beside the first:
https://docs.gunicorn.org/en/stable/signals.html
"""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.clients.event_source import texts_of
from tests.clients.viewer import Viewer
from tests.server import HTTP, Server, end_sessions, python_agent, running_server, wait_for

VIEWERS = 100
SOON_SECONDS = 3.5
"""Streams end within 2 s and workers within 3; gunicorn's graceful timeout is 5."""
TICKING = python_agent("n = 0\nwhile True:\n    print(n)\n    n += 1\n    time.sleep(0.1)")


@contextmanager
def open_streams(server: Server, session_id: str, count: int) -> Iterator[list[socket.socket]]:
    """Viewers who have got their first event."""
    with ExitStack() as stack:
        viewers = []
        for _ in range(count):
            viewer = socket.create_connection(("127.0.0.1", server.port), timeout=30)
            stack.enter_context(viewer)
            viewer.sendall(
                f"GET /api/agent-stream?sessionId={session_id} HTTP/1.1\r\n"
                f"Host: 127.0.0.1:{server.port}\r\n\r\n".encode()
            )
            viewers.append(viewer)
        for viewer in viewers:
            received = b""
            while b"event: message" not in received:
                received += viewer.recv(65536)
        yield viewers


def read_to_the_end(viewer: socket.socket) -> bytes:
    """The last bytes of a stream, until the server has closed it."""
    last = b""
    while data := viewer.recv(65536):
        last = (last + data)[-64:]
    return last


@pytest.mark.parametrize("worker_class", ["gevent", "gthread"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_streams_end_properly_and_at_once_and_the_agent_does_not_notice(
    folder: Path, worker_class: str, number: signal.Signals
) -> None:
    agents = {"ticking": TICKING}
    count = VIEWERS if worker_class == "gevent" else 20
    with running_server(folder, agents, worker_class=worker_class) as server:
        session_id = server.invoke("ticking")
        pid = wait_for(lambda: server.session(session_id)["pid"])
        before = server.worker_pids()
        assert server.process is not None
        with open_streams(server, session_id, count) as viewers:
            told_at = time.monotonic()
            server.process.send_signal(number)
            ends = [read_to_the_end(viewer) for viewer in viewers]
            assert time.monotonic() - told_at < SOON_SECONDS
        bad = [end for end in ends if not end.endswith(b"0\r\n\r\n")]
        assert bad == []

        for worker in before:
            wait_for(lambda worker=worker: not Path(f"/proc/{worker}").exists(), SOON_SECONDS)  # type: ignore[misc]
        if number == signal.SIGTERM:
            assert server.process.wait(SOON_SECONDS) == 0
            server.start()
        assert server.session(session_id)["status"] == "running"
        assert server.session(session_id)["pid"] == pid
        with open_streams(server, session_id, 1):
            pass


# --- a second master ------------------------------------------------------------------------


def children(pid: int) -> set[int]:
    """The child processes of a process; none if it is gone."""
    try:
        return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    except FileNotFoundError:
        return set()


def start_second_master(server: Server) -> int:
    """Its pid, once all of its workers answer."""
    before = server.worker_pids()
    assert server.process is not None
    server.process.send_signal(signal.SIGUSR2)
    (master,) = wait_for(lambda: server.worker_pids() - before)
    wait_for(lambda: len(children(master)) == len(before))
    workers = children(master)
    answered: set[int] = set()

    def all_answer() -> bool:
        answered.add(int(HTTP.get(f"{server.url}/readyz").headers["X-Worker-Pid"]))
        return workers <= answered

    wait_for(all_answer)
    return master


@contextmanager
def second_master(server: Server) -> Iterator[int]:
    """As `start_second_master`; in the end the sessions are cancelled and it is gone."""
    master = start_second_master(server)
    try:
        yield master
    finally:
        end_sessions(server)
        if Path(f"/proc/{master}").exists():
            os.kill(master, signal.SIGTERM)
            wait_for(lambda: not Path(f"/proc/{master}").exists())


@pytest.mark.parametrize("worker_class", ["gevent", "gthread"])
def test_second_master_takes_over_and_viewers_miss_nothing(folder: Path, worker_class: str) -> None:
    with running_server(folder, {"ticking": TICKING}, worker_class=worker_class) as server:
        session_id = server.invoke("ticking")
        pid = wait_for(lambda: server.session(session_id)["pid"])
        assert server.process is not None
        with Viewer(server.url, session_id) as viewer:
            events = iter(viewer)
            seen = [next(events), next(events), next(events)]
            with second_master(server) as master:
                both = server.worker_pids() - {master}
                told_at = time.monotonic()
                server.process.send_signal(signal.SIGTERM)
                seen += list(events)  # the old workers' streams end
                assert time.monotonic() - told_at < SOON_SECONDS
                assert server.process.wait(SOON_SECONDS) == 0
                assert not any(Path(f"/proc/{worker}").exists() for worker in both)

                with Viewer(server.url, session_id, last_id=seen[-1].last_event_id) as resumed:
                    assert resumed.worker_pid in children(master)
                    rest = iter(resumed)
                    seen += [next(rest), next(rest)]
                numbers = [int(text) for text in texts_of(seen)]
                assert numbers == list(range(len(numbers)))
                assert server.session(session_id)["pid"] == pid
                assert server.invoke("ticking")


def test_second_master_can_be_sent_away_again_and_the_first_goes_on(folder: Path) -> None:
    with running_server(folder, {"ticking": TICKING}) as server:
        session_id = server.invoke("ticking")
        assert server.process is not None
        with Viewer(server.url, session_id) as viewer:
            events = iter(viewer)
            next(events)
            first_workers = server.worker_pids()
            with second_master(server) as master:
                os.kill(master, signal.SIGTERM)
                wait_for(lambda: not Path(f"/proc/{master}").exists())
                assert server.worker_pids() == first_workers
                if viewer.worker_pid in first_workers:
                    assert next(events).type == "message"
                assert server.invoke("ticking")
                assert server.session(session_id)["status"] == "running"


def test_second_master_becomes_the_first_and_can_be_replaced_itself(folder: Path) -> None:
    with running_server(folder, {"ticking": TICKING}) as server:
        session_id = server.invoke("ticking")
        assert server.process is not None
        with second_master(server) as second:
            server.stop()
            workers = children(second)
            wait_for(lambda: b"promoted" in server.output.read_bytes())
            os.kill(second, signal.SIGHUP)
            wait_for(lambda: not workers & children(second) and len(children(second)) == 2)
            with Viewer(server.url, session_id) as viewer:
                assert next(iter(viewer)).type == "session"
