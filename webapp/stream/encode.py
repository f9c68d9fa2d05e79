"""Runs of log records as frames: what a replay of a million events is bound by.

The same bytes as `sse.encode_event` (or `sse.encode_envelope`) of each `parse_event`. What nearly
all lines of nearly all logs are takes a shorter way, and a run of nothing but whole lines in
ASCII the shortest.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate, chain, groupby
from operator import add
from typing import NamedTuple

from webapp.log.dialects.translate import Translate
from webapp.log.events import is_done, parse_event, parse_events, text_data
from webapp.log.json_line import (
    SHALLOW_BYTES,
    may_be_extreme,
    name_of_json,
    name_of_short_json,
    names_of_json,
)
from webapp.log.line_state import ENDED, JSON
from webapp.log.media import may_hold_media
from webapp.log.reader import goes_on_after
from webapp.log.record import TIME_BYTES, are_times
from webapp.stream import sse

_OUT_HEAD, _ERROR_HEAD = b" stdout F ", b" stderr F "
_JSON_HEAD = _OUT_HEAD + b"{"
_CONTENT_AT = TIME_BYTES + len(_OUT_HEAD)
_MANY_LINES = 16
"""From this many on it is faster to look at all at once."""
_TYPED = b"\nevent: %b\ndata: %b\n\n"
_TEXT = b"\nevent: message\ndata: %b\n\n"
_ERROR = b"\nevent: stderr\ndata: %b\n\n"


class Encoded(NamedTuple):
    """A run of records as frames, and the state at their end."""

    frames: bytes
    goes_on: int
    """What the next stdout record goes on with: see `log/line_state.py`."""
    is_done: bool
    events: int
    """How many they are."""


def encode_records(
    records: bytes,
    offset: int,
    *,
    goes_on: int,
    as_envelope: bool = False,
    as_printed: bool = False,
    id_prefix: str = "",
) -> Encoded:
    """The events of a run of whole records that begins at `offset`, as frames.

    `as_printed`: as in `parse_events`.
    """
    encode = sse.encode_envelope if as_envelope else sse.encode_event
    typed, text, error = _templates(id_prefix)
    lines = records.split(b"\n")
    lines.pop()
    has_media = not as_printed and may_hold_media(records)
    is_plain = not (as_envelope or has_media) and are_times([line[:TIME_BYTES] for line in lines])
    is_verbatim = is_plain and b"\r" not in records and records.isascii()
    if is_verbatim and not goes_on and len(lines) >= _MANY_LINES:
        full = _encode_full_lines(lines, offset, typed)
        if full is not None:
            return Encoded(full, goes_on=ENDED, is_done=False, events=len(lines))

    frames: list[bytes] = []
    append = frames.append
    finished = False
    for line in lines:
        offset += len(line) + 1
        kind = line[TIME_BYTES:_CONTENT_AT] if is_plain and goes_on != JSON else b""
        if kind == _OUT_HEAD:
            content = line[_CONTENT_AT:]
            if goes_on or content[:1] != b"{":
                append(text % (offset, text_data("content", content).encode()))
                goes_on = ENDED
                continue
            is_short = is_verbatim and len(content) <= SHALLOW_BYTES
            name = name_of_short_json(content) if is_short else name_of_json(content)
            if name is not None:
                append(typed % (offset, name, content))
                continue
        elif kind == _ERROR_HEAD:
            append(error % (offset, text_data("message", line[_CONTENT_AT:]).encode()))
            continue
        event, goes_on = parse_event(line, offset, is_continuation=goes_on, as_printed=as_printed)
        append(encode(event, id_prefix))
        finished = is_done(event)
    return Encoded(b"".join(frames), goes_on, finished, len(lines))


@lru_cache(maxsize=256)
def _templates(id_prefix: str) -> tuple[bytes, bytes, bytes]:
    """What frames of typed lines, of other lines and of stderr look like."""
    id_line = _id_template(id_prefix) + b"%d"
    return id_line + _TYPED, id_line + _TEXT, id_line + _ERROR


def _id_template(id_prefix: str) -> bytes:
    return sse.id_line(id_prefix).encode().replace(b"%", b"%%")


def encode_dialect(
    records: bytes,
    offset: int,
    dialect: Translate,
    *,
    goes_on: int,
    seen: int = 0,
    as_envelope: bool = False,
    id_prefix: str = "",
) -> Encoded:
    """As `encode_records`, of a log in a dialect: from after `seen` of the first one's events."""
    encode = sse.encode_envelope if as_envelope else sse.encode_event
    lines = records.split(b"\n")
    lines.pop()
    is_plain = not (as_envelope or seen or may_hold_media(records))
    is_plain = is_plain and _is_utf8(records) and b"\r" not in records
    is_plain = is_plain and are_times([line[:TIME_BYTES] for line in lines])

    frames: list[bytes] = []
    finished = False
    for is_json, run in groupby(lines, _is_json_line if is_plain else _is_never):
        if is_json and not goes_on:
            offset = _encode_json_lines(list(run), offset, dialect, id_prefix, frames)
            continue
        chunk = b"\n".join([*run, b""])
        for event in parse_events(
            chunk, offset, is_continuation=goes_on, dialect=dialect, seen=seen
        ):
            frames.append(encode(event, id_prefix))
            finished = is_done(event)
        offset, goes_on, seen = offset + len(chunk), goes_on_after(chunk, goes_on), 0
    return Encoded(b"".join(frames), goes_on, finished, len(frames))


