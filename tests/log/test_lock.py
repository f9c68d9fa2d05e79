"""Who lives is asked of the lock: real processes hold it and are killed."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.log import lock

HOLDER = """
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.flock(fd, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """An empty log."""
    path = tmp_path / "output.log"
    path.touch()
    return path


@pytest.fixture
def holder(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the lock."""
    command = [sys.executable, "-I", "-S", "-c", HOLDER, str(log)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def open_log(path: Path) -> int:
    """Another open file of the same log."""
    return lock.open_log(path, os.O_RDWR)


def test_lock_of_a_live_process_is_held(log: Path, holder: subprocess.Popen[bytes]) -> None:
    fd = open_log(log)
    assert lock.is_held(fd)
    assert not lock.acquire(fd)
    lock.close_log(fd)


def test_lock_of_a_killed_process_is_free(log: Path, holder: subprocess.Popen[bytes]) -> None:
    fd = open_log(log)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert not lock.is_held(fd)
    assert lock.acquire(fd)
    lock.close_log(fd)


def test_asking_does_not_take_the_lock(log: Path) -> None:
    asking, taking = open_log(log), open_log(log)
    assert not lock.is_held(asking)
    assert lock.acquire(taking)
    lock.close_log(asking)
    lock.close_log(taking)


def test_two_who_ask_do_not_take_each_other_for_a_runner(log: Path) -> None:
    import fcntl

    first, second = open_log(log), open_log(log)
    fcntl.flock(first, fcntl.LOCK_SH)  # in the middle of its question
    assert not lock.is_held(second)
    lock.close_log(first)
    lock.close_log(second)


def test_lock_stays_with_a_handed_over_descriptor(log: Path) -> None:
    ours = open_log(log)
    assert lock.acquire(ours)
    command = [sys.executable, "-I", "-S", "-c", "import sys; print(flush=True); sys.stdin.read()"]
    heir = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(ours,)
    )
    lock.close_log(ours)
    probe = open_log(log)
    assert lock.is_held(probe)
    heir.communicate()
    assert not lock.is_held(probe)
    lock.close_log(probe)


def test_released_lock_is_free(log: Path) -> None:
    holding, probe = open_log(log), open_log(log)
    assert lock.acquire(holding)
    lock.release(holding)
    assert not lock.is_held(probe)
    lock.close_log(holding)
    lock.close_log(probe)


def test_log_is_not_inherited_by_what_is_started(log: Path) -> None:
    fd = open_log(log)
    assert not os.get_inheritable(fd)
    lock.close_log(fd)


def test_symbolic_link_instead_of_a_log_is_refused(log: Path) -> None:
    link = log.with_name("link.log")
    link.symlink_to(log)
    with pytest.raises(OSError, match="symbolic links"):
        lock.open_log(link)


def test_log_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        lock.open_log(tmp_path / "output.log", os.O_RDWR)
    assert list(tmp_path.iterdir()) == []


def test_reading_a_log_changes_nothing_on_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    path.write_text("a record\n")
    os.utime(path, (0, path.stat().st_mtime))  # such a time is renewed by the next reading
    fd = lock.open_log(path)
    assert os.read(fd, 100) == b"a record\n"
    os.close(fd)
    assert path.stat().st_atime == 0


def test_the_log_of_another_user_is_opened_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, opened = tmp_path / "output.log", os.open
    path.write_text("a record\n")

    def refuse(name: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if flags & os.O_NOATIME:
            raise PermissionError(errno.EPERM, "not the owner", str(name))
        return opened(name, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", refuse)
    fd = lock.open_log(path)
    monkeypatch.undo()
    assert os.read(fd, 100) == b"a record\n"
    os.close(fd)
