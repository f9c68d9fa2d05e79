"""Some events of a log at a time, forwards or backwards: bounded in number and in bytes."""

from typing import NamedTuple

from webapp.log import reader, seek
from webapp.log.events import Event, parse_events
from webapp.log.opened import OpenLog

PAGE_BYTES = 4 << 20
"""So much of the log makes a page at most, or one record where that alone is longer."""
_STEP_BYTES = 64 * 1024
_PREFIX_BYTES = 40


class Page(NamedTuple):
    """Consecutive events, in the order of the log, and the boundaries around them."""

    events: list[Event]
    start: int
    end: int
    is_gap: bool
    """The offset that was asked for is no boundary; what lies nearest was taken."""


def page_after(log: OpenLog, asked: int | None, limit: int) -> Page:
    """The first events after an offset; None stands for garbage, as in `reader.find_start`."""
    start, is_gap = reader.find_start(log, asked)
    return _page(log, start, _records_from(log, start, limit), is_gap)


def page_before(log: OpenLog, asked: int | None, limit: int, *, is_gap: bool = False) -> Page:
    """The last events at or before an offset; None is the end of the log."""
    size = log.size()
    end = reader.find_end(log, size if asked is None else min(max(asked, 0), size))
    is_gap = is_gap or asked not in (None, end)
    start = seek.find_last(log, limit, end, most_bytes=PAGE_BYTES)
    records = log.read(end - start, start)
    return _page(log, start, records[: records.rfind(b"\n") + 1], is_gap)


def _records_from(log: OpenLog, start: int, limit: int) -> bytes:
    """At most `limit` whole records from a boundary on, and no more than a page."""
    pieces: list[bytes] = []
    size, wanted = 0, limit
    while wanted and size < PAGE_BYTES:
        piece = reader.read_records(log, start + size, _STEP_BYTES)
        if not piece:
            break
        piece, count = _first_records(piece, wanted)
        pieces.append(piece)
        size += len(piece)
        wanted -= count
    records = b"".join(pieces)
    if size <= PAGE_BYTES:
        return records
    return records[: 1 + max(records.rfind(b"\n", 0, PAGE_BYTES), records.find(b"\n"))]


def _first_records(records: bytes, count: int) -> tuple[bytes, int]:
    """At most the first `count` of some whole records, and how many those are."""
    there = records.count(b"\n")
    if there <= count:
        return records, there
    end = 0
    for _ in range(count):
        end = records.find(b"\n", end) + 1
    return records[:end], count


def _page(log: OpenLog, start: int, records: bytes, is_gap: bool) -> Page:
    goes_on = _depends_on_the_past(records) and reader.is_continuation(log, start)
    events = list(parse_events(records, start, is_continuation=goes_on))
    return Page(events, start, start + len(records), is_gap)


def _depends_on_the_past(records: bytes) -> bool:
    """Whether an event of these may differ if they begin in the middle of a line.

    That takes looking back, past all that is not stdout. Only the first stdout record can,
    and only if it could be JSON.
    """
    start = 0
    while start < len(records):
        head = records[start : start + _PREFIX_BYTES + 1]
        if head[30:38] == b" stdout ":
            return head[38:] == b"F {"
        start = records.find(b"\n", start) + 1
    return False
