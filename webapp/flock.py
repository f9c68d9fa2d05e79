"""flock(2): locks on open files, which the kernel releases with the last descriptor.

So a process that dies, however it does, holds no lock. A lock belongs to the open file: a child
that inherits the descriptor holds it too, and threads that share one do not exclude each other.
https://man7.org/linux/man-pages/man2/flock.2.html
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

_HELD_BY_ANOTHER = (errno.EWOULDBLOCK, errno.EACCES)


def open_file(path: str | os.PathLike[str]) -> int:
    """A descriptor of a file made to be locked; the file is created if needed. OSError."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def acquire(fd: int) -> None:
    """Wait for the exclusive lock."""
    fcntl.flock(fd, fcntl.LOCK_EX)


def try_acquire(fd: int, *, shared: bool = False) -> bool:
    """Take the lock if that is possible without waiting; whether it was."""
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD_BY_ANOTHER:
            return False
        raise
    return True


def release(fd: int) -> None:
    """Release the lock; the descriptor stays open."""
    fcntl.flock(fd, fcntl.LOCK_UN)


def is_held(fd: int) -> bool:
    """Whether another open file holds the exclusive lock.

    Asks by a shared lock that is released at once, so that two processes that ask at the same
    moment do not take each other for the holder.
    """
    if not try_acquire(fd, shared=True):
        return True
    release(fd)
    return False


@contextmanager
def held(fd: int) -> Iterator[None]:
    """Hold the exclusive lock; waits for it."""
    acquire(fd)
    try:
        yield
    finally:
        release(fd)
