"""Positions between events: from an id that a client sent, or a number of events from the end."""

from webapp.log import reader, seek
from webapp.log.dialects.translate import Translate
from webapp.log.event_id import EventId
from webapp.log.events import Event, parse_events
from webapp.log.line_state import ENDED, MIN_PART_BYTES
from webapp.log.opened import OpenLog
from webapp.log.reader import Start

_STEP_RECORDS = 256
_HEAD_BYTES = 64 * 1024


def find_start(log: OpenLog, asked: EventId | None, dialect: Translate | None) -> Start:
    """Where a viewer begins that has received the event `asked`; None means garbage.

    In the middle of a record only where that has more events than were seen. Otherwise the
    true boundary after it, as in `reader.find_start`.
    """
    if asked is None or not asked.seen:
        return reader.find_start(log, None if asked is None else asked.offset)
    start = reader.find_start(log, asked.offset)
    if start.is_gap:
        return start
    line = first_record(log, asked.offset)
    if not line:
        return reader.find_start(log, log.size() + 1)
    if asked.seen < len(events_from(log, asked.offset, line, dialect)):
        return Start(asked.offset, is_gap=False, seen=asked.seen)
    is_end = reader.is_done_record(line)  # a viewer that has seen it is at the end
    return Start(asked.offset + (0 if is_end else len(line)), is_gap=True)


def find_last(
    log: OpenLog, count: int, dialect: Translate | None, end: int | None = None
) -> EventId:
    """Where the last `count` events before the boundary `end` begin (None: the log's end)."""
    end = reader.find_end(log, log.size()) if end is None else end
    if dialect is None or count == 0:
        return EventId(seek.find_last(log, count, end))
    while end > 0:
        start = seek.find_last(log, min(count, _STEP_RECORDS), end, max_bytes=reader.STEP_BYTES)
        events = events_from(log, start, reader.read_between(log, start, end), dialect)
        if len(events) > count:
            return events[-count - 1].id
        count -= len(events)
        end = start
        if count == 0:
            break
    return EventId(end)


def events_from(
    log: OpenLog,
    start: int,
    records: bytes,
    dialect: Translate | None,
    seen: int = 0,
    *,
    as_printed: bool = False,
) -> list[Event]:
    """The events of some whole records of a log that begin at a boundary."""
    goes_on = reader.line_state(log, start) if _depends_on_the_past(records) else ENDED
    return list(
        parse_events(
            records,
            start,
            is_continuation=goes_on,
            dialect=dialect,
            seen=seen,
            as_printed=as_printed,
        )
    )


def first_record(log: OpenLog, offset: int) -> bytes:
    """The whole record that begins at a boundary, with its LF; empty where there is none."""
    head, newline, _rest = reader.read_records(log, offset, _HEAD_BYTES).partition(b"\n")
    return head + newline


_PREFIX_BYTES = 40


def _depends_on_the_past(records: bytes) -> bool:
    """Whether an event of these may differ if they begin in the middle of a line.

    That takes looking back, past all that is not stdout. Only the first stdout record can:
    the end of a line, or a part of one that is longer than a record.
    """
    start = 0
    while start < len(records):
        head = records[start : start + _PREFIX_BYTES + 1]
        if head[30:38] == b" stdout ":
            end = records.find(b"\n", start)
            return head[38:40] == b"F " or end - start > MIN_PART_BYTES
        start = records.find(b"\n", start) + 1
    return False
