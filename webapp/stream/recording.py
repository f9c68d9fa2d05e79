"""Frames on their way to the disk: what one replay makes, kept for those that follow.

A thread of its own does all that touches the disk, since a write may wait for the disk, and
the event loop must not. It uses nothing that gevent has patched. A disk that is slower than
the replay ends the recording, never the replay.
"""

from contextlib import closing
from typing import Any

from gevent import monkey

from webapp.stream.feed import Frame
from webapp.stream.kept_aim import Aim
from webapp.stream.kept_folder import KeptFolder
from webapp.stream.kept_part import KeptPart

BACKLOG_BYTES = 64 << 20
"""No more than this is held in memory for the disk; on a machine that is busy with other
things the thread may not run for half a second."""

_start_thread = monkey.get_original("_thread", "start_new_thread")
_SimpleQueue = monkey.get_original("queue", "SimpleQueue")


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
        with closing(KeptPart(self._folder, self._aim)) as part:
            while piece := self._pieces.get():
                if not part.add(piece):
                    return
                self._written_bytes = part.size
            if piece is not None:  # it was not abandoned
                part.finish(is_used=True)
