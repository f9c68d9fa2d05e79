"""Records → events: a pure function of the log's bytes.

An event's id is the offset just after its last record; where a dialect makes several events of
one record, that is the id of the last of them. Whatever id a viewer resumes from, what follows
depends on nothing but the bytes of the file.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

from webapp.log.dialects.translate import Translate
from webapp.log.event_id import EventId
from webapp.log.json_line import from_json_line, is_extreme, to_text
from webapp.log.line_state import JSON, state_after
from webapp.log.long_line import LONG_LINE, stand_in
from webapp.log.media import may_hold_media, with_offset, without_media
from webapp.log.record import parse_record
from webapp.log.system_records import event_of


class Event(NamedTuple):
    """One event, as a viewer gets it."""

    offset: int
    """Where the log goes on after this event, or where its record begins if `seen`."""
    time: str
    """When it was recorded, RFC 3339 UTC; empty for a line that is no record."""
    stream: str
    name: str
    data: str
    """JSON, on one line: no CR and no LF."""
    seen: int = 0
    """Which of its record's events this is, from 1 on; 0 for the last one."""

    @property
    def id(self) -> EventId:
        """Where a viewer is that has had this event."""
        return EventId(self.offset, self.seen)


def parse_events(
    chunk: bytes,
    offset: int,
    *,
    is_continuation: int,
    dialect: Translate | None = None,
    seen: int = 0,
    as_printed: bool = False,
) -> Iterator[Event]:
    """The events of a run of whole records that begins at `offset`.

    `is_continuation`: what the next stdout record goes on with (`log/line_state.py`). `seen`:
    how many of the first record's events to leave out. `as_printed`: with binary content, and lines
    that are longer than a record in their parts. `chunk` ends in LF.
    """
    for line in chunk.split(b"\n")[:-1]:
        start, offset = offset, offset + len(line) + 1
        begins = not is_continuation
        event, is_continuation = parse_event(
            line, offset, is_continuation=is_continuation, as_printed=as_printed
        )
        if dialect is None:
            yield event
            continue
        content = _untyped_line(event) if begins else None
        yield from _normalized(event, start, dialect, content or event.data)[seen:]
        seen = 0


def _untyped_line(event: Event) -> str | None:
    """The line of a message that was taken for text, but may be JSON that has a method and no
    type, as JSON-RPC is."""
    if event.name != "message" or not event.data.startswith(_JSON_TEXT):
        return None
    message = json.loads(event.data)
    if message.keys() != {"content"}:
        return None
    text = str(message["content"])
    return None if is_extreme(text) else text.replace("\r", " ")


def _normalized(event: Event, start: int, dialect: Translate, content: str) -> list[Event]:
    """What the one event of the record at `start` becomes in its dialect, by the JSON `content`."""
    is_agents = event.stream == "stdout" and event.name != "notice"
    found = dialect(content.encode()) if is_agents else []
    if not found:
        return [event]
    *firsts, (name, data) = found
    events = [
        event._replace(offset=start, name=name.decode(), data=data.decode(), seen=seen)
        for seen, (name, data) in enumerate(firsts, start=1)
    ]
    return [*events, event._replace(name=name.decode(), data=data.decode())]


def parse_event(
    line: bytes, end: int, *, is_continuation: int, as_printed: bool = False
) -> tuple[Event, int]:
    """The event of one record that ends at `end`, and what goes on after it.

    `line` is without its LF. What is no record becomes a `notice` of type `corrupt`.
    """
    record = parse_record(line)
    if record is None:
        corrupt = to_json({"type": "corrupt", "bytes": len(line)})
        return Event(end, "", "", "notice", corrupt), is_continuation
    if record.stream == b"stdout":
        content, is_partial = record.content, record.partial
        state = state_after(is_continuation, content, len(content), is_partial=is_partial)
        if JSON in (is_continuation, state) and not as_printed:
            name, data = "notice", f"{_PART}{len(content)}}}"
        else:
            if not (as_printed or is_continuation) and content.startswith(b"{"):
                content = without_media(content, end) if may_hold_media(content) else content
            name, data = _from_stdout(content, is_partial, bool(is_continuation))
        is_continuation = state
    elif record.stream == b"stderr":
        name, data = "stderr", text_data("message", record.content)
        data = f'{data[:-1]},"partial":true}}' if record.partial else data
    elif record.stream == b"stdin":
        name, data = "input", text_data("content", record.content)
    elif record.content.startswith(LONG_LINE) and not as_printed:
        name, data = _from_long_line(record.content, end)
        return Event(end, record.time, "stdout", name, data), is_continuation
    else:
        name, data = _from_system(record.content)
    return Event(end, record.time, record.stream.decode(), name, data), is_continuation


def _from_stdout(content: bytes, is_partial: bool, is_continuation: bool) -> tuple[str, str]:
    if is_partial:
        return "message", to_json({"content": to_text(content), "partial": True})
    if content.startswith(b"{") and not is_continuation:
        typed = from_json_line(content)
        if typed is not None:
            return typed
    return "message", text_data("content", content)


def text_data(key: str, content: bytes) -> str:
    """The agent's bytes as the one text of a JSON object: `{"<key>":"…"}`."""
    return f'{{"{key}":{to_json(to_text(content))}}}'


def _from_long_line(content: bytes, end: int) -> tuple[str, str]:
    """The line that a `long_line` record stands for."""
    line = stand_in(content)
    if line is None:
        return "notice", to_json({"type": "corrupt", "bytes": len(content)})
    return _from_stdout(with_offset(line, end), is_partial=False, is_continuation=False)


def _from_system(content: bytes) -> tuple[str, str]:
    try:
        name, data = event_of(json.loads(content))
    except (ValueError, KeyError, TypeError, RecursionError):
        return "notice", to_json({"type": "corrupt", "bytes": len(content)})
    return name, to_json(data)


_JSON_TEXT = '{"content":"{'
_PART = '{"type":"part","bytes":'
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def to_json(value: object) -> str:
    """Compact JSON on one line."""
    return _encode(value)


def is_part(event: Event) -> bool:
    """Whether this is a part of a long line, which is an event of its own when it is whole."""
    return event.name == "notice" and event.data.startswith(_PART)


def is_done(event: Event) -> bool:
    """Whether this is the end of the log: an agent cannot make such an event."""
    return event.name == "done"
