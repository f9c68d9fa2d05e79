"""The lock of a `var` folder's keeper: one process at a time does its work."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from webapp import flock
from webapp.errors import SetupError

FILE_NAME = "keeper.lock"
_RETRY_SECONDS = 0.05


class KeeperLock:
    """An exclusive lock on a file in the folder; the kernel releases it when its process ends."""

    def __init__(self, var: Path) -> None:
        self._path = var / FILE_NAME
        self._fd: int | None = None

    def acquire(self) -> bool:
        """Acquire it without waiting; False if another process holds it. OSError."""
        fd = flock.open_file(self._path)
        if flock.try_acquire(fd):
            self._fd = fd
            return True
        os.close(fd)
        return False

    def release(self) -> None:
        """Release it."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)


def is_held(var: Path) -> bool:
    """Whether a process holds it; makes no file. OSError."""
    try:
        fd = os.open(var / FILE_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        return flock.is_held(fd)
    finally:
        os.close(fd)


@contextmanager
def alone(var: Path, patience_seconds: float) -> Iterator[None]:
    """Hold the lock. A keeper that is ending gets `patience_seconds`. SetupError, OSError."""
    keeper_lock = KeeperLock(var)
    give_up_at = time.monotonic() + patience_seconds
    while not keeper_lock.acquire():
        if time.monotonic() >= give_up_at:
            raise SetupError(
                f"{var} has a keeper or a search still at work on its index and logs "
                f"after {patience_seconds:g} s; try again when that has ended."
            )
        time.sleep(_RETRY_SECONDS)
    try:
        yield
    finally:
        keeper_lock.release()
