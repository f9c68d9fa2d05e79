"""Kept frames: a session that has ended is encoded once, and from then on sent by the kernel.

A file of kept frames that is not whole, or of something else, is as good as none.
"""

import logging
import os
from pathlib import Path

from webapp.log.event_id import EventId
from webapp.stream import kept_file
from webapp.stream.feed import Feed
from webapp.stream.format import Format
from webapp.stream.kept_aim import Aim, code_version, find_aim
from webapp.stream.kept_folder import KeptFolder, folder_in, remove
from webapp.stream.recording import Recording

MOST_RECORDINGS = 2
"""At once, in one worker: each has a thread and a backlog."""

logger = logging.getLogger(__name__)


class Kept:
    """The frames of one log, open. A file that somebody removes stays whole for its reader."""

    def __init__(self, fd: int, size: int, form: Format) -> None:
        self.fd = fd
        self.size = size
        """Of the frames alone, in bytes."""
        self._id_prefix = form.id_prefix.encode()

    def find_after(self, seen: EventId) -> int | None:
        """Where the frames after the event with this id begin; None if there is none."""
        return kept_file.find_after(self.fd, self.size, seen, self._id_prefix)

    def end_after(self, position: int) -> int:
        """The first end of a frame at or after a position."""
        return kept_file.next_boundary(self.fd, position, self.size)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self.fd)


class KeptFrames:
    """The kept frames of all sessions, as one worker sees them."""

    def __init__(self, var: Path, max_bytes: int) -> None:
        """At most `max_bytes` of them, all together."""
        self._folder = KeptFolder(folder_in(var), max_bytes)
        self._code = code_version()
        self._recordings: list[Recording] = []

    def open(self, feed: Feed, form: Format) -> Kept | None:
        """The frames of a log, for the caller to close; None where none are kept."""
        aim = self._aim(feed, form)
        if aim is None:
            return None
        path = self._folder.path / aim.name
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            size = kept_file.read_size(fd, aim.fingerprint)
            if size is not None:
                os.utime(fd)  # the folder's least recently used goes first
                return Kept(fd, size, form)
            remove(path)
        except OSError:
            logger.exception("cannot use the kept frames %s", path)
        os.close(fd)
        return None

    def record(self, feed: Feed, form: Format) -> None:
        """Keep a log's frames as its viewers read them, if that is possible and worth it."""
        aim = self._aim(feed, form)
        self._forget_ended()
        if (
            aim is None
            or form in feed.recordings
            or len(self._recordings) >= MOST_RECORDINGS
            or aim.log_bytes > self._folder.max_bytes
        ):
            return
        feed.recordings[form] = recording = Recording(self._folder, aim)
        self._recordings.append(recording)

    def _aim(self, feed: Feed, form: Format) -> Aim | None:
        return find_aim(feed, form, self._code)

    def _forget_ended(self) -> None:
        for recording in self._recordings:
            if recording.failure is not None:
                logger.warning("cannot keep frames in %s: %s", self._folder.path, recording.failure)
        self._recordings = [one for one in self._recordings if not one.has_ended]
