"""What a reader of a log wants to find again: tool calls, errors, approvals, turns."""

import json
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from webapp.log import reader
from webapp.log.dialects.plain import PLAIN, read_event
from webapp.log.dialects.translate import LogDialect, read_dialect
from webapp.log.event_id import EventId
from webapp.log.events import Event, parse_events
from webapp.log.line_state import state_after
from webapp.log.long_line import LONG_LINE
from webapp.log.opened import OpenLog

Kind = Literal["tool_call", "error", "approval", "turn"]
KINDS: tuple[Kind, ...] = ("tool_call", "error", "approval", "turn")
SEARCH_BYTES = 32 << 20
"""So much of a log is looked through at a time."""
_STEP_BYTES = 1 << 20

_EVENTS: dict[Kind, str] = {"approval": "approval", "turn": "turn_started"}
"""The kinds that the runner's own records are, by the names of their events."""
_BAD_NOTICES = frozenset({"error", "truncated", "gap"})
_SYSTEM, _STDOUT, _STDERR = b" system ", b" stdout ", b" stderr "


class Found(NamedTuple):
    """An event that was looked for, or how far the search came."""

    event: Event | None
    searched_to: int | None
    """Where to go on; None where the log has been looked through."""


def is_marked(event: Event, kind: Kind) -> bool:
    """Whether an event is of a kind; a line on stderr is of none."""
    if kind in _EVENTS:
        return event.stream == "system" and event.name == _EVENTS[kind]
    if event.stream == "stdout":
        if kind == "tool_call" or event.name == "error":
            return event.name == kind
        found = read_event(event.name, json.loads(event.data))
        return found is not None and found.get("ok") is False
    if kind == "tool_call":
        return False
    if event.name == "turn_ended":
        return bool(json.loads(event.data).get("outcome") == "failed")
    if event.name == "notice":
        return json.loads(event.data).get("type") in _BAD_NOTICES
    return event.name == "done" and json.loads(event.data).get("status") not in (
        "succeeded",
        "cancelled",
    )


def signs_of(dialect: LogDialect, kind: Kind) -> tuple[bytes, ...]:
    """Texts of which one is in each stdout line of a kind, in its dialect's form or ours."""
    return () if kind in _EVENTS else dialect.dialect.signs[kind] + PLAIN.signs[kind]


class Marker:
    """Finds tool calls and errors in records of one log that follow each other."""

    def __init__(self, dialect: LogDialect, *, goes_on: int) -> None:
        """`goes_on`: what the first of them on stdout goes on with (`log/line_state.py`)."""
        self._translate = dialect.translate
        self._signs = {kind: signs_of(dialect, kind) for kind in KINDS}
        self._goes_on = goes_on

    def marked(self, line: bytes, start: int, kinds: tuple[Kind, ...]) -> list[Event]:
        """The events of these kinds in the next record, which begins at `start`.

        `line` is without its LF.
        """
        is_continuation = self._goes_on
        if line[30:38] == _STDOUT:
            is_partial = line[38:40] == b"P "
            self._goes_on = state_after(
                is_continuation, line[40:110], len(line) - 40, is_partial=is_partial
            )
        if not any(self.has_sign(line, kind) for kind in kinds):
            return []
        events = parse_events(
            line + b"\n", start, is_continuation=is_continuation, dialect=self._translate
        )
        return [event for event in events if any(is_marked(event, kind) for kind in kinds)]

    def has_sign(self, line: bytes, kind: Kind) -> bool:
        """Whether a record may be of a kind: a quick look, before it is parsed."""
        if line[30:38] == _STDOUT:
            return any(sign in line for sign in self._signs[kind])
        if line[30:38] != _SYSTEM:
            return False
        if kind in _EVENTS:
            return _EVENTS[kind].encode() in line
        return kind == "error" or line.startswith(LONG_LINE, 40)


# --- the next one ---------------------------------------------------------------------


def find_after(
    log: OpenLog, after: EventId, kind: Kind, pause: Callable[[], None] = lambda: None
) -> Found:
    """The first event of a kind after an event, in at most SEARCH_BYTES.

    A run of lines on stderr counts as one error, at its first line. `pause` lets others of
    this process have their turn.
    """
    dialect, position = read_dialect(log), after.offset
    while position - after.offset < SEARCH_BYTES:
        records = reader.read_records(log, position, _STEP_BYTES)
        if not records:
            return Found(None, None)
        for event in _marked(log, records, position, kind, dialect):
            if event.id > after:
                return Found(event, None)
        position += len(records)
        pause()
    return Found(None, position)


def find_before(
    log: OpenLog, before: EventId, kind: Kind, pause: Callable[[], None] = lambda: None
) -> Found:
    """The last event of a kind before an event, in at most SEARCH_BYTES."""
    dialect, position = read_dialect(log), before.offset
    if before.seen:
        position = reader.next_boundary(log, position, log.size())
    minimum = max(0, reader.last_line_start(log, position) - SEARCH_BYTES)
    end = position
    while position > minimum:
        start = max(0, position - _STEP_BYTES)
        if start > 0:
            start = reader.find_end(log, start)
        records = log.read(position - start, start)
        marked = _marked(log, records, start, kind, dialect)
        found = [event for event in marked if event.id < before]
        if found:
            return Found(found[-1], None)
        position = start
        pause()
    if position == 0:
        return Found(None, None)
    # A search from there leaves out the event that ends there: one that was seen.
    return Found(None, reader.next_boundary(log, position, end))


def _marked(
    log: OpenLog, records: bytes, offset: int, kind: Kind, dialect: LogDialect
) -> Iterator[Event]:
    """The events of a kind among some records of a log, which begin at a boundary."""
    own = _EVENTS[kind].encode() if kind in _EVENTS else LONG_LINE
    others = (_SYSTEM, _STDERR) if kind == "error" else (own,)
    if not any(sign in records for sign in (*signs_of(dialect, kind), *others)):
        return
    marker = Marker(dialect, goes_on=reader.line_state(log, offset))
    in_stderr = kind == "error" and _is_stderr_before(log, offset)
    for line in records.split(b"\n")[:-1]:
        start, offset = offset, offset + len(line) + 1
        begins_run, in_stderr = not in_stderr, kind == "error" and line[30:38] == _STDERR
        if in_stderr and begins_run:
            yield from parse_events(line + b"\n", start, is_continuation=False)
        else:
            yield from marker.marked(line, start, (kind,))


def _is_stderr_before(log: OpenLog, offset: int) -> bool:
    if offset == 0:
        return False
    return log.read(38, reader.last_line_start(log, offset))[30:38] == _STDERR
