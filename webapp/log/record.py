"""The grammar of a log record: `<time> <stream> <tag> <content>\\n`.

This is the CRI log format, the one Kubernetes keeps container logs in:
https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md

Imported by the runner, so it uses nothing but `time`.
"""

from time import gmtime

STREAMS = (b"stdout", b"stderr", b"stdin", b"system")
FULL = b"F"
"""The line ends with this record."""
PARTIAL = b"P"
"""The line goes on in the next record of the same stream."""

TIME_BYTES = 30
"""Length of `2026-11-23T21:04:00.123456789Z`."""
MAX_LINE_BYTES = 1 << 20
"""A longer line is cut into `P` records, unless the settings say otherwise."""
MAX_RECORD_BYTES = (64 << 20) + 4096
"""The longest line that any version's runner kept in one piece, and what comes before it."""


class Record:
    """One line of a log, taken apart. (A plain class: `typing` costs the runner 3 ms.)"""

    __slots__ = ("content", "partial", "stream", "time")

    def __init__(self, time: str, stream: bytes, partial: bool, content: bytes) -> None:
        self.time = time
        self.stream = stream
        self.partial = partial
        self.content = content


_second_and_text = (-1, b"")


def format_time(time_ns: int) -> bytes:
    """Unix time in nanoseconds as RFC 3339 UTC with nine decimals: 30 bytes."""
    global _second_and_text
    second, nanosecond = divmod(time_ns, 1_000_000_000)
    if second != _second_and_text[0]:
        text = b"%04d-%02d-%02dT%02d:%02d:%02d" % gmtime(second)[:6]
        _second_and_text = (second, text)
    return b"%s.%09dZ" % (_second_and_text[1], nanosecond)


def prefix(time_ns: int, stream: bytes, tag: bytes = FULL) -> bytes:
    """All of a record before its content."""
    return b"%s %s %s " % (format_time(time_ns), stream, tag)


def format_record(time_ns: int, stream: bytes, content: bytes, tag: bytes = FULL) -> bytes:
    """One whole record. `content` must not contain LF."""
    return b"%s %s %s %s\n" % (format_time(time_ns), stream, tag, content)


def parse_record(line: bytes) -> Record | None:
    """Take a line (without its LF) apart; None if it is no record.

    Lines that are no records only come from outside: a disk that lost bytes, or an editor.
    """
    parts = line.split(b" ", 3)
    if len(parts) != 4:
        return None
    time, stream, tag, content = parts
    if not is_time(time) or stream not in STREAMS or tag not in (FULL, PARTIAL):
        return None
    return Record(time.decode("ascii"), stream, tag == PARTIAL, content)


_DIGITS = b"0123456789"
_TIME_SHAPE = b"0000-00-00T00:00:00.000000000Z"
_TO_SHAPE = bytes.maketrans(_DIGITS, b"0" * 10)


def is_time(time: bytes) -> bool:
    """Whether these bytes have the shape of a record's time."""
    return time.translate(_TO_SHAPE) == _TIME_SHAPE


def are_times(times: list[bytes]) -> bool:
    """Whether all of these have that shape."""
    return b"".join(times).translate(_TO_SHAPE) == _TIME_SHAPE * len(times)


def parse_time(time: str) -> int:
    """A record's time as Unix time in nanoseconds; ValueError for an impossible date."""
    from datetime import UTC, datetime

    whole = datetime.strptime(time[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    return int(whole.timestamp()) * 1_000_000_000 + int(time[20:29])
