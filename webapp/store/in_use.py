"""Whether a server runs on a `var` folder: it holds a shared lock on a file there.

The kernel lets go of the lock with the last of its processes, so a crash leaves nothing.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from webapp import flock
from webapp.errors import SetupError

FILE_NAME = "server.lock"
_TRIES, _PAUSE_SECONDS = 5, 0.02
"""A check holds the lock for a moment."""


def hold(var: Path) -> int:
    """Say that this process and its children use the folder: a descriptor to keep open.

    SetupError while somebody has the folder for himself.
    """
    return _lock(var, "is just being rebuilt; try again when that is done", shared=True)


def is_used(var: Path) -> bool:
    """Whether a server, or an import, has the folder; makes no file. OSError."""
    try:
        fd = os.open(var / FILE_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        return not flock.try_acquire(fd)
    finally:
        os.close(fd)


@contextmanager
def alone(var: Path) -> Iterator[None]:
    """Have the folder without a server. SetupError if one runs."""
    fd = _lock(var, "has a server running on it; stop that first", shared=False)
    try:
        yield
    finally:
        os.close(fd)


def _lock(var: Path, refusal: str, *, shared: bool) -> int:
    try:
        fd = flock.open_file(var / FILE_NAME)
    except OSError as error:
        raise SetupError(f"Cannot write {var / FILE_NAME}: {error.strerror}.") from None
    for _try in range(_TRIES):
        if flock.try_acquire(fd, shared=shared):
            return fd
        time.sleep(_PAUSE_SECONDS)
    os.close(fd)
    raise SetupError(f"{var} {refusal}.")
