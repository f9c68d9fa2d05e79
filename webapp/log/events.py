"""Records → events: a pure function of the log's bytes.

An event's id is the offset just after its last record; where a dialect makes several events of
one record, that is the id of the last of them. Whatever id a viewer resumes from, what follows
depends on nothing but the bytes of the file.
"""

import json
import re
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from webapp.log.event_id import EventId
from webapp.log.record import parse_record

RESERVED_NAMES = frozenset({"session", "done", "stderr", "input", "notice", "ping"})
"""Events that only the server makes: an agent cannot forge its own end."""

MAX_NESTING = 128
"""A line that nests deeper is text: no parser may be brought to its limits by an agent, and
where that limit lies must not depend on who reads."""

_EVENT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,63}")
_SESSION_FIELDS = ("sessionId", "workflowId", "stageIndex", "agent", "pid", "startedAt")
_DONE_FIELDS = ("exitCode", "signal", "status")


class Event(NamedTuple):
    """One thing that a viewer is told."""

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


Dialect = Callable[[str], list[tuple[str, str]]]
"""The names and data of the events that the data of one event stands for; none: for itself.

It remembers nothing from line to line, so that a viewer may begin at any."""


class _Typed(msgspec.Struct):
    """What is read of an agent's JSON line; the whole line must still be valid JSON."""

    type: str


_decoder = msgspec.json.Decoder(_Typed)
_type_of = attrgetter("type")
_decode_typed = _decoder.decode
_decode_typed_lines = _decoder.decode_lines


def parse_events(
    chunk: bytes,
    offset: int,
    *,
    is_continuation: bool,
    dialect: Dialect | None = None,
    seen: int = 0,
) -> Iterator[Event]:
    """The events of a run of whole records that begins at `offset`.

    `is_continuation`: the last stdout record before `offset` was a `P`, so that the next
    one goes on with its line. `seen`: without so many of the first record's events. `chunk`
    ends in LF.
    """
    for line in chunk.split(b"\n")[:-1]:
        start, offset = offset, offset + len(line) + 1
        event, is_continuation = parse_event(line, offset, is_continuation=is_continuation)
        if dialect is None:
            yield event
            continue
        yield from _in_plain_words(event, start, dialect)[seen:]
        seen = 0


def _in_plain_words(event: Event, start: int, dialect: Dialect) -> list[Event]:
    """What the one event of the record that begins at `start` stands for."""
    told = dialect(event.data) if event.stream == "stdout" else []
    if not told:
        return [event]
    *firsts, (name, data) = told
    events = [
        event._replace(offset=start, name=name, data=data, seen=seen)
        for seen, (name, data) in enumerate(firsts, start=1)
    ]
    return [*events, event._replace(name=name, data=data)]


def parse_event(line: bytes, end: int, *, is_continuation: bool) -> tuple[Event, bool]:
    """The event of one record that ends at `end`, and whether its line goes on after it.

    `line` is without its LF. What is no record is told as a `notice` of type `corrupt`.
    """
    record = parse_record(line)
    if record is None:
        corrupt = to_json({"type": "corrupt", "bytes": len(line)})
        return Event(end, "", "", "notice", corrupt), is_continuation
    if record.stream == b"stdout":
        name, data = _from_stdout(record.content, record.partial, is_continuation)
        is_continuation = record.partial
    elif record.stream == b"stderr":
        name, data = "stderr", text_data("message", record.content)
    elif record.stream == b"stdin":
        name, data = "input", text_data("content", record.content)
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


SHALLOW_BYTES = 2 * MAX_NESTING
"""A shorter JSON text cannot nest deeper than it may: each level takes two brackets."""


def name_of_json(content: bytes) -> bytes | None:
    """The event's name for a JSON line that is its own data; None where that is not so.

    For what passes a million lines a second on: `from_json_line` gives the same name, with
    the same bytes as data, or (where this says None) whatever is right.
    """
    if b"\r" in content or (len(content) > SHALLOW_BYTES and _may_nest_deep(content)):
        return None
    try:
        content.decode()
    except UnicodeDecodeError:
        return None
    return name_of_short_json(content)


