"""What an agent printed to one of its streams, byte by byte, out of the records of its log."""

import json
from collections.abc import Iterator

from webapp.log import reader
from webapp.log.opened import OpenLog
from webapp.log.record import TIME_BYTES, Record, are_times, parse_record

STREAMS = ("stdout", "stderr")
"""The agent's own."""


def read_output(log: OpenLog, stream: str, end: int) -> Iterator[bytes]:
    """The bytes of a stream in the first `end` bytes of a log, in pieces, some of them empty.

    An `F` record is a line with its LF, a `P` record has none. Where the runner noted that
    the stream ended without a newline, its last line has none either.
    """
    wanted = stream.encode()
    full_line = b" %b F " % wanted
    content_at = TIME_BYTES + len(full_line)
    offset, held = 0, b""
    is_truncated = is_open = False
    while offset < end:
        records = reader.read_records(log, offset, min(reader.STEP_BYTES, end - offset))
        offset += len(records)
        if not records or offset > end:
            break
        parts = [held]
        lines = records.split(b"\n")[:-1]
        is_plain = are_times([line[:TIME_BYTES] for line in lines])
        for line in lines:
            if is_plain and line[TIME_BYTES:content_at] == full_line:  # nearly all of nearly all
                parts += (line[content_at:], b"\n")
                continue
            record = parse_record(line)
            if record is None:
                continue
            if record.stream == wanted:
                parts += (record.content, b"" if record.partial else b"\n")
            elif record.stream == b"system":
                facts = _facts(record)
                is_truncated = is_truncated or facts.get("type") == "truncated"
                is_open = facts.get("type") == "done" and stream in _texts(facts, "noNewline")
        output = b"".join(parts)
        held = b"\n" if output.endswith(b"\n") else b""
        yield output.removesuffix(b"\n")
    if not (is_open and not is_truncated):  # of a log that was cut short, the end is not there
        yield held


def _facts(record: Record) -> dict[str, object]:
    try:
        facts = json.loads(record.content)
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def _texts(facts: dict[str, object], key: str) -> list[object]:
    value = facts.get(key)
    return value if isinstance(value, list) else []
