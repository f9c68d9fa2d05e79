"""One log that has viewers in this worker: its open file, its waiters, its shared frames."""

import os
import threading
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

from webapp.log import lock, reader
from webapp.log.events import is_done, parse_events
from webapp.stream import sse
from webapp.stream.watch import Watch, watch_file

SHARED_BYTES = 2 << 20
"""Frames kept for viewers who are about as far."""


class Format(NamedTuple):
    """How a viewer wants its events."""

    as_envelope: bool = False
    id_prefix: str = ""


class Frame(NamedTuple):
    """Some whole events, encoded; and where the log goes on after them."""

    data: bytes
    end: int
    is_done: bool
    goes_on: bool
    """Whether the last stdout record so far was a `P`."""


class Feed:
    """Everything that the viewers of one log share. Made by the hub."""

    def __init__(self, session_id: str, path: Path) -> None:
        self.session_id = session_id
        self.path = path
        self.fd = lock.open_log(path)
        self.holders = 0
        self.end_by_row: dict[str, object] | None = None
        """How the session ended, where its log will never tell: it was cut or removed."""
        self._frames: OrderedDict[tuple[int, Format], Frame] = OrderedDict()
        self._frames_bytes = 0
        self._frames_lock = threading.Lock()
        self._waiting: set[threading.Event] = set()
        self._watch: Watch | None = None
        self._is_watched = False
        self._seen_size = 0

    def close(self) -> None:
        """Give back the watch and the file."""
        if self._watch is not None:
            self._watch.close()
        os.close(self.fd)

    def size(self) -> int:
        """Bytes in the log now."""
        return os.fstat(self.fd).st_size

    def is_complete(self) -> bool:
        """Whether the log ends with its `done`."""
        return reader.is_complete(self.fd)

    def is_abandoned(self) -> bool:
        """Whether nobody will ever write to the log again, and yet it has no `done`."""
        return not lock.is_held(self.fd) and not self.is_complete()

    def frame_at(self, offset: int, form: Format, *, goes_on: bool) -> Frame | None:
        """The next events from a boundary on; None at the tail. Made once for all viewers.

        `goes_on` is the last frame's, or `reader.is_continuation` for a viewer's first.
        """
        key = (offset, form)
        with self._frames_lock:
            frame = self._frames.get(key)
        if frame is not None and frame.end <= self.size():
            return frame
        records = reader.read_records(self.fd, offset)
        if not records:
            return None
        frame = _encode(records, offset, form, goes_on)
        with self._frames_lock:
            if key not in self._frames:
                self._frames[key] = frame
                self._frames_bytes += len(frame.data)
            while self._frames_bytes > SHARED_BYTES:
                _key, oldest = self._frames.popitem(last=False)
                self._frames_bytes -= len(oldest.data)
        return frame

    def forget_frames(self) -> None:
        """The log was cut: what was made of its old content holds no longer."""
        with self._frames_lock:
            self._frames.clear()
            self._frames_bytes = 0

    def wait(self, size: int, timeout_seconds: float) -> bool:
        """Until the log may have changed from `size`; False when the time is over."""
        self._start_watch()
        woken = threading.Event()
        self._waiting.add(woken)
        try:
            if self.size() != size:
                return True
            return woken.wait(timeout_seconds)
        finally:
            self._waiting.discard(woken)

    def wake(self) -> None:
        """Let everybody who waits look again. Must not block: inotify's thread calls it."""
        for woken in list(self._waiting):
            woken.set()

    def look(self) -> None:
        """Wake everybody if the log has changed though nothing was heard of it."""
        size = self.size()
        if size != self._seen_size:
            self._seen_size = size
            self.wake()

    def _start_watch(self) -> None:
        if not self._is_watched:
            self._is_watched = True
            self._watch = watch_file(self.path, self.wake)


def _encode(records: bytes, offset: int, form: Format, goes_on: bool) -> Frame:
    encode = sse.encode_envelope if form.as_envelope else sse.encode_event
    frames, finished = [], False
    for event in parse_events(records, offset, is_continuation=goes_on):
        frames.append(encode(event, form.id_prefix))
        finished = is_done(event)
    goes_on = reader.goes_on_after(records, goes_on)
    return Frame(b"".join(frames), offset + len(records), finished, goes_on)
