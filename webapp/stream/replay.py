"""Timed replay: a log's events again, at the agent's own rhythm."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from webapp import clock
from webapp.log import reader
from webapp.log.record import TIME_BYTES, is_time, parse_time
from webapp.stream.cursor import Cursor
from webapp.stream.view import Pace

READ_BYTES = 64 * 1024


class _Due(NamedTuple):
    """A record that has been read and waits for its moment."""

    line: bytes
    due: float
    """When to show it, in seconds of the clock."""


class Replay:
    """Reads a cursor's log record by record, each when its time has come.

    Where it has caught up with a session that still runs, it goes on live.
    """

    def __init__(self, cursor: Cursor, pace: Pace, now: Callable[[], float] = clock.now) -> None:
        self.cursor = cursor
        self._pace = pace
        self._now = now
        self._coming: deque[_Due] = deque()
        self._read_to = cursor.position.offset
        self._due = now()
        self._last_time_ns: int | None = None
        self._is_live = False

    def read(self) -> bytes | float | None:
        """Frames that are due, or the seconds until some are; None at the tail."""
        if self._is_live:
            return self.cursor.read()
        if not self._coming and not self._fetch():
            self._is_live = True
            return self.cursor.read()

        now = self._now()
        if self._coming[0].due > now:
            return self._coming[0].due - now
        records = []
        while self._coming and self._coming[0].due <= now:
            records.append(self._coming.popleft().line)
        return self._show(b"".join(records))

    def _show(self, records: bytes) -> bytes:
        frame = self.cursor.feed.encode(records, self.cursor.position, self.cursor.form)
        self.cursor.advance(frame.end, frame.is_done, frame.events)
        return frame.data

    def _fetch(self) -> bool:
        """Read on and set each record's moment; False at the tail."""
        records = reader.read_records(self.cursor.feed.log, self._read_to, READ_BYTES)
        self._read_to += len(records)
        for line in records.split(b"\n")[:-1]:
            self._due += self._gap_seconds(line)
            self._coming.append(_Due(line + b"\n", self._due))
        return bool(records)

    def _gap_seconds(self, line: bytes) -> float:
        """How long after the record before it this one comes; 0 where the agent's clock stepped
        back."""
        time_ns = _time_ns(line)
        if time_ns is None:
            return 0.0
        last, self._last_time_ns = self._last_time_ns, time_ns
        if last is None:
            return 0.0
        gap_seconds = min(max(time_ns - last, 0) / 1e9, self._pace.max_gap_seconds)
        return gap_seconds / self._pace.speed


def _time_ns(line: bytes) -> int | None:
    stamp = line[:TIME_BYTES]
    if not is_time(stamp):
        return None
    try:
        return parse_time(stamp.decode("ascii"))
    except ValueError:
        return None
