"""An open log, however it is stored: as the runner wrote it, or compressed later.

Offsets are those of the log as it was written, in both. A reader that has a log open can read
on when it is compressed or deleted: its descriptor keeps the file.
"""

import os
from pathlib import Path
from typing import Protocol

from webapp.log import lock
from webapp.log.compressed import CompressedLog

COMPRESSED_SUFFIX = ".zst"


class OpenLog(Protocol):
    """What readers need of a log."""

    @property
    def fd(self) -> int:
        """The descriptor of its file: for its lock and its times."""

    @property
    def is_plain(self) -> bool:
        """Whether the bytes of that file are those of the log."""

    def size(self) -> int:
        """Bytes in the log now."""

    def read(self, count: int, offset: int) -> bytes:
        """At most `count` bytes from an offset on; fewer only at the end. OSError."""

    def close(self) -> None:
        """Give the file back."""


class PlainLog:
    """A log as the runner writes it."""

    __slots__ = ("fd",)

    is_plain = True

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def size(self) -> int:
        """Bytes in the log now."""
        return os.fstat(self.fd).st_size

    def read(self, count: int, offset: int) -> bytes:
        """At most `count` bytes from an offset on."""
        return os.pread(self.fd, count, offset)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.fd)


def open_log(path: Path) -> OpenLog:
    """Open the log whose plain name is `path`, to read it. FileNotFoundError if it is gone.

    The plain file counts where both are there: then it is just being compressed, and the
    other is the same or will be.
    """
    try:
        return PlainLog(lock.open_log(path))
    except FileNotFoundError:
        fd = lock.open_log(compressed_path(path))
    try:
        return CompressedLog(fd)
    except BaseException:
        os.close(fd)
        raise


def compressed_path(path: Path) -> Path:
    """The path of the compressed form of a log."""
    return path.with_name(path.name + COMPRESSED_SUFFIX)