def name_of_short_json(content: bytes) -> bytes | None:
    """As `name_of_json`, for at most `SHALLOW_BYTES` of ASCII without a CR."""
    try:
        return _name_bytes[_decode_typed(content).type]
    except msgspec.DecodeError:
        return None


def names_of_json(contents: list[bytes]) -> list[bytes] | None:
    """`name_of_json` of each of many, at once; None where one of them has none.

    Each begins with `{`; they are ASCII without a CR. The decoder takes them as one text, and
    no value can reach from one line into the next: between `}` and `{` there would have to be
    a comma or a colon, and JSON allows no LF in a string. So as many values as lines are one
    a line.
    """
    if not contents:
        return []
    long = [] if max(map(len, contents)) <= SHALLOW_BYTES else contents
    if any(_may_nest_deep(content) for content in long if len(content) > SHALLOW_BYTES):
        return None
    text = b"\n".join(contents)
    if text[-1:] != b"}" or text.count(b"}\n") != len(contents) - 1:
        return None
    try:
        typed = _decode_typed_lines(text)
    except msgspec.DecodeError:
        return None
    if len(typed) != len(contents):
        return None
    return list(map(_name_bytes.__getitem__, map(_type_of, typed)))


def _may_nest_deep(content: bytes) -> bool:
    return content.count(b"[") + content.count(b"{") > MAX_NESTING


def event_name(kind: str) -> str:
    """An agent's `type`, if it may name an event."""
    return kind if _EVENT_NAME.fullmatch(kind) and kind not in RESERVED_NAMES else "message"


class _NameBytes(dict[str, bytes]):
    """`event_name` as bytes; remembered, since an agent uses few."""

    def __missing__(self, kind: str) -> bytes:
        name = event_name(kind).encode()
        if len(self) < _MOST_REMEMBERED and len(kind) <= _MOST_NAME_BYTES:
            self[kind] = name
        return name


_MOST_REMEMBERED = 1024
_MOST_NAME_BYTES = 64
_name_bytes = _NameBytes()


def from_json_line(content: bytes) -> tuple[str, str] | None:
    """Event name and data of a line that is a JSON object with a string `type`, else None.

    The data is the agent's own JSON. A CR in it can only be white space between tokens.
    """
    text = to_text(content)
    if text.count("[") + text.count("{") > MAX_NESTING and nesting(text) > MAX_NESTING:
        return None
    kind = _read_type(text)
    if kind is None:
        return None
    return event_name(kind), text.replace("\r", " ")


def _read_type(text: str) -> str | None:
    """The `type` of a JSON object; None if it has none, or if this is no JSON object."""
    try:
        return _decode_typed(text).type
    except msgspec.DecodeError:
        if "\\ud" not in text and "\\uD" not in text:
            return None
    # Half a surrogate pair, as a program prints it that cuts texts by UTF-16: msgspec
    # refuses it, RFC 8259 (section 8.2) and every browser take it.
    try:
        found = json.loads(text, parse_constant=refuse_constant)
    except ValueError:
        return None
    kind = found.get("type") if isinstance(found, dict) else None
    return kind if isinstance(kind, str) else None


def refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_NOT_BRACKETS = re.compile(r"[^\[\]{}]+")


def nesting(text: str) -> int:
    """How deep the brackets of a JSON text go, wherever its strings may have some."""
    deepest = depth = 0
    for bracket in _NOT_BRACKETS.sub("", _STRINGS.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _from_system(content: bytes) -> tuple[str, str]:
    try:
        facts = json.loads(content)
        kind = facts["type"]
    except (ValueError, KeyError, TypeError):
        return "notice", to_json({"type": "corrupt", "bytes": len(content)})
    if kind == "session":
        return "session", to_json(_pick(facts, _SESSION_FIELDS))
    if kind == "done":
        return "done", to_json(_pick(facts, _DONE_FIELDS))
    return "notice", to_json(facts)


def _pick(facts: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: facts.get(name) for name in names}


def to_text(content: bytes) -> str:
    """The agent's bytes as text; what is not valid UTF-8 becomes U+FFFD."""
    return content.decode("utf-8", "replace")


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def to_json(value: object) -> str:
    """Compact JSON on one line."""
    return _encode(value)


def is_done(event: Event) -> bool:
    """Whether this is the end of the log: an agent cannot make such an event."""
    return event.name == "done"
