"""Read a log from any offset: whole records only, in bounded steps, while it grows."""

import errno
from typing import NamedTuple

from webapp.log.folder import NotRegular
from webapp.log.line_state import ENDED, MIN_PART_BYTES, TEXT, state_after
from webapp.log.opened import OpenLog
from webapp.log.record import MAX_RECORD_BYTES, TIME_BYTES, parse_record

STEP_BYTES = 256 * 1024
_NEW_BYTES = 16 * 1024
"""A log that is followed has grown by less, nearly always."""
_LOOK_BACK_BYTES = 64 * 1024
_HEAD_BYTES = 128


class EndlessRecord(NotRegular):
    """No record ends where one must, as in a file that somebody has made longer."""

    def __init__(self) -> None:
        super().__init__(errno.EFBIG, f"a record has more than {MAX_RECORD_BYTES} bytes")


class Start(NamedTuple):
    """Where a viewer begins, and whether that is not quite what it asked for."""

    offset: int
    is_gap: bool
    seen: int = 0
    """How many events of the record that begins there the viewer has had."""


def read_records(log: OpenLog, offset: int, limit: int = STEP_BYTES) -> bytes:
    """Whole records from a boundary on: about `limit` bytes, at least one record.

    Empty where no whole record follows (yet). A record longer than `limit` is read whole.
    EndlessRecord.
    """
    while True:
        chunk = log.read(limit, offset)
        end = chunk.rfind(b"\n") + 1
        if end or len(chunk) < limit:
            return chunk[:end]
        if limit >= MAX_RECORD_BYTES:
            raise EndlessRecord
        limit = min(4 * limit, MAX_RECORD_BYTES)


def read_new(log: OpenLog, offset: int) -> bytes:
    """As `read_records`, quickest where only a little has been added since the last time."""
    chunk = log.read(_NEW_BYTES, offset)
    if len(chunk) < _NEW_BYTES:
        return chunk[: chunk.rfind(b"\n") + 1]
    return read_records(log, offset, min(max(log.size() - offset, _NEW_BYTES), STEP_BYTES))


def read_between(log: OpenLog, start: int, end: int) -> bytes:
    """The whole records between two boundaries; fewer if the log was cut since."""
    records = log.read(end - start, start)
    return records[: records.rfind(b"\n") + 1]


def find_start(log: OpenLog, asked: int | None) -> Start:
    """The true boundary at or after an offset that a client sent; None means garbage.

    Past the end of the file: the end, or, where the log is complete, just before its
    `done`, which such a viewer cannot have seen. Garbage: the beginning.
    """
    if asked is None or asked < 0:
        return Start(0, is_gap=True)
    if asked == 0:
        return Start(0, is_gap=False)
    size = log.size()
    if asked > size:
        end = find_end(log, size)
        last = last_line_start(log, end)
        is_complete = is_done_record(log.read(end - last, last))
        return Start(last if is_complete else end, is_gap=True)
    if log.read(1, asked - 1) == b"\n":
        return Start(asked, is_gap=False)
    boundary = next_boundary(log, asked, size)
    last = last_line_start(log, boundary)
    if is_done_record(log.read(boundary - last, last)):
        boundary = last  # its id is just after it, so a viewer in its middle has not seen it
    return Start(boundary, is_gap=True)


def next_boundary(log: OpenLog, offset: int, size: int) -> int:
    """The boundary after the first LF from `offset` on; the last one where none follows.

    EndlessRecord.
    """
    give_up_at = offset + MAX_RECORD_BYTES
    while offset < size:
        if offset >= give_up_at:
            raise EndlessRecord
        chunk = log.read(_LOOK_BACK_BYTES, offset)
        newline = chunk.find(b"\n")
        if newline >= 0:
            return offset + newline + 1
        if not chunk:
            break
        offset += len(chunk)
    return find_end(log, size)


