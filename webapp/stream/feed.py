"""One log that has viewers in this worker: its open file, its shared frames, its waiters."""

import threading
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple, Protocol

from webapp.log import lock, reader
from webapp.log.dialects.translate import Translate, read_dialect
from webapp.log.opened import open_log
from webapp.log.record import TIME_BYTES
from webapp.log.watch import Watch, WatchFile
from webapp.stream.encode import encode_dialect, encode_records
from webapp.stream.format import Format

SHARED_BYTES = 2 << 20
"""How much of a log's encoded events is held for viewers at about the same offset."""


class Position(NamedTuple):
    """A boundary in a log, and what the next event depends on beside the bytes from there."""

    offset: int
    goes_on: int
    """What the next stdout record goes on with: see `log/line_state.py`."""
    seen: int = 0
    """How many events of the record that begins there were sent before."""


class Frame(NamedTuple):
    """Some whole events, encoded; and where the log goes on after them."""

    data: bytes
    end: Position
    is_done: bool
    events: int


class NoBoundary(Exception):
    """A position is in the middle of a record: the log was cut, and has grown past it since."""


class Waiter(Protocol):
    """What waits for the log to change."""

    def wake(self) -> None:
        """Look again. Called by whatever noticed the change, so it must not block."""


class Feed:
    """Everything that the viewers of one log share. Made by the hub."""

    def __init__(self, session_id: str, path: Path, watch: WatchFile) -> None:
        self.session_id = session_id
        self.path = path
        self.log = open_log(path)
        self.holders = 0
        self.end_by_row: dict[str, object] | None = None
        """How the session ended, where its log will never say it: it was cut or removed."""
        self.waiters: set[Waiter] = set()
        self.newest_time = b""
        """Of the last record that was read here: RFC 3339, as in the log."""
        self._dialect: Translate | None = None
        self._has_dialect = False
        self._frames: OrderedDict[tuple[int, int, Format], Frame] = OrderedDict()
        self._frames_bytes = 0
        self._frames_lock = threading.Lock()
        self._watch_file = watch
        self._watch: Watch | None = None
        self._is_watched = False
        self._seen_size = 0

    def close(self) -> None:
        """Give back the watch and the log."""
        if self._watch is not None:
            self._watch.close()
        self.log.close()

    def size(self) -> int:
        """Bytes in the log now."""
        return self.log.size()

    def is_complete(self) -> bool:
        """Whether the log ends with its `done`."""
        return reader.is_complete(self.log)

    def is_abandoned(self) -> bool:
        """Whether nobody will ever write to the log again, and yet it has no `done`."""
        return not lock.is_held(self.log.fd) and not self.is_complete()

    def position_at(self, offset: int, seen: int = 0) -> Position:
        """The position at a boundary, or after `seen` events of the record that begins there."""
        return Position(offset, reader.line_state(self.log, offset), seen)

    def dialect(self, form: Format) -> Translate | None:
        """The dialect of the log for viewers with this format."""
        if form.is_raw:
            return None
        if not self._has_dialect:
            is_known = self.size() > 0 and reader.read_records(self.log, 0, 4096) != b""
            self._dialect = read_dialect(self.log).translate
            self._has_dialect = is_known  # the first record may still be on its way
        return self._dialect

    def frame_at(self, position: Position, form: Format) -> Frame | None:
        """The next events from a position on; None at the tail. Made once for all viewers.

        NoBoundary where the log is not what it was when the position was found.
        """
        key = (position.offset, position.seen, form)
        with self._frames_lock:
            frame = self._frames.get(key)
        if frame is not None and frame.end.offset <= self.size():
            return frame
        records = reader.read_new(self.log, position.offset)
        if not records:
            return None
        if position.offset and self.log.read(1, position.offset - 1) != b"\n":
            raise NoBoundary
        newest = records.rfind(b"\n", 0, -1) + 1
        self.newest_time = records[newest : newest + TIME_BYTES]
        frame = self.encode(records, position, form)
        self._remember(key, frame)
        return frame

    def encode(self, records: bytes, position: Position, form: Format) -> Frame:
        """Some whole records of the log, read from a position on."""
        dialect = self.dialect(form)
        if dialect is None:
            encoded = encode_records(
                records,
                position.offset,
                goes_on=position.goes_on,
                as_envelope=form.as_envelope,
                as_printed=form.is_raw,
                id_prefix=form.id_prefix,
            )
        else:
            encoded = encode_dialect(
                records,
                position.offset,
                dialect,
                goes_on=position.goes_on,
                seen=position.seen,
                as_envelope=form.as_envelope,
                id_prefix=form.id_prefix,
            )
        end = Position(position.offset + len(records), encoded.goes_on)
        return Frame(encoded.frames, end, encoded.is_done, encoded.events)

    def _remember(self, key: tuple[int, int, Format], frame: Frame) -> None:
        with self._frames_lock:
            if key not in self._frames:
                self._frames[key] = frame
                self._frames_bytes += len(frame.data)
            while self._frames_bytes > SHARED_BYTES:
                _key, oldest = self._frames.popitem(last=False)
                self._frames_bytes -= len(oldest.data)

    def forget_frames(self) -> None:
        """The log was cut: what was made of its old content is no longer true."""
        with self._frames_lock:
            self._frames.clear()
            self._frames_bytes = 0

    def start_watch(self) -> bool:
        """Wake the waiters from now on whenever the log changes.

        True if that begins just now: look once more, it may have changed before.
        """
        if self._is_watched:
            return False
        self._is_watched = True
        self._watch = self._watch_file(self.path, self.wake)
        return True

    def wake(self) -> None:
        """Have all waiters look again."""
        for waiter in list(self.waiters):
            waiter.wake()

    def look(self) -> None:
        """Wake all waiters if the log has changed since the last look."""
        size = self.size()
        if size != self._seen_size:
            self._seen_size = size
            self.wake()
