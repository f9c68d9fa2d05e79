"""Who lives is asked of the lock on the log, never of a pid.

A runner holds an exclusive flock(2) on its log for as long as it lives. The kernel lets go
of it when the last descriptor of that open file closes, whatever ended the process.
"""

import errno
import fcntl
import os

_NO_ACCESS_TIME = getattr(os, "O_NOATIME", 0)


def acquire(log_fd: int) -> bool:
    """Take the exclusive lock without waiting; False if somebody else holds it."""
    try:
        fcntl.flock(log_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True


def release(log_fd: int) -> None:
    """Give the lock back; the descriptor stays open."""
    fcntl.flock(log_fd, fcntl.LOCK_UN)


def is_held(log_fd: int) -> bool:
    """Whether another open file holds the lock: the session's runner is alive.

    Asks with a shared lock that is given back at once, so that two who ask at the same
    moment do not take each other for a runner.
    """
    try:
        fcntl.flock(log_fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return True
        raise
    fcntl.flock(log_fd, fcntl.LOCK_UN)
    return False


def open_log(path: str | os.PathLike[str], flags: int = os.O_RDONLY) -> int:
    """Open a log that exists; a symbolic link in its place is refused (ELOOP).

    Reading it leaves no time of access behind: after each record that would be a change of the
    file system, and its journal may make who reads wait for the disk, with all viewers.
    """
    flags |= os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags | _NO_ACCESS_TIME)
    except PermissionError:
        return os.open(path, flags)  # only the owner may ask for that: open(2)


def close_log(fd: int) -> None:
    """Close a log, and with its last descriptor give back its lock."""
    os.close(fd)
