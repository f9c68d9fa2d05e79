"""Who looks after index, compression and retention of a `var` folder: one process at a time."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from webapp import flock
from webapp.errors import SetupError

FILE_NAME = "keeper.lock"
_LOOK_SECONDS = 0.05


class KeeperLock:
    """An exclusive lock on a file there; the kernel drops it with its process."""

    def __init__(self, var: Path) -> None:
        self._path = var / FILE_NAME
        self._fd: int | None = None

    def acquire(self) -> bool:
        """Take it without waiting; False if another process has it. OSError."""
        fd = flock.open_file(self._path)
        if flock.try_acquire(fd):
            self._fd = fd
            return True
        os.close(fd)
        return False

    def release(self) -> None:
        """Give it back."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)


def is_held(var: Path) -> bool:
    """Whether somebody has it; makes no file. OSError."""
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
    """Have the folder without a keeper; one that is ending gets so long. SetupError, OSError."""
    keeper_lock = KeeperLock(var)
    give_up_at = time.monotonic() + patience_seconds
    while not keeper_lock.acquire():
        if time.monotonic() >= give_up_at:
            raise SetupError(
                f"{var} has a keeper or a search still at work on its index and logs "
                f"after {patience_seconds:g} s; try again when that has ended."
            )
        time.sleep(_LOOK_SECONDS)
    try:
        yield
    finally:
        keeper_lock.release()
