"""What a session printed over time: the figures of one chart, in bounded time.

A log of at most READ_BYTES is read whole. Of a longer one the slices of time are found by
halving, and an equal share of READ_BYTES is read of each; the rest is assumed to be like it.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from webapp.log import reader
from webapp.log.dialects.translate import read_dialect
from webapp.log.marks import KINDS, Marker, is_marked
from webapp.log.opened import OpenLog
from webapp.log.record import TIME_BYTES, format_time, is_time, parse_time
from webapp.log.seek import MAX_LINES_WITHOUT_TIME

READ_BYTES = 4 << 20
_LEAF_BYTES = 32 * 1024
_LINES_A_TURN = 2000


@dataclass
class Bucket:
    """What was printed from its time on, until the next bucket's."""

    time: str
    """RFC 3339 with nine decimals."""
    offset: int
    """Where its first record begins."""
    stdout: int = 0
    """Bytes of the log, as are those of `stderr`."""
    stderr: int = 0
    tool_calls: int = 0
    errors: int = 0
    approvals: int = 0
    turns: int = 0


class Timeline(NamedTuple):
    """All of a log, in slices of the same length of time."""

    start: str
    """The time of the first record, and of the last; empty for a log without any."""
    end: str
    size: int
    """Bytes of whole records."""
    is_sampled: bool
    buckets: list[Bucket]


def read_timeline(log: OpenLog, count: int, pause: Callable[[], None] = lambda: None) -> Timeline:
    """The log as it is now, in `count` buckets; in none while it has no record.

    `pause` lets others of this process have their turn.
    """
    size = reader.find_end(log, log.size())
    start, end = _first_time(log, size), _last_time(log, size)
    if start is None or end is None:
        return Timeline("", "", size, is_sampled=False, buckets=[])
    end = max(start, end)
    times = _slices(start, end, count)
    buckets = [Bucket(time.decode(), 0) for time in times]
    if size <= READ_BYTES:
        _read_whole(log, size, times, buckets, pause)
    else:
        _read_samples(log, size, times, buckets, pause)
    return Timeline(start.decode(), end.decode(), size, size > READ_BYTES, buckets)


def _slices(start: bytes, end: bytes, count: int) -> list[bytes]:
    start_ns, end_ns = parse_time(start.decode()), parse_time(end.decode())
    step = (end_ns - start_ns) / count
    return [format_time(start_ns + int(step * number)) for number in range(count)]


def _first_time(log: OpenLog, size: int) -> bytes | None:
    return next((line[:TIME_BYTES] for line, _ in _records(log, 0, size) if _has_date(line)), None)


def _last_time(log: OpenLog, size: int) -> bytes | None:
    end = size
    for _ in range(MAX_LINES_WITHOUT_TIME):
        if end == 0:
            break
        start = reader.last_line_start(log, end)
        line = log.read(TIME_BYTES, start)
        if _has_date(line):
            return line
        end = start
    return None


def _is_record(line: bytes) -> bool:
    return is_time(line[:TIME_BYTES])


def _has_date(line: bytes) -> bool:
    """Whether a record's time is one of the calendar: a damaged log may hold a month 13."""
    if not _is_record(line):
        return False
    try:
        parse_time(line[:TIME_BYTES].decode())
    except ValueError:
        return False
    return True


def _records(log: OpenLog, start: int, stop: int) -> Iterator[tuple[bytes, int]]:
    """Each record from a boundary on, and where it ends."""
    while start < stop:
        records = reader.read_records(log, start, min(reader.STEP_BYTES, stop - start))
        if not records:
            return
        for line in records.split(b"\n")[:-1]:
            start += len(line) + 1
            yield line, start


def _read_whole(
    log: OpenLog,
    size: int,
    times: list[bytes],
    buckets: list[Bucket],
    pause: Callable[[], None],
) -> None:
    marker = Marker(read_dialect(log), goes_on=False)
    at, reached = 0, -1
    for number, (line, end) in enumerate(_records(log, 0, size)):
        if number % _LINES_A_TURN == 0:
            pause()
        if _is_record(line):
            at = max(0, bisect_right(times, line[:TIME_BYTES]) - 1)
        for passed in range(reached + 1, at + 1):
            buckets[passed].offset = end - len(line) - 1
        reached = max(reached, at)
        _count(buckets[at], line, end, marker)
    for passed in range(reached + 1, len(buckets)):
        buckets[passed].offset = size


def _count(bucket: Bucket, line: bytes, end: int, marker: Marker) -> None:
    stream = line[TIME_BYTES : TIME_BYTES + 8]
    if stream == b" stderr ":
        bucket.stderr += len(line) + 1
        return
    if stream == b" stdout ":
        bucket.stdout += len(line) + 1
    for event in marker.marked(line, end - len(line) - 1, KINDS):
        bucket.tool_calls += is_marked(event, "tool_call")
        bucket.errors += is_marked(event, "error")
        bucket.approvals += is_marked(event, "approval")
        bucket.turns += is_marked(event, "turn")


def _read_samples(
    log: OpenLog,
    size: int,
    times: list[bytes],
    buckets: list[Bucket],
    pause: Callable[[], None],
) -> None:
    offsets = [*_offsets_of(log, times, size), size]
    dialect = read_dialect(log)
    for at, bucket in enumerate(buckets):
        start, stop = offsets[at], max(offsets[at], offsets[at + 1])
        bucket.offset = start
        read_to = start
        pause()
        marker = Marker(dialect, goes_on=reader.line_state(log, start))
        for line, end in _records(log, start, min(stop, start + READ_BYTES // len(buckets))):
            _count(bucket, line, end, marker)
            read_to = end
        if read_to > start:
            factor = (stop - start) / (read_to - start)
            bucket.stdout = round(bucket.stdout * factor)
            bucket.stderr = round(bucket.stderr * factor)
            bucket.tool_calls = round(bucket.tool_calls * factor)
            bucket.errors = round(bucket.errors * factor)
            bucket.approvals = round(bucket.approvals * factor)
            bucket.turns = round(bucket.turns * factor)


def _offsets_of(log: OpenLog, times: list[bytes], size: int) -> list[int]:
    """Where the first record at or after each time begins. Each part of the log is read once for
    all times, since reading a compressed log is slow."""
    offsets = [size] * len(times)
    ranges = [(0, size, 0, len(times))]
    while ranges:
        low, high, first, last = ranges.pop()
        if first >= last:
            continue
        if high - low <= _LEAF_BYTES:
            _offsets_in(log, low, high, times, first, last, offsets)
            continue
        middle = reader.next_boundary(log, (low + high) // 2, size)
        stamp = log.read(TIME_BYTES, middle)
        if middle >= high or not is_time(stamp):
            _offsets_in(log, low, high, times, first, last, offsets)
            continue
        split = bisect_right(times, stamp, first, last)
        ranges.append((low, middle, first, split))
        ranges.append((middle, high, split, last))
    return offsets


def _offsets_in(
    log: OpenLog,
    low: int,
    high: int,
    times: list[bytes],
    first: int,
    last: int,
    offsets: list[int],
) -> None:
    """Look at each record between two boundaries; what is later than all begins at the second."""
    for line, end in _records(log, low, high):
        while first < last and _is_record(line) and line[:TIME_BYTES] >= times[first]:
            offsets[first] = end - len(line) - 1
            first += 1
        if first == last:
            return
    for at in range(first, last):
        offsets[at] = high
