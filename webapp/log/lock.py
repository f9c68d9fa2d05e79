"""Who lives is asked of the lock on the log, never of a pid.

A runner holds an exclusive flock(2) on its log for as long as it lives. The kernel lets go
of it when the last descriptor of that open file closes, whatever ended the process.
"""

import os

from webapp import flock
from webapp.log import folder

_NO_ACCESS_TIME = getattr(os, "O_NOATIME", 0)


def acquire(log_fd: int) -> bool:
    """Take the exclusive lock without waiting; False if another open file holds it."""
    return flock.try_acquire(log_fd)


def release(log_fd: int) -> None:
    """Give the lock back; the descriptor stays open."""
    flock.release(log_fd)


def is_held(log_fd: int) -> bool:
    """Whether another open file holds the lock: the session's runner is alive."""
    return flock.is_held(log_fd)


def open_log(path: str | os.PathLike[str], flags: int = os.O_RDONLY) -> int:
    """Open a log that exists. FileNotFoundError; `folder.NotRegular` for a link, a FIFO…

    Reading it does not update its access time: that would change the file system after each
    record, and its journal may make a reader wait for the disk, and all viewers with it.
    """
    try:
        return folder.open_file(path, flags | _NO_ACCESS_TIME)
    except PermissionError:
        return folder.open_file(path, flags)  # only the owner may ask for that: open(2)


def close_log(fd: int) -> None:
    """Close a log, and with its last descriptor give back its lock."""
    os.close(fd)
