"""The encoder of Server-Sent Events: pure, and the only place that knows their syntax.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

import re
from typing import NamedTuple

from webapp.log.events import (
    SHALLOW_BYTES,
    Event,
    is_done,
    name_of_json,
    name_of_short_json,
    parse_event,
    text_data,
    to_json,
)
from webapp.log.record import TIME_BYTES, are_times


class Encoded(NamedTuple):
    """A run of records as frames, and what stands at their end."""

    frames: bytes
    goes_on: bool
    """Whether the last stdout record so far was a `P`."""
    is_done: bool


def encode_records(
    records: bytes, offset: int, *, goes_on: bool, as_envelope: bool = False, id_prefix: str = ""
) -> Encoded:
    """The events of a run of whole records that begins at `offset`, as frames.

    The same as `encode_event` (or `encode_envelope`) of each `parse_event`; what nearly all
    lines of nearly all logs are takes a shorter way, because a replay is bound by it.
    """
    encode = encode_envelope if as_envelope else encode_event
    id_line = f"id: {_one_line(id_prefix)}".encode().replace(b"%", b"%%") + b"%d"
    typed, text, error = (id_line + rest for rest in (_TYPED, _TEXT, _ERROR))
    lines = records.split(b"\n")
    lines.pop()
    is_plain = not as_envelope and are_times([line[:TIME_BYTES] for line in lines])
    is_as_it_stands = is_plain and b"\r" not in records and records.isascii()

    frames: list[bytes] = []
    append = frames.append
    finished = False
    for line in lines:
        offset += len(line) + 1
        kind = line[30:40] if is_plain else b""
        if kind == b" stdout F ":
            content = line[40:]
            if goes_on or content[:1] != b"{":
                append(text % (offset, text_data("content", content).encode()))
                goes_on = False
                continue
            if is_as_it_stands and len(content) <= SHALLOW_BYTES:
                name = name_of_short_json(content)
            else:
                name = name_of_json(content)
            if name is not None:
                append(typed % (offset, name, content))
                continue
        elif kind == b" stderr F ":
            append(error % (offset, text_data("message", line[40:]).encode()))
            continue
        event, goes_on = parse_event(line, offset, is_continuation=goes_on)
        append(encode(event, id_prefix))
        finished = is_done(event)
    return Encoded(b"".join(frames), goes_on, finished)


_TYPED = b"\nevent: %b\ndata: %b\n\n"
_TEXT = b"\nevent: message\ndata: %b\n\n"
_ERROR = b"\nevent: stderr\ndata: %b\n\n"


def encode_event(event: Event, id_prefix: str = "") -> bytes:
    """An event of the log as a frame; its id is `<id_prefix><offset>`."""
    name, data = _one_line(event.name), _data_lines(event.data)
    frame = f"id: {_one_line(id_prefix)}{event.offset}\nevent: {name}\ndata: {data}\n\n"
    return frame.encode("utf-8", "replace")


def encode_envelope(event: Event, id_prefix: str = "") -> bytes:
    """As `encode_event`, with the event's time and stream around its data."""
    return encode_event(event._replace(data=envelope(event)), id_prefix)


def envelope(event: Event) -> str:
    """All that there is to an event but its id, as a JSON object."""
    return (
        f'{{"time":{to_json(event.time)},"stream":{to_json(event.stream)},'
        f'"event":{to_json(event.name)},"data":{event.data}}}'
    )


def encode_own(name: str, content: dict[str, object], *, as_envelope: bool = False) -> bytes:
    """What the server itself has to say: no id, since it does not stand in the log."""
    data = to_json(content)
    if as_envelope:
        data = f'{{"time":"","stream":"","event":{to_json(name)},"data":{data}}}'
    return f"event: {_one_line(name)}\ndata: {_data_lines(data)}\n\n".encode()


_LINE_ENDS = re.compile("\r\n|\r|\n")


def _one_line(text: str) -> str:
    """Nothing in a name or an id can begin another field."""
    return _LINE_ENDS.sub(" ", text) if "\n" in text or "\r" in text else text


def _data_lines(data: str) -> str:
    """Data of several lines takes as many fields, which the client joins again."""
    return _LINE_ENDS.sub("\ndata: ", data) if "\n" in data or "\r" in data else data


def encode_prelude(retry_ms: int, last_id: str | None = None) -> bytes:
    """The beginning of a response. `last_id` sets the client's last event id at once.

    A block without data sets the id and dispatches nothing.
    """
    identity = f"id: {last_id}\n" if last_id is not None else ""
    return f"retry: {retry_ms}\n{identity}\n".encode()
