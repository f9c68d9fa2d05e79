"""What a session cost, by what its agent says of it. For the runner too."""

from collections.abc import Callable, Iterator

from webapp.log.dialects.lines import read_line
from webapp.log.dialects.normalized import Dialect, Normalized
from webapp.log.last_lines import join_records, read_last_lines

UsageRow = dict[str, int | float | None]
"""The columns of `session_usage` but for the session."""

_STEP_BYTES = 1 << 20
_MAXIMUM = 1 << 53


def read_usage(read: Callable[[int, int], bytes], size: int, dialect: Dialect) -> UsageRow | None:
    """What a log of `size` bytes says that its agent used; None where it says nothing.

    An agent that says it once a turn is added up over the whole log, but for its costs, which
    add up by themselves unless they are those of a step (`partial`). Of any other the last word
    counts, among its last lines.
    `read(count, offset)` gives bytes of the log. OSError if it cannot be read.
    """
    if dialect.usage_mark is None:
        lines = reversed(read_last_lines(read, size))
        found = _rows((line for line in lines if b"usage" in line), dialect)
        return next((row for row, _ in found), None)
    total: UsageRow | None = None
    for row, is_step in _rows(_marked_lines(read, size, dialect.usage_mark), dialect):
        total = row if total is None else _add(total, row, is_step=is_step)
    return total


def _rows(lines: Iterator[bytes], dialect: Dialect) -> Iterator[tuple[UsageRow, bool]]:
    for line in lines:
        for event in reversed(read_line(line, dialect)):
            row = _row(event) if event["type"] == "usage" else {}
            if any(value is not None for value in row.values()):
                yield row, event.get("partial") is True


def _marked_lines(read: Callable[[int, int], bytes], size: int, mark: bytes) -> Iterator[bytes]:
    """The lines of stdout that hold a mark; none in a record of more than a step."""
    offset, begun = 0, b""
    while offset < size:
        chunk = begun + read(min(_STEP_BYTES, size - offset), offset)
        if len(chunk) == len(begun):
            return
        offset += len(chunk) - len(begun)
        end = chunk.rfind(b"\n") + 1
        begun = chunk[end:] if len(chunk) - end < _STEP_BYTES else b""
        if mark in chunk[:end]:
            yield from (line for line in join_records(chunk[:end]) if mark in line)


def _add(total: UsageRow, row: UsageRow, *, is_step: bool) -> UsageRow:
    """The next row added to those before it; the cost of a turn is that of all of them."""
    added: UsageRow = {}
    for name, value in row.items():
        before = total[name]
        if value is None or before is None or (name == "cost_usd" and not is_step):
            added[name] = before if value is None else value
        else:
            added[name] = before + value
    return added


def _row(event: Normalized) -> UsageRow:
    return {
        "input_tokens": _whole(event.get("inputTokens")),
        "output_tokens": _whole(event.get("outputTokens")),
        "cost_usd": _amount(event.get("costUsd")),
        "duration_ms": _whole(event.get("durationMs")),
    }


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < _MAXIMUM else None


def _amount(value: object) -> float | None:
    """Not NaN, which SQLite would take for NULL, nor infinity."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < _MAXIMUM else None
