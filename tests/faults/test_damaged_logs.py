"""Logs that somebody cuts or removes while they are streamed, and logs that a crash cut short."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.clients.crowd import crowd
from tests.clients.event_source import Dispatched
from tests.clients.viewer import watch
from tests.faults.test_hearing import AGENTS, Echo, standing_still
from tests.server import Server, python_agent, running_server, wait_for
from webapp.log.events import parse_events

VIEWERS = 6
SAY = python_agent("print('\\n'.join(str(n) for n in range(120)))\nprint('oops', file=sys.stderr)")
LAST_BYTES = 4096
CUTS = 32


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers."""
    folder = tmp_path_factory.mktemp("logs")
    with running_server(folder, AGENTS | {"say": SAY}) as started:
        yield started


def cpu_seconds(server: Server) -> float:
    """What the workers have used of the processor."""
    ticks = 0
    for pid in server.worker_pids():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def check_quiet(server: Server) -> None:
    """A worker that spins would show it in a second."""
    before = cpu_seconds(server)
    time.sleep(1)
    assert cpu_seconds(server) - before < 0.3


def lines(*numbers: int) -> list[str]:
    return [f"line {number}" for number in numbers]


@pytest.mark.parametrize("kept", ["a record", "a record and a half", "nothing"])
def test_log_that_is_cut_while_it_is_streamed_is_a_gap(server: Server, kept: str) -> None:
    echo = Echo(server, f"cut to {kept}")
    echo.say(3)
    with crowd(server.port, echo.session_id, VIEWERS) as watching:
        wait_for(lambda: watching.have_seen(3))
        ends = [at + 1 for at, byte in enumerate(echo.log.read_bytes()) if byte == ord("\n")]
        sizes = {"a record": ends[-2], "a record and a half": ends[-2] + 20, "nothing": 0}
        os.truncate(echo.log, sizes[kept])
        wait_for(lambda: all("notice" in viewer.names for viewer in watching.viewers))
        check_quiet(server)
        echo.say()
        echo.say()
        echo.end()
        wait_for(watching.have_done)
        for viewer in watching.viewers:
            assert viewer.texts[:3] == lines(0, 1, 2)
            assert viewer.texts[-2:] == lines(3, 4)
            assert viewer.names.count("done") == 1
            assert len(viewer.connections) == 1
    assert server.wait_until_ended(echo.session_id)["status"] == "succeeded"
    assert "Traceback" not in server.output.read_text()


def test_log_that_was_cut_and_has_grown_since_tears_no_record(server: Server) -> None:
    """As `copytruncate` does it, while the workers are too busy to see it happen."""
    echo = Echo(server, "cut and grown")
    echo.say(3)
    with crowd(server.port, echo.session_id, VIEWERS) as watching:
        wait_for(lambda: watching.have_seen(3))
        with standing_still(server):
            size = echo.log.stat().st_size
            os.truncate(echo.log, 0)
            echo.say(size // 40)
            assert echo.log.read_bytes()[size - 1 : size] != b"\n"
        wait_for(lambda: all("notice" in viewer.names for viewer in watching.viewers))
        echo.say()
        echo.end()
        wait_for(watching.have_done)
        expected = [f"line {number}" for number in range(size // 40 + 4)]
        for viewer in watching.viewers:
            assert viewer.texts[:3] == expected[:3]
            assert viewer.texts[3:] == expected[-(len(viewer.texts) - 3) :]
            assert viewer.notices == ["gap"]  # and not what is left of a record
            assert len(viewer.connections) == 1
    assert "Traceback" not in server.output.read_text()


def test_log_that_is_removed_is_reported_to_its_viewers(server: Server) -> None:
    echo = Echo(server, "removed")
    echo.say(3)
    with crowd(server.port, echo.session_id, VIEWERS) as watching:
        wait_for(lambda: watching.have_seen(3))
        echo.log.unlink()
        check_quiet(server)
        assert server.session(echo.session_id)["status"] == "running"
        echo.say(2)
        echo.end()
        wait_for(watching.have_done)
        watching.check_exact()
        assert watching.viewers[0].texts == lines(0, 1, 2, 3, 4)
        assert len(watching.connections) == VIEWERS
    assert server.wait_until_ended(echo.session_id)["status"] == "succeeded"
    assert "Traceback" not in server.output.read_text()


def test_log_that_was_removed_is_a_gap_to_those_who_come_later(server: Server) -> None:
    echo = Echo(server, "gone")
    echo.say(3)
    echo.log.unlink()
    with crowd(server.port, echo.session_id, VIEWERS) as watching:
        wait_for(lambda: all("notice" in viewer.names for viewer in watching.viewers))
        check_quiet(server)
        assert server.session(echo.session_id)["status"] == "running"
        echo.end()
        wait_for(watching.have_done)
        assert {one.status for one in watching.connections} == {200}
        assert not any(viewer.texts for viewer in watching.viewers)
    assert server.wait_until_ended(echo.session_id)["status"] == "succeeded"
    assert "Traceback" not in server.output.read_text()


def test_log_that_a_power_loss_cut_is_served_to_its_last_whole_record(folder: Path) -> None:
    with running_server(folder, {"say": SAY}) as server:
        workflow_id = server.create_workflow()
        sessions = [server.invoke("say", "", workflow_id) for _ in range(CUTS)]
        logs = [server.log_path(one) for one in sessions]
        for one in sessions:
            server.wait_until_ended(one)
        whole = [log.read_bytes() for log in logs]
        server.stop()
        cuts = [len(one) - LAST_BYTES * n // CUTS for n, one in enumerate(whole, start=1)]
        for path, cut in zip(logs, cuts, strict=True):
            os.truncate(path, cut)
        server.start()
        with ThreadPoolExecutor(8) as pool:
            served = list(pool.map(lambda one: watch(server.url, one), sessions))
        for log, cut, received in zip(whole, cuts, served, strict=True):
            check_served(log, cut, received)
        assert "Traceback" not in server.output.read_text()


def check_served(whole: bytes, cut: int, received: list[Dispatched]) -> None:
    """Every whole record before the cut; after it at most the rest of one, and one end."""
    events = list(parse_events(whole, 0, is_continuation=False))
    kept = [(str(one.offset), one.name, one.data) for one in events if one.offset <= cut]
    shown = [(one.last_event_id, one.type, one.data) for one in received]
    assert shown[: len(kept)] == kept
    names = [one.type for one in received]
    assert (names.count("done"), names[-1]) == (1, "done")
    assert not any("corrupt" in one.data for one in received)
    assert len(received) <= len(kept) + 3  # what is left of a line, why it ended, the end
