"""Locks on open files: exclusive, shared, waited for; tests/log/test_lock.py has the processes."""

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server import wait_for
from webapp import flock


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Two open files of one file."""
    first, second = (flock.open_file(tmp_path / "lock") for _ in range(2))
    yield first, second
    os.close(first)
    os.close(second)


def test_shared_lock_excludes_an_exclusive_one_only(two: tuple[int, int]) -> None:
    first, second = two
    assert flock.try_acquire(first, shared=True)
    assert not flock.try_acquire(second)
    assert not flock.is_held(second)
    assert flock.try_acquire(second, shared=True)


def test_holder_is_waited_for(two: tuple[int, int]) -> None:
    first, second = two
    order: list[str] = []

    def wait() -> None:
        with flock.held(second):
            order.append("second")

    with flock.held(first):
        waiting = threading.Thread(target=wait)
        waiting.start()
        wait_for(lambda: _is_waited_for(first))
        order.append("first")
    waiting.join(10)
    assert order == ["first", "second"]
    assert not flock.is_held(first)


def _is_waited_for(fd: int) -> bool:
    """Whether somebody waits for a lock on this file: proc_locks(5) marks such a line by ->."""
    inode = os.fstat(fd).st_ino
    lines = Path("/proc/locks").read_text().splitlines()
    return any("->" in line and line.split(":")[-1].startswith(f"{inode} ") for line in lines)


def test_lock_file_is_private_and_no_link_is_followed(tmp_path: Path) -> None:
    path, link = tmp_path / "lock", tmp_path / "link"
    os.close(flock.open_file(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    link.symlink_to(path)
    with pytest.raises(OSError, match="symbolic links"):
        flock.open_file(link)