def find_end(log: OpenLog, size: int) -> int:
    """The boundary after the last whole record of the first `size` bytes. EndlessRecord."""
    position = size
    while position > 0:
        if size - position >= MAX_RECORD_BYTES:
            raise EndlessRecord
        start = max(0, position - _LOOK_BACK_BYTES)
        newline = log.read(position - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        position = start
    return 0


def last_line_start(log: OpenLog, end: int) -> int:
    """Where the record that ends at the boundary `end` begins."""
    return find_end(log, max(0, end - 1))


def is_done_record(line: bytes) -> bool:
    """Whether a line is the runner's `done`; only the runner can write `system` records."""
    return line[30:40] == b" system F " and line[40:].startswith(
        (b'{"type":"done"', b'{"type": "done"')
    )


def is_complete(log: OpenLog) -> bool:
    """Whether the log ends with its `done`."""
    size = log.size()
    if size == 0 or log.read(1, size - 1) != b"\n":
        return False
    start = last_line_start(log, size)
    return is_done_record(log.read(size - start, start))


def line_state(log: OpenLog, offset: int) -> int:
    """What the next stdout record from `offset` on goes on with: see `log/line_state.py`."""
    state: int | None = None
    parts: list[tuple[bytes, int]] = []
    while state is None and (found := _last_stdout(log, offset)) is not None:
        start, end = found
        state = _state_by(log.read(_HEAD_BYTES, start), end - start, parts)
        offset = start
    return _state_after(state or ENDED, parts)


def goes_on_after(records: bytes, before: int) -> int:
    """`line_state` after some whole records, given what it was before them."""
    state: int | None = None
    parts: list[tuple[bytes, int]] = []
    end = len(records)
    while state is None and (found := _last_stdout_in(records, end)) is not None:
        start, end = found
        state = _state_by(records[start : start + _HEAD_BYTES], end - start, parts)
        end = start
    return _state_after(before if state is None else state, parts)


def _state_by(line: bytes, size: int, parts: list[tuple[bytes, int]]) -> int | None:
    """The state after a stdout record as far as it decides it; otherwise it is added to `parts`."""
    record = parse_record(line.partition(b"\n")[0])
    content_size = size - len(b" stdout P \n") - TIME_BYTES
    if record is None or not record.partial:
        return ENDED
    if content_size < MIN_PART_BYTES:
        return TEXT
    parts.append((record.content, content_size))
    return None


def _state_after(state: int, parts: list[tuple[bytes, int]]) -> int:
    """The state after parts of a line that follow a record, the last one first."""
    for head, size in reversed(parts):
        state = state_after(state, head, size, is_partial=True)
    return state


def _last_stdout(log: OpenLog, offset: int) -> tuple[int, int] | None:
    """Where the last stdout record before a boundary begins and ends."""
    position = offset
    while position > 0:
        end = position
        start = max(0, end - _LOOK_BACK_BYTES)
        chunk = log.read(end - start, start)
        if start > 0:
            cut = chunk.find(b"\n", 0, len(chunk) - 1) + 1
            if cut == 0:  # one record fills all of it: look at where that record begins
                start = last_line_start(log, end)
                if _is_stdout(log.read(_HEAD_BYTES, start)):
                    return start, end
                position = start
                continue
            chunk, start = chunk[cut:], start + cut
        found = _last_stdout_in(chunk, len(chunk))
        if found is not None:
            return start + found[0], start + found[1]
        position = start
    return None


def _last_stdout_in(records: bytes, end: int) -> tuple[int, int] | None:
    """Where the last stdout record among the first `end` bytes of some records begins and ends."""
    while (at := records.rfind(b" stdout ", 0, end)) >= 0:
        start = records.rfind(b"\n", 0, at) + 1
        if at - start == TIME_BYTES and _is_stdout(records[start : start + _HEAD_BYTES]):
            return start, records.find(b"\n", at) + 1
        end = start + len(b" stdout ") - 1 if start else 0
    return None


def _is_stdout(line: bytes) -> bool:
    if line[30:38] != b" stdout ":
        return False
    record = parse_record(line.partition(b"\n")[0])
    return record is not None and record.stream == b"stdout"