def _is_json_line(line: bytes) -> bool:
    return line[TIME_BYTES : _CONTENT_AT + 1] == _JSON_HEAD


def _is_never(_line: bytes) -> bool:
    return False


def _encode_json_lines(
    lines: list[bytes], offset: int, dialect: Translate, id_prefix: str, frames: list[bytes]
) -> int:
    """Add the frames of whole lines that begin with `{`; where the last line ends.

    The lines are UTF-8 without a CR.
    """
    typed, inner = _dialect_templates(id_prefix)
    contents = [line[_CONTENT_AT:] for line in lines]
    found = [
        [] if len(content) > SHALLOW_BYTES and may_be_extreme(content) else dialect(content)
        for content in contents
    ]
    append = frames.append
    for line, events in zip(lines, found, strict=True):
        start, offset = offset, offset + len(line) + 1
        if len(events) == 1:
            name, data = events[0]
            append(typed % (offset, name, data))
        elif events:
            frames += [inner % (start, *each) for each in _numbered(events[:-1])]
            append(typed % (offset, *events[-1]))
        else:
            parsed = parse_events(line + b"\n", start, is_continuation=False, dialect=dialect)
            frames += [sse.encode_event(event, id_prefix) for event in parsed]
    return offset


def _numbered(events: list[tuple[bytes, bytes]]) -> Iterator[tuple[int, bytes, bytes]]:
    return ((number, name, data) for number, (name, data) in enumerate(events, start=1))


@lru_cache(maxsize=256)
def _dialect_templates(id_prefix: str) -> tuple[bytes, bytes]:
    """What frames look like of a record's last event, and of those before it."""
    id_line = _id_template(id_prefix)
    return id_line + b"%d" + _TYPED, id_line + b"%d.%d" + _TYPED


def _is_utf8(records: bytes) -> bool:
    if records.isascii():
        return True
    try:
        records.decode()
    except UnicodeDecodeError:
        return False
    return True


def _encode_full_lines(lines: list[bytes], offset: int, frame: bytes) -> bytes | None:
    """As `encode_records`, where all lines are whole lines of the agent's, and those that begin
    with `{` are JSON objects with a `type`; else None.

    All of them in each step, so that nearly nothing of it is Python.
    """
    heads = [line[TIME_BYTES : _CONTENT_AT + 1] for line in lines]
    contents = [line[_CONTENT_AT:] for line in lines]
    if heads.count(_JSON_HEAD) == len(lines):
        names = names_of_json(contents)
    else:
        names = _name_mixed(heads, contents)
    if names is None:
        return None
    line_ends = range(offset + 1, offset + len(lines) + 1)
    ends = map(add, accumulate(map(len, lines)), line_ends)
    fields = tuple(chain.from_iterable(zip(ends, names, contents, strict=True)))
    return (frame * len(lines)) % fields


def _name_mixed(heads: list[bytes], contents: list[bytes]) -> list[bytes] | None:
    """The events' names, where some lines are JSON and some are text, whose contents become the
    data here; None if other records are among them."""
    names = names_of_json(
        [content for head, content in zip(heads, contents, strict=True) if head == _JSON_HEAD]
    )
    if names is None:
        return None
    for at in [at for at, head in enumerate(heads) if head != _JSON_HEAD]:
        kind = heads[at][: len(_OUT_HEAD)]
        if kind == _OUT_HEAD:
            name, key = b"message", "content"
        elif kind == _ERROR_HEAD:
            name, key = b"stderr", "message"
        else:
            return None
        names.insert(at, name)
        contents[at] = text_data(key, contents[at]).encode()
    return names
