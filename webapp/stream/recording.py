"""Frames on their way to the disk: what one replay makes, kept for those that follow.

A thread of its own does all that touches the disk, since a write may wait for the disk, and
the event loop must not. It uses nothing that gevent has patched. A disk that is slower than
the replay ends the recording, never the replay.
"""

import itertools
import os
from pathlib import Path
from typing import Any, NamedTuple

from gevent import monkey

from webapp.stream import kept_file
from webapp.stream.feed import Frame
from webapp.stream.kept_folder import PART_SUFFIX, KeptFolder, remove

BACKLOG_BYTES = 64 << 20
"""No more than this is held in memory for the disk; on a machine that is busy with other
things the thread may not run for half a second."""

_start_thread = monkey.get_original("_thread", "start_new_thread")
_SimpleQueue = monkey.get_original("queue", "SimpleQueue")
_part_numbers = itertools.count()


class Aim(NamedTuple):
    """What a recording is to become."""

    name: str
    """Of its file in the folder."""
    fingerprint: bytes
    log: Path
    log_bytes: int


class Recording:
    """The frames of one log in one format, from the first to the last."""

    def __init__(self, folder: KeptFolder, aim: Aim) -> None:
        self.is_over = False
        """Nothing is taken any more: all is there, or nothing will be kept."""
        self.has_ended = False
        """Its thread has."""
        self.failure: OSError | None = None
        self._folder = folder
        self._aim = aim
        self._next_offset = 0
        self._pieces: Any = _SimpleQueue()
        self._added_bytes = 0
        self._written_bytes = 0
        _start_thread(self._run, ())

    def add(self, offset: int, frame: Frame) -> None:
        """Take the frame that begins at an offset of the log, if it is the next one."""
        if self.is_over or offset != self._next_offset:
            return
        self._next_offset = frame.end.offset
        self._added_bytes += len(frame.data)
        self._pieces.put(frame.data)
        if frame.is_done:
            self.is_over = True
            self._pieces.put(b"")
        elif self._added_bytes - self._written_bytes > BACKLOG_BYTES:
            self.abandon()

    def abandon(self) -> None:
        """Keep nothing, unless all is there."""
        if not self.is_over:
            self.is_over = True
            self._pieces.put(None)

    # --- the thread -----------------------------------------------------------------------

    def _run(self) -> None:
        try:
            if self._folder.make_room(self._aim.log_bytes):
                self._write()
        except OSError as error:
            self.failure = error
        self.is_over = self.has_ended = True

    def _write(self) -> None:
        path = self._folder.path / self._aim.name
        part = f"{path}.{os.getpid()}-{next(_part_numbers)}{PART_SUFFIX}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(part, flags, 0o600)
        try:
            if not self._fill(fd):
                return
            os.fsync(fd)  # else the name could outlive a loss of power, and the content not
            os.rename(part, path)
        finally:
            os.close(fd)
            remove(part)
        if not self._aim.log.parent.exists():
            remove(path)  # the session was deleted meanwhile, and whoever did has looked here
        self._folder.make_room(0)

    def _fill(self, fd: int) -> bool:
        """Write what comes; False if it was abandoned, or if there is no room for it."""
        while piece := self._pieces.get():
            if not self._has_room(len(piece)):
                return False
            _write_all(fd, piece)
            self._written_bytes += len(piece)
        if piece is None:
            return False
        _write_all(fd, kept_file.trailer(self._written_bytes, self._aim.fingerprint))
        return True

    def _has_room(self, size: int) -> bool:
        fits = self._written_bytes + size <= self._folder.max_bytes
        return fits and self._folder.disk_has(size)


def _write_all(fd: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]
