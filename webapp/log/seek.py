"""Find a position in a log by a number of events from its end, or by a time."""

from webapp.log.opened import OpenLog
from webapp.log.reader import find_end, last_line_start, next_boundary
from webapp.log.record import TIME_BYTES, is_time

_STEP_BYTES = 64 * 1024
MAX_LINES_WITHOUT_TIME = 1000
"""Each takes a read, and no runner writes one: whoever did must not make a search endless."""


def find_last(
    log: OpenLog, count: int, end: int | None = None, max_bytes: int | None = None
) -> int:
    """Where the last `count` whole records before a boundary begin; 0 if there are no more.

    Without `end`: the last ones of the log. With `max_bytes`: fewer if they are longer than
    that together, but at least one if there are any.
    """
    end = find_end(log, log.size()) if end is None else end
    if count == 0:
        return end
    lowest = 0 if max_bytes is None else max(0, end - max_bytes)
    position = end
    wanted = count + 1  # the boundary before them is the end of the record before them
    while position > lowest:
        start = max(lowest, position - _STEP_BYTES)
        chunk = log.read(position - start, start)
        newlines = chunk.count(b"\n")
        if newlines >= wanted:
            return start + _nth_last_newline(chunk, wanted) + 1
        wanted -= newlines
        position = start
    return min(_boundary_from(log, lowest, end), last_line_start(log, end))


def _nth_last_newline(chunk: bytes, count: int) -> int:
    at = len(chunk)
    for _ in range(count):
        at = chunk.rfind(b"\n", 0, at)
    return at


def find_time(log: OpenLog, time: bytes) -> int:
    """Where the first record at or after a time begins; the end if there is none.

    `time` is as a record has it: 30 bytes. By halving, so that a log of any size takes a few
    reads. If the clock stepped back while the log was written, several records match,
    and this is one of them.
    """
    end = find_end(log, log.size())
    low, high = 0, end
    while low < high:
        middle = (low + high) // 2
        boundary = _boundary_from(log, middle, end)
        stamp = _time_at(log, boundary, end)
        if stamp is None or stamp >= time:
            high = middle
        else:
            low = boundary + 1
    return _boundary_from(log, low, end)


def _boundary_from(log: OpenLog, offset: int, end: int) -> int:
    """The first boundary at or after an offset."""
    return min(next_boundary(log, offset - 1, end), end) if offset > 0 else 0


def _time_at(log: OpenLog, boundary: int, end: int) -> bytes | None:
    """The time of the first record from a boundary on that has one; None if that is far."""
    for _ in range(MAX_LINES_WITHOUT_TIME):
        if boundary >= end:
            break
        stamp = log.read(TIME_BYTES, boundary)
        if is_time(stamp):
            return stamp
        boundary = next_boundary(log, boundary, end)
    return None
