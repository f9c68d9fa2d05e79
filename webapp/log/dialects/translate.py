"""A dialect on the bytes of lines: names and data of the events that viewers get.

Each line is decoded once, without the fields that its dialect does not read.
"""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypedDict

import msgspec

from webapp.log import reader
from webapp.log.dialects import DIALECTS, dialect_named
from webapp.log.dialects.normalized import Dialect, Normalized
from webapp.log.dialects.plain import PIECES, PLAIN
from webapp.log.json_line import NAME_BYTES, event_name, refuse_constant
from webapp.log.opened import OpenLog
from webapp.log.record import parse_record

Translate = Callable[[bytes], list[tuple[bytes, bytes]]]
"""The events of a line: name, and data on one line; none where the line cannot be read so.

The line is UTF-8 JSON without a CR, and nests no deeper than an event may. Nothing is
remembered from line to line, so that a viewer may begin at any."""

_COMPLETE: dict[object, bytes] = {
    name: name.encode()
    for name in (
        *("message", "message_delta", "reasoning", "tool_call", "tool_result", "usage", "error"),
    )
}
"""Events that hold nothing but what a dialect has read."""
_HEAD_BYTES = 4096


class LogDialect(NamedTuple):
    """How the lines of one log are read."""

    dialect: Dialect
    translate: Translate | None
    """None: each line is its own event."""


class _Head(msgspec.Struct):
    """What is read of a log's first record."""

    type: str
    dialect: str | None = None
    messages: str | None = None


def read_dialect(log: OpenLog) -> LogDialect:
    """How the lines of a log are read that has its first record."""
    line = reader.read_records(log, 0, _HEAD_BYTES).partition(b"\n")[0]
    record = parse_record(line)
    if record is None or record.stream != b"system":
        return AS_PRINTED
    try:
        head = msgspec.json.decode(record.content, type=_Head)
    except msgspec.DecodeError:
        return AS_PRINTED
    if head.type != "session":
        return AS_PRINTED
    return LOG_DIALECTS[dialect_named(head.dialect, head.messages).name]


def translation(dialect: Dialect) -> Translate:
    """How lines in this dialect become events."""
    shape = {"type": str, "subtype": object} | dict(dialect.shape)
    decode = msgspec.json.Decoder(_type_of(shape)).decode
    encode = msgspec.json.Encoder().encode
    normalize, name_of = dialect.normalize, _COMPLETE.get

    def translate(content: bytes) -> list[tuple[bytes, bytes]]:
        try:
            line = decode(content)
        except msgspec.DecodeError:
            return _translate_whole(content, normalize)
        found = normalize(line)
        if not found:
            kind = line.get("type")
            return [] if kind is None else [(NAME_BYTES[kind], content)]
        if len(found) == 1:
            event = found[0]
            name = name_of(event["type"])
            if name is not None:
                return [(name, encode(event))]
        events = []
        for event in found:
            name = name_of(event["type"])
            if name is None:
                return _as_system(content, line, found) or _translate_whole(content, normalize)
            events.append((name, encode(event)))
        return events

    return translate


def _type_of(shape: object) -> Any:
    """The type that a decoder needs: any part of it may be missing or null."""
    if isinstance(shape, Mapping):
        fields = {name: _type_of(inner) for name, inner in shape.items()}
        return TypedDict("Part", fields, total=False) | None  # type: ignore[operator]
    if isinstance(shape, list):
        return list[_type_of(shape[0])] | None  # type: ignore[misc]
    return Any if shape is object else shape | None  # type: ignore[operator]


def _as_system(
    content: bytes, line: dict[str, Any], found: list[Normalized]
) -> list[tuple[bytes, bytes]]:
    """A whole line as `system` by a change of its head; none where that is not enough."""
    event = found[0]
    if len(found) > 1 or event["type"] != "system" or line.get("subtype") is not None:
        return []
    if "content" in event:
        return []  # it is not the line as it is, but what the dialect made of it
    if line.get("type") is None:
        return [(b"system", _untyped_head(str(event["subtype"])) + content[1:])]
    head, system_head = _heads(line["type"], str(event["subtype"]))
    if not content.startswith(head):
        return []
    return [(b"system", system_head + content[len(head) :])]


@lru_cache(maxsize=256)
def _heads(kind: str, subtype: str) -> tuple[bytes, bytes]:
    """How a line of a type begins, and how it begins as `system`."""
    return f'{{"type":"{kind}"'.encode(), f'{{"type":"system","subtype":"{subtype}"'.encode()


@lru_cache(maxsize=256)
def _untyped_head(subtype: str) -> bytes:
    """How a line without a type begins as `system`; it has fields of its own."""
    return _encode({"type": "system", "subtype": subtype})[:-1] + b","


def _translate_piece(content: bytes) -> list[tuple[bytes, bytes]]:
    """The translation of PIECES, whose messages keep all their fields."""
    try:
        line = _decode_piece(content)
    except msgspec.DecodeError:
        return _translate_whole(content, PIECES.normalize)
    if line.type == "message" and line.partial is msgspec.UNSET:
        return [(b"message", b'{"partial":true,' + content[1:])]
    return [(NAME_BYTES[line.type], content)]


class _Piece(msgspec.Struct):
    """What is read of a line of a program whose messages are pieces."""

    type: str
    partial: object = msgspec.UNSET


_decode_piece = msgspec.json.Decoder(_Piece).decode


# --- lines that take longer -------------------------------------------------------------


def _translate_whole(
    content: bytes, normalize: Callable[[dict[str, Any]], list[Normalized]]
) -> list[tuple[bytes, bytes]]:
    """With all fields, of whatever types, and with what only Python's decoder takes.

    What cannot be read, or not be written again as JSON, is no line of the dialect's.
    """
    line = _decode(content)
    if not isinstance(line, dict):
        return []
    try:
        return [
            (event_name(str(event["type"])).encode(), _encode(event)) for event in normalize(line)
        ]
    except ValueError:
        return []


def _decode(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError:
        pass
    try:  # it takes halves of surrogate pairs and huge numbers
        return json.loads(content, parse_constant=refuse_constant)
    except ValueError:
        return None


def _encode(event: Normalized) -> bytes:
    """ValueError for what JSON has no number for."""
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair stays what it was: an escape
        return json.dumps(event, separators=(",", ":"), allow_nan=False).encode()


AS_PRINTED = LogDialect(PLAIN, None)
LOG_DIALECTS = {
    PLAIN.name: AS_PRINTED,
    PIECES.name: LogDialect(PIECES, _translate_piece),
    **{name: LogDialect(dialect, translation(dialect)) for name, dialect in DIALECTS.items()},
}
