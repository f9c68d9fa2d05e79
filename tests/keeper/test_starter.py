"""The worker's side of the keeper: it starts one if none runs, and ends it."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import environment_for
from tests.server import wait_for
from tests.store.fresh_var import make_var
from webapp.keeper import lock as keeper_lock
from webapp.keeper.lock import KeeperLock
from webapp.keeper.starter import KeeperStarter


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A migrated folder, which keepers that are started here find."""
    for name, value in environment_for(tmp_path).items():
        monkeypatch.setenv(name, value)
    return make_var(tmp_path)


@pytest.fixture
def started(var: Path) -> Iterator[KeeperStarter]:
    """The worker's side, at work."""
    one = KeeperStarter(var, every_seconds=0.01)
    one.start()
    yield one
    one.stop()
    wait_for(lambda: not keeper_lock.is_held(var))


def keeper_pid(var: Path) -> int | None:
    """Which process has the lock."""
    inode = (var / keeper_lock.FILE_NAME).stat().st_ino
    for line in Path("/proc/locks").read_text().splitlines():
        fields = line.split()
        if fields[1] == "FLOCK" and fields[5].endswith(f":{inode}") and int(fields[4]):
            return int(fields[4])
    return None


def children() -> set[str]:
    """The processes that this one has started."""
    threads = Path("/proc/self/task").iterdir()
    return {pid for thread in threads for pid in (thread / "children").read_text().split()}


def test_keeper_has_a_session_of_its_own_and_ends_when_it_is_stopped(
    var: Path, started: KeeperStarter
) -> None:
    wait_for(lambda: keeper_lock.is_held(var))
    pid = wait_for(lambda: keeper_pid(var))
    assert pid is not None
    assert os.getsid(pid) == pid
    started.stop()
    wait_for(lambda: not keeper_lock.is_held(var))


@pytest.mark.usefixtures("started")
def test_keeper_that_was_killed_has_a_successor(var: Path) -> None:
    wait_for(lambda: keeper_lock.is_held(var))
    first = wait_for(lambda: keeper_pid(var))
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: keeper_pid(var) not in (first, None))


def test_no_second_one_is_started(var: Path) -> None:
    before = children()
    first = KeeperLock(var)
    assert first.acquire()
    KeeperStarter(var).ensure_running()
    assert children() == before
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
    one = KeeperStarter(var, every_seconds=0.01)
    one.start()
    wait_for(lambda: len(refusals) > 1)
    one.stop()
    wait_for(lambda: os.listdir("/proc/self/fd") == before)
