"""Records → the text in them that people search for. Pure.

Of a message that is its text, and pieces of one are put together; of any other JSON line its
strings, not its keys; of any other line all of it. Escape sequences of terminals, and what only
machines read, are left out.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from webapp.log.dialects.plain import read_event
from webapp.log.dialects.translate import Translate
from webapp.log.joining import Form, Joiner, form_of
from webapp.log.json_line import MAX_NESTING, may_be_extreme
from webapp.log.line_state import ENDED, JSON, state_after
from webapp.log.long_line import LONG_LINE, stand_in
from webapp.log.record import Record, parse_record, parse_time

CHUNK_LETTERS = 8192
"""Text that is indexed together: words are found together when they are in one chunk."""
CHUNK_RECORDS = 256
MAX_LETTERS = 1 << 20
"""Of one record; the rest of its text is not indexed."""

_NOT_FOR_PEOPLE = frozenset({"uuid", "parentUuid", "signature"})
_SEARCHED_FIELDS: dict[bytes, tuple[str, ...]] = {
    b"user_message": ("content",),
    b"approval": ("title", "input", "questions"),
    b"approval_resolved": ("outcome", "by", "message"),
    b"turn_ended": ("error",),
    b"conversation_lost": ("error",),
}
"""The runner's own records that hold what people look for, and where in them."""
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
_BLOB = re.compile(r"[A-Za-z0-9+/=_-]{200,}")
"""An image, a key, a hash of hashes: not searched for."""

_decode = msgspec.json.Decoder().decode


class Passage(NamedTuple):
    """The text of one record, or of the pieces of one text."""

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


def passages(records: bytes, offset: int, translate: Translate | None = None) -> Iterator[Passage]:
    """The passages of a run of whole records that begins at `offset`.

    A text in several records is one passage where these follow each other. `translate`: how
    the lines of the log are read.
    """
    joiner, unfinished, goes_on = Joiner(), None, ENDED
    for line in records.split(b"\n")[:-1]:
        start, offset = offset, offset + len(line) + 1
        record = parse_record(line)
        if record is not None and record.content.startswith(LONG_LINE):
            record = _long_line(record)
        if record is None:
            continue
        if record.stream == b"system":
            said = _said_in_conversation(record.content)
            if not said:
                continue
        elif record.stream == b"stdout":
            before, content = goes_on, record.content
            goes_on = state_after(before, content, len(content), is_partial=record.partial)
            if JSON in (before, goes_on):
                continue
            said = _said(record, translate, goes_on=bool(before))
            if translate is not None or joiner.is_open:
                said = [one for one in said if not one.is_about_itself]
            if not said:
                continue
        else:
            said = [_Said(None, _text(record.content))]
        form = said[0].form if len(said) == 1 else None
        if unfinished is not None and (form is None or not joiner.goes_on(form)):
            yield unfinished.passage()
            unfinished = None
        if unfinished is None:
            joiner.end_run()
            unfinished = _Unfinished(start, record)
        texts = [one.text if one.form is None else joiner.add(one.form, one.text) for one in said]
        unfinished.add(texts, offset)
        if not joiner.is_open or form is None:
            yield unfinished.passage()
            unfinished = None
    if unfinished is not None:
        yield unfinished.passage()


def _long_line(record: Record) -> Record:
    """A `long_line` record as the line that it stands for."""
    line = stand_in(record.content) if record.stream == b"system" else None
    return record if line is None else Record(record.time, b"stdout", False, line)


class _Unfinished:
    """A passage that may go on in the next record."""

    def __init__(self, start: int, record: Record) -> None:
        self._start = self._stop = start
        self._record = record
        self._texts: list[str] = []
        self._letters = 0

    def add(self, texts: list[str], stop: int) -> None:
        """The texts of the next record, which ends at `stop`."""
        text = "\n".join(texts) if len(texts) > 1 else texts[0]
        self._stop = stop
        if self._letters < MAX_LETTERS:
            self._texts.append(text)
            self._letters += len(text)

    def passage(self) -> Passage:
        """All of it."""
        text = _clean("".join(self._texts).removesuffix("\n"))
        return Passage(
            self._start, self._stop, self._record.time, self._record.stream.decode(), text
        )


def chunks(
    records: bytes, offset: int, translate: Translate | None = None, *, is_end: bool
) -> Iterator[Chunk]:
    """The chunks of a run of whole records, read as `passages` does.

    The rest at its end that does not fill a chunk is one only if `is_end`. Otherwise it comes
    with the next run, which begins where the last chunk stops.
    """
    found: list[Passage] = []
    letters, end = 0, offset + len(records)
    for passage in passages(records, offset, translate):
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
    return content[: MAX_LETTERS * 4].decode("utf-8", "replace")


class _Said(NamedTuple):
    """A text of a record."""

    form: Form | None
    """How it is put to the texts before it; None for what is no text of the agent's."""
    text: str
    is_about_itself: bool = False


def _said(record: Record, translate: Translate | None, *, goes_on: bool) -> list[_Said]:
    """The texts of a record of stdout. `goes_on`: its line began before."""
    content = record.content
    if record.partial or goes_on or not content.startswith(b"{"):
        return [_Said("partial" if record.partial else "line", _text(content))]
    try:
        events = [] if translate is None or may_be_extreme(content) else translate(content)
        if events:
            return [_read(name.decode(), _decode(data)) for name, data in events]
        return [_read_line(_decode(content))]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [_Said("line", _text(content))]


def _said_in_conversation(content: bytes) -> list[_Said]:
    """What a person said to an agent that talks, and what it asked for: of the runner's records."""
    head = content[:40]
    if not any(name in head for name in _SEARCHED_FIELDS):
        return []
    try:
        facts = _decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    names = (
        _SEARCHED_FIELDS.get(str(facts.get("type")).encode(), ()) if isinstance(facts, dict) else ()
    )
    found: list[str] = []
    _collect([facts.get(name) for name in names], found, MAX_NESTING)
    return [_Said(None, "\n".join(found))] if found else []


def _read_line(data: Any) -> _Said:
    """A JSON line that is its own event, named by its type."""
    kind = data.get("type") if isinstance(data, dict) else None
    return _read(kind if isinstance(kind, str) else "", data)


def _read(name: str, data: Any) -> _Said:
    said = read_event(name, data)
    form = None if said is None else form_of(said)
    if said is not None and form is not None:
        return _Said(form, str(said["content"]))
    found: list[str] = []
    _collect(data, found, MAX_NESTING)
    return _Said(None, "\n".join(found), is_about_itself=name == "system")


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
    text = text[:MAX_LETTERS]
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    if len(text) >= 200:
        text = _BLOB.sub(" ", text)
    return text.replace("\0", " ")
