"""The keeper as a process: what starts it, what it holds, and what ends it."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.command import environment_for
from tests.server import PATIENCE_SECONDS, wait_for
from tests.store.fresh_var import make_var
from webapp.keeper import lock as keeper_lock
from webapp.keeper import starter
from webapp.keeper.lock import KeeperLock
from webapp.keeper.starter import KeeperStarter


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A migrated folder, which keepers that are started here find."""
    for name, value in environment_for(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(starter, "LOOK_SECONDS", 0.01)
    return make_var(tmp_path)


def test_keeper_holds_nothing_of_the_server_and_only_the_end_of_its_leash_ends_it(
    var: Path,
) -> None:
    read_fd, write_fd = os.pipe()
    high_fd = 1500
    os.dup2(write_fd, high_fd)
    with subprocess.Popen(
        [sys.executable, "-m", "webapp.keeper"],
        stdin=subprocess.PIPE,
        pass_fds=[write_fd, high_fd],
    ) as process:
        os.close(write_fd)
        os.close(high_fd)
        assert select.select([read_fd], [], [], PATIENCE_SECONDS)[0] == [read_fd]
        assert os.read(read_fd, 1) == b""
        wait_for(lambda: keeper_lock.is_held(var))
        process.send_signal(signal.SIGINT)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(PATIENCE_SECONDS) == 0
    os.close(read_fd)


@pytest.fixture
def started(var: Path) -> Iterator[KeeperStarter]:
    """The worker's side, at work."""
    one = KeeperStarter(var)
    one.start()
    yield one
    one.stop()


def test_keeper_has_a_session_of_its_own_and_ends_when_it_is_let_go(
    var: Path, started: KeeperStarter
) -> None:
    wait_for(lambda: keeper_lock.is_held(var))
    pid = started._pid
    assert pid is not None
    assert os.getsid(pid) == pid
    started.stop()
    wait_for(lambda: not keeper_lock.is_held(var))
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


def test_keeper_that_was_killed_has_a_successor(var: Path, started: KeeperStarter) -> None:
    wait_for(lambda: keeper_lock.is_held(var))
    first = started._pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: started._pid not in (first, None) and keeper_lock.is_held(var))


def test_no_second_one_is_started(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spawned: list[object] = []
    monkeypatch.setattr(os, "posix_spawn", lambda *given, **_named: spawned.append(given))
    first = KeeperLock(var)
    assert first.acquire()
    KeeperStarter(var)._look()
    assert spawned == []
    first.release()


def test_machine_that_is_out_of_processes_is_asked_again(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals: list[object] = []

    def refuse(*given: object, **_named: object) -> int:
        refusals.append(given)
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(os, "posix_spawn", refuse)
    before = os.listdir("/proc/self/fd")
    one = KeeperStarter(var)
    one.start()
    wait_for(lambda: len(refusals) > 1)
    one.stop()
    wait_for(lambda: os.listdir("/proc/self/fd") == before)
