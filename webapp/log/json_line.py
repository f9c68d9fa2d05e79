"""An agent's line that is a JSON object with a string `type`: what its event is called."""

import json
import re
from operator import attrgetter

import msgspec

from webapp.log.system_records import CONVERSATION

RESERVED_NAMES = CONVERSATION | {"session", "done", "stderr", "input", "notice", "ping"}
"""Events that only the server makes: an agent cannot forge its own end, nor an approval."""

MAX_NESTING = 128
"""A line that nests deeper is text: an agent must not take a parser to its limits, and the
limit must be the same for all readers."""

MAX_DIGITS = 4000
"""A line with a longer whole number is text, too: Python reads at most 4,300 digits."""
_TO_RUNS = bytes(ord("9") if chr(byte) in "0123456789" else ord(".") for byte in range(256))
_LONG_RUN = b"9" * (MAX_DIGITS + 1)

SHALLOW_BYTES = 2 * MAX_NESTING
"""A shorter JSON text cannot nest deeper than it may: each level takes two brackets."""

_EVENT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,63}")


class _Typed(msgspec.Struct):
    """What is read of an agent's JSON line; the whole line must still be valid JSON."""

    type: str


_decoder = msgspec.json.Decoder(_Typed)
_type_of = attrgetter("type")
_decode_typed = _decoder.decode
_decode_typed_lines = _decoder.decode_lines


def name_of_json(content: bytes) -> bytes | None:
    """The event's name for a JSON line that is its own data; None where that is not so.

    For what passes a million lines a second on: `from_json_line` gives the same name, with
    the same bytes as data, or (where this says None) whatever is right.
    """
    if b"\r" in content or may_be_extreme(content):
        return None
    try:
        content.decode()
    except UnicodeDecodeError:
        return None
    return name_of_short_json(content)


def name_of_short_json(content: bytes) -> bytes | None:
    """As `name_of_json`, for at most `SHALLOW_BYTES` of ASCII without a CR."""
    try:
        return NAME_BYTES[_decode_typed(content).type]
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
    if any(map(may_be_extreme, long)):
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
    return list(map(NAME_BYTES.__getitem__, map(_type_of, typed)))


def may_be_extreme(content: bytes) -> bool:
    """Whether a JSON text could nest too deep, or hold too long a number: a quick look."""
    if len(content) <= SHALLOW_BYTES:
        return False
    if content.count(b"[") + content.count(b"{") > MAX_NESTING:
        return True
    if len(content) <= MAX_DIGITS or not _FOUR_DIGITS.search(content[:: MAX_DIGITS // 4]):
        return False  # a long number has four of these
    return _LONG_RUN in content.translate(_TO_RUNS)


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
NAME_BYTES = _NameBytes()


def from_json_line(content: bytes) -> tuple[str, str] | None:
    """Event name and data of a line that is a JSON object with a string `type`, else None.

    The data is the agent's own JSON. A CR in it can only be white space between tokens.
    """
    text = to_text(content)
    if may_be_extreme(content) and is_extreme(text):
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
_FOUR_DIGITS = re.compile(rb"[0-9]{4}")
_LONG_NUMBER = re.compile(rf"(?<![0-9.])[0-9]{{{MAX_DIGITS + 1}}}")


def is_extreme(text: str) -> bool:
    """Whether a JSON text is, wherever its strings may have brackets and digits."""
    bare = _STRINGS.sub("", text)
    if _LONG_NUMBER.search(bare):
        return True
    deepest = depth = 0
    for bracket in _NOT_BRACKETS.sub("", bare):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest > MAX_NESTING


def to_text(content: bytes) -> str:
    """The agent's bytes as text; what is not valid UTF-8 becomes U+FFFD."""
    return content.decode("utf-8", "replace")
