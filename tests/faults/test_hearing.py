"""Streams whose workers do not hear that a log grows, or hear too late: nothing is missed."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.clients.crowd import crowd
from tests.server import Server, python_agent, running_server, wait_for

# Prints a line for each letter that comes into a file.
ECHO = python_agent(
    "import os\nplace = sys.stdin.read()\nn = 0\n"
    "while True:\n"
    "    size = os.path.getsize(place)\n"
    "    for _ in range(n, size): print('line', n); n += 1\n"
    "    if os.path.exists(place + '.end'): break\n"
    "    time.sleep(0.01)"
)
AGENTS = {"echo": ECHO}
INOTIFY = ("inotify_init", "inotify_init1")
LATEST_SECONDS = 1.0
"""A worker that hears nothing looks once a second."""
SLACK_SECONDS = 1.0
"""What a busy machine may add."""


class Echo:
    """A session that prints a line whenever the test wants it to."""

    def __init__(self, server: Server, name: str) -> None:
        self.place = server.folder / name
        self.place.touch()
        self.session_id = server.invoke("echo", str(self.place))
        self.log = server.log_path(self.session_id)
        self._log_file = self.log.open("rb")  # whatever becomes of its name

    @property
    def lines(self) -> int:
        """How many are in the log now."""
        self._log_file.seek(0)
        return self._log_file.read().count(b" stdout F line")

    def say(self, count: int = 1) -> None:
        """Print so many lines more, and wait until they are in the log."""
        wanted = self.lines + count
        with self.place.open("a") as place:
            place.write("x" * count)
        wait_for(lambda: self.lines == wanted)

    def end(self) -> None:
        """Let the agent end."""
        Path(f"{self.place}.end").touch()
        self._log_file.close()


@contextmanager
def denied(folder: Path, **calls: str) -> Iterator[Server]:
    """A server to whose processes these system calls fail."""
    denials = [f"{name}={error}" for name, error in calls.items()]
    within = [sys.executable, "-m", "tests.faults.denied", *denials, "--"]
    with running_server(folder, AGENTS, within=within) as server:
        yield server


@pytest.mark.parametrize(
    ("calls", "reason"),
    [
        (dict.fromkeys(INOTIFY, "ENOSYS"), "Function not implemented"),  # no inotify at all
        (dict.fromkeys(INOTIFY, "EMFILE"), "inotify instance limit"),  # no more instances
        ({"inotify_add_watch": "ENOSPC"}, "inotify watch limit"),  # no more watches
    ],
    ids=["absent", "out of instances", "out of watches"],
)
def test_where_inotify_says_no_streams_look_once_a_second(
    folder: Path, calls: dict[str, str], reason: str
) -> None:
    with denied(folder, **calls) as server:
        echo = Echo(server, "echo")
        with crowd(server.port, echo.session_id, 8) as watching:
            wait_for(watching.are_watching)
            for count in range(1, 4):
                echo.say()
                said_at = time.monotonic()
                wait_for(lambda count=count: watching.have_seen(count))  # type: ignore[misc]
                assert time.monotonic() - said_at < LATEST_SECONDS + SLACK_SECONDS
            echo.end()
            wait_for(watching.have_done)
            watching.check_exact()
        told = server.output.read_text()
        assert "looking once a second instead" in told
        assert reason in told
        assert "Traceback" not in told


def test_overflow_of_the_inotify_queue_hides_nothing(folder: Path) -> None:
    """Workers that stand still while two logs change so often that a third is not heard of."""
    with running_server(folder, AGENTS) as server:
        noisy, other, quiet = (Echo(server, name) for name in ("noisy", "other", "quiet"))
        with (
            crowd(server.port, noisy.session_id, 6) as at_noisy,
            crowd(server.port, other.session_id, 6) as at_other,
            crowd(server.port, quiet.session_id, 6) as at_quiet,
        ):
            everybody = (at_noisy, at_other, at_quiet)
            wait_for(lambda: all(one.are_watching() for one in everybody))
            quiet.say()
            wait_for(lambda: at_quiet.have_seen(1))
            with standing_still(server):
                touch_in_turn(noisy.log, other.log)
                quiet.say()
            going_on_at = time.monotonic()
            wait_for(lambda: at_quiet.have_seen(2))
            assert time.monotonic() - going_on_at < LATEST_SECONDS + SLACK_SECONDS
            for echo in (noisy, other, quiet):
                echo.say(3)
                echo.end()
            wait_for(lambda: all(one.have_done() for one in everybody))
            for one in everybody:
                one.check_exact()
        assert "queue overflowed" in server.output.read_text()


@contextmanager
def standing_still(server: Server) -> Iterator[None]:
    """The workers stopped, as by a debugger."""
    workers = server.worker_pids()
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)


def touch_in_turn(*logs: Path) -> None:
    """More changes than the queue holds; two in a row to the same file would count as one."""
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    files = [os.open(log, os.O_RDWR) for log in logs]
    first = [os.pread(fd, 1, 0) for fd in files]
    for _ in range(most // len(files) + 10):
        for fd, byte in zip(files, first, strict=True):
            os.pwrite(fd, byte, 0)  # what stood there before
    for fd in files:
        os.close(fd)
