"""Some events of a log at a time, forwards or backwards: bounded in number and in bytes."""

from typing import NamedTuple

from webapp.log import reader, seek
from webapp.log.dialects.translate import Translate
from webapp.log.event_id import EventId
from webapp.log.events import Event
from webapp.log.opened import OpenLog
from webapp.log.position import events_from, find_start, first_record

PAGE_BYTES = 4 << 20
"""The maximum of the log that makes a page; a longer record is a page of its own."""
_STEP_BYTES = 64 * 1024


class Page(NamedTuple):
    """Consecutive events, in the order of the log, and the positions around them."""

    events: list[Event]
    start: EventId
    end: EventId
    is_gap: bool
    """The id that was asked for is no event's; the nearest one was taken."""


def page_after(
    log: OpenLog,
    asked: EventId | None,
    limit: int,
    dialect: Translate | None = None,
    *,
    as_printed: bool = False,
) -> Page:
    """The first events after an id; None means garbage, as in `position.find_start`."""
    offset, is_gap, seen = find_start(log, asked, dialect)
    start = EventId(offset, seen)
    records = _records_from(log, offset, limit)
    events = events_from(log, offset, records, dialect, seen, as_printed=as_printed)[:limit]
    return Page(events, start, events[-1].id if events else start, is_gap)


def page_before(
    log: OpenLog,
    asked: EventId | None,
    limit: int,
    dialect: Translate | None = None,
    *,
    is_gap: bool = False,
    as_printed: bool = False,
) -> Page:
    """The last events at or before an id; None is the end of the log."""
    size = log.size()
    end = EventId(reader.find_end(log, size if asked is None else min(asked.offset, size)))
    record_end = end.offset
    if asked is not None and asked.seen and not find_start(log, asked, dialect).is_gap:
        end, record_end = asked, asked.offset + len(first_record(log, asked.offset))
    is_gap = is_gap or asked not in (None, end)

    start = EventId(seek.find_last(log, limit, record_end, max_bytes=PAGE_BYTES))
    records = reader.read_between(log, start.offset, record_end)
    events = events_from(log, start.offset, records, dialect, as_printed=as_printed)
    events = [event for event in events if event.id <= end]
    if len(events) > limit:
        start = events[-limit - 1].id
    return Page(events[-limit:], start, end, is_gap)


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
    """The first records, `count` or fewer, and their number."""
    there = records.count(b"\n")
    if there <= count:
        return records, there
    end = 0
    for _ in range(count):
        end = records.find(b"\n", end) + 1
    return records[:end], count
