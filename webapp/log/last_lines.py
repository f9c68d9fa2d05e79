"""The end of what an agent printed to stdout. For the runner too: nothing heavy is imported."""

from collections.abc import Callable

from webapp.log.record import parse_record

TAIL_BYTES = 256 * 1024
"""How much of the log is looked at."""


def read_last_lines(read: Callable[[int, int], bytes], size: int) -> list[bytes]:
    """The last lines of stdout in a log of `size` bytes, put together from their records.

    `read(count, offset)` gives bytes of the log. OSError if it cannot be read.
    """
    start = max(0, size - TAIL_BYTES)
    tail = read(size - start, start)
    if start:
        tail = tail.partition(b"\n")[2]
    return join_records(tail)


def join_records(records: bytes) -> list[bytes]:
    """The lines of stdout in some whole records."""
    lines: list[bytes] = []
    begun = b""
    for data in records.split(b"\n")[:-1]:
        record = parse_record(data)
        if record is None:
            continue
        if record.stream == b"system" and record.content.startswith(b'{"type":"long_line",'):
            lines[-1:] = _stand_in(record.content)
        if record.stream != b"stdout":
            continue
        begun += record.content
        if not record.partial:
            lines.append(begun)
            begun = b""
    return [*lines, begun] if begun else lines


def _stand_in(content: bytes) -> list[bytes]:
    """The line of which the last one was a part."""
    from webapp.log.long_line import stand_in  # few agents print one

    line = stand_in(content)
    return [] if line is None else [line]
