"""JSON Lines that hold a log exactly: enough to make it again, byte by byte, elsewhere.

The first line says what this is, which session, and what was said in its workflow about it:
`{"format":"agent-stream","version":1,"session":{…},"messages":[…]}`. A line for each record
follows, `{"time","stream","tag","text"}`, with `base64` for `text` where the content is no
UTF-8, or `{"corrupt": base64}` for a line of the log that is no record. The last line,
`{"records","bytes","sha256"}`, tells whether all of it has arrived. All of it is ASCII.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from webapp.errors import BadRequest
from webapp.log.record import FULL, PARTIAL, STREAMS, is_time, parse_record
from webapp.sessions.record_checks import MESSAGE, read_object, validation_errors
from webapp.visible import shortened

FORMAT, VERSION = "agent-stream", 1
_HOW = "expected what `agent-stream export --format jsonl` writes, or a whole log file"


def write_jsonl(
    session: Mapping[str, object], messages: list[dict[str, object]], records: Iterable[bytes]
) -> Iterator[str]:
    """The lines. `records` are runs of whole records, together the whole log."""
    head = {"format": FORMAT, "version": VERSION, "session": session, "messages": messages}
    yield _line(head)
    count = size = 0
    digest = hashlib.sha256()
    for chunk in records:
        size += len(chunk)
        digest.update(chunk)
        lines = chunk.split(b"\n")[:-1]
        count += len(lines)
        yield "".join(_line(_fields(line)) for line in lines)
    yield _line({"records": count, "bytes": size, "sha256": digest.hexdigest()})


def _line(value: object) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"


def _fields(line: bytes) -> dict[str, str]:
    record = parse_record(line)
    if record is None:
        return {"corrupt": base64.b64encode(line).decode()}
    tag = PARTIAL if record.partial else FULL
    fields = {"time": record.time, "stream": record.stream.decode(), "tag": tag.decode()}
    try:
        return fields | {"text": record.content.decode()}
    except UnicodeDecodeError:
        return fields | {"base64": base64.b64encode(record.content).decode()}


class ImportedLog:
    """A log as a file brings it: exported lines, or the log itself."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        """Reads the first line. BadRequest for a file that is neither."""
        self._lines = iter(lines)
        self._first = next(self._lines, b"")
        if not self._first:
            raise BadRequest(f"The file is empty; {_HOW}.")
        record = parse_record(self._first.rstrip(b"\n"))
        self.is_log = record is not None and record.stream == b"system"
        self.messages: list[dict[str, Any]] = []
        if not self.is_log:
            self._read_head()

    def _read_head(self) -> None:
        head = read_object(self._first)
        if head is None or head.get("format") != FORMAT:
            raise BadRequest(f"The file begins with {_shown(self._first)}; {_HOW}.")
        if head.get("version") != VERSION:
            raise BadRequest(
                f"The file has version {shortened(head.get('version'))} of the format, expected "
                f"{VERSION}: it comes from a newer agent-stream."
            )
        messages = head.get("messages", [])
        if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
            raise BadRequest("Line 1: messages are not what an export has.")
        for number, message in enumerate(messages, start=1):
            for damage in validation_errors(message, MESSAGE):
                raise BadRequest(f"Line 1, message {number}: {damage}.")
        self.messages = messages

    def records(self) -> Iterator[bytes]:
        """The log's bytes, in pieces. BadRequest, with the line's number."""
        if self.is_log:
            yield self._first
            yield from self._lines
            return
        count = size = 0
        digest = hashlib.sha256()
        end: dict[str, Any] | None = None
        for number, line in enumerate(self._lines, start=2):
            if end is not None:
                raise BadRequest(f"Line {number}: something follows the last line of the export.")
            fields = read_object(line)
            if fields is None:
                raise BadRequest(f"Line {number} is no JSON object: {_shown(line)}.")
            if "sha256" in fields:
                end = fields
                continue
            record = _record(fields, number)
            count, size = count + 1, size + len(record)
            digest.update(record)
            yield record
        if end is None:
            raise BadRequest(
                f"The file was cut short: after {count} record(s) its last line, with the count "
                "and the sha256, is missing."
            )
        found = {"records": count, "bytes": size, "sha256": digest.hexdigest()}
        if end != found:
            should = {name: end.get(name) for name in found}
            raise BadRequest(
                f"The file was changed: it holds {found}, and should hold {shortened(should, 200)}."
            )


def _shown(line: bytes) -> str:
    return shortened(line[:60].decode("utf-8", "replace"))


def _record(fields: dict[str, Any], number: int) -> bytes:
    """The record that a line stands for, with its LF. BadRequest."""
    if "corrupt" in fields:
        content = _bytes(fields["corrupt"], "corrupt", number)
        prefix = b""
    else:
        time, stream, tag = fields.get("time"), fields.get("stream"), fields.get("tag")
        if not isinstance(time, str) or not time.isascii() or not is_time(time.encode()):
            raise BadRequest(
                f"Line {number}: time is {shortened(time)}, expected one as a log has it."
            )
        if not isinstance(stream, str) or stream.encode() not in STREAMS:
            streams = ", ".join(known.decode() for known in STREAMS)
            raise BadRequest(
                f"Line {number}: stream is {shortened(stream)}, expected one of {streams}."
            )
        if tag not in (FULL.decode(), PARTIAL.decode()):
            raise BadRequest(f"Line {number}: tag is {shortened(tag)}, expected F or P.")
        prefix = f"{time} {stream} {tag} ".encode()
        text = fields.get("text")
        if isinstance(text, str):
            content = text.encode("utf-8", "surrogatepass")
        elif "base64" in fields:
            content = _bytes(fields["base64"], "base64", number)
        else:
            raise BadRequest(f"Line {number} has neither text nor base64.")
    if b"\n" in content:
        raise BadRequest(f"Line {number}: a record cannot hold a newline.")
    return prefix + content + b"\n"


def _bytes(value: object, name: str, number: int) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except binascii.Error as error:
        raise BadRequest(f"Line {number}: {name} is no base64: {error}.") from None
