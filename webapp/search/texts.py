"""Records → the text in them that people search for. Pure.

Of a JSON line that is its strings, not its keys; of any other line all of it. Escape
sequences of terminals, and what only machines read, are left out.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from webapp.log.json_line import MAX_NESTING
from webapp.log.record import parse_record, parse_time

CHUNK_LETTERS = 8192
"""So much text is indexed together: words are found together when they stand in one chunk."""
CHUNK_RECORDS = 256
MOST_LETTERS = 1 << 20
"""Of a single record's text no more is indexed."""

_NOT_FOR_PEOPLE = frozenset({"uuid", "parentUuid", "signature"})
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
_BLOB = re.compile(r"[A-Za-z0-9+/=_-]{200,}")
"""An image, a key, a hash of hashes: nobody types it."""

_decode = msgspec.json.Decoder().decode


class Passage(NamedTuple):
    """The text of one record, or of the `P` records of one line."""

    start: int
    """Where in the log it begins: an offset that a stream can begin at."""
    stop: int
    time: str
    stream: str
    text: str


class Chunk(NamedTuple):
    """Consecutive passages that are indexed together."""

    start: int
    stop: int
    time_ms: int
    """When its last record was written, Unix time."""
    text: str


def passages(records: bytes, offset: int) -> Iterator[Passage]:
    """The passages of a run of whole records that begins at `offset`.

    A line in several records is one passage where these follow each other.
    """
    begun: Passage | None = None
    for line in records.split(b"\n")[:-1]:
        start, offset = offset, offset + len(line) + 1
        record = parse_record(line)
        if record is None or record.stream == b"system":
            continue
        if begun is not None and record.stream == b"stdout":
            text = (begun.text + _text(record.content))[:MOST_LETTERS]
            begun = begun._replace(stop=offset, text=text)
        else:
            if begun is not None:
                yield begun._replace(text=_clean(begun.text))
            is_whole_line = record.stream == b"stdout" and not record.partial
            text = (_line_text if is_whole_line else _text)(record.content)
            begun = Passage(start, offset, record.time, record.stream.decode(), text)
        if not (record.partial and record.stream == b"stdout"):
            yield begun._replace(text=_clean(begun.text))
            begun = None
    if begun is not None:
        yield begun._replace(text=_clean(begun.text))


def chunks(records: bytes, offset: int, *, is_end: bool) -> Iterator[Chunk]:
    """The chunks of a run of whole records.

    What is left at its end and would not fill a chunk is one only if `is_end`; else it
    comes with the next run, which begins where the last chunk stops.
    """
    found: list[Passage] = []
    letters, end = 0, offset + len(records)
    for passage in passages(records, offset):
        found.append(passage)
        letters += len(passage.text)
        if letters >= CHUNK_LETTERS or len(found) >= CHUNK_RECORDS:
            yield _chunk(offset, passage.stop, found)
            offset, letters, found = passage.stop, 0, []
    if is_end and found:
        yield _chunk(offset, end, found)


def _chunk(start: int, stop: int, found: list[Passage]) -> Chunk:
    text = "\n".join(passage.text for passage in found)
    return Chunk(start, stop, _milliseconds(found[-1].time), text)


def _milliseconds(time: str) -> int:
    try:
        return parse_time(time) // 1_000_000
    except ValueError:  # the thirtieth of February, from a disk that lost bits
        return 0


def _text(content: bytes) -> str:
    return content[: MOST_LETTERS * 4].decode("utf-8", "replace")


def _line_text(content: bytes) -> str:
    if content.startswith(b"{"):
        found: list[str] = []
        try:
            _collect(_decode(content), found, MAX_NESTING)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _text(content)
        return "\n".join(found)
    return _text(content)


def _collect(value: Any, found: list[str], depth: int) -> None:
    if isinstance(value, str):
        found.append(value)
    elif depth and isinstance(value, dict):
        for key, member in value.items():
            if isinstance(member, str):
                if key not in _NOT_FOR_PEOPLE:
                    found.append(member)
            elif isinstance(member, dict | list):
                _collect(member, found, depth - 1)
    elif depth and isinstance(value, list):
        for member in value:
            _collect(member, found, depth - 1)


def _clean(text: str) -> str:
    text = text[:MOST_LETTERS]
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    if len(text) >= 200:
        text = _BLOB.sub(" ", text)
    return text.replace("\0", " ")
