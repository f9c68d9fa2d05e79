"""Folders in which imports write what arrives, before it is moved to its place.

Each is locked as long as its import lives, and the kernel lets go of the lock with the
process: what is not locked was left by one that was killed.
"""

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from webapp import flock
from webapp.sessions.layout import SessionFiles

PREFIX = ".import-"
LEAST_SECONDS = 60.0
"""A younger one may not have been locked yet."""


@contextmanager
def arrival(var: Path) -> Iterator[SessionFiles]:
    """A new folder, which is gone afterwards unless it was moved away."""
    directory = var / "sessions" / f"{PREFIX}{secrets.token_hex(8)}"
    os.mkdir(directory, 0o700)
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        flock.acquire(fd)
        yield SessionFiles(directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(fd)


def remove_abandoned(var: Path) -> int:
    """Remove what killed imports left; how many folders that were. OSError."""
    return sum(_remove_if_abandoned(path) for path in (var / "sessions").glob(f"{PREFIX}*"))


def _remove_if_abandoned(directory: Path) -> bool:
    try:
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        if not flock.try_acquire(fd):
            return False
        if time.time() - os.fstat(fd).st_mtime < LEAST_SECONDS:
            return False
        shutil.rmtree(directory)
    except FileNotFoundError:
        return False
    finally:
        os.close(fd)
    return True
