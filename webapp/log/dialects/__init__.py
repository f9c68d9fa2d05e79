"""What known agents print, in the words that all viewers know: see `told.py`.

Which dialect a log is in stands in its first record, so that its events stay a pure function
of the file, whatever the settings say by now.
"""

import msgspec

from webapp.log import reader
from webapp.log.dialects.claude import tell_claude
from webapp.log.dialects.codex import tell_codex
from webapp.log.dialects.told import dialect_of
from webapp.log.events import Dialect
from webapp.log.opened import OpenLog
from webapp.log.record import parse_record

DIALECTS: dict[str, Dialect] = {
    "claude": dialect_of(tell_claude),
    "codex": dialect_of(tell_codex),
}
"""By the names that profiles have for them."""

_HEAD_BYTES = 4096


class _Head(msgspec.Struct):
    """What is read of a log's first record."""

    type: str
    dialect: str


def read_dialect(log: OpenLog) -> Dialect | None:
    """The dialect of a log that has its first record; None where that names none."""
    line = reader.read_records(log, 0, _HEAD_BYTES).partition(b"\n")[0]
    record = parse_record(line)
    if record is None or record.stream != b"system":
        return None
    try:
        head = msgspec.json.decode(record.content, type=_Head)
    except msgspec.DecodeError:
        return None
    return DIALECTS.get(head.dialect) if head.type == "session" else None
