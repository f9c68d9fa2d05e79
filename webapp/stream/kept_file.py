"""A file of kept frames: the frames of one log as they go over the wire, then a trailer.

The trailer is written last, so only a file that is whole has one, and names what its frames
were made of. Nothing in a frame but its end holds an empty line (`sse.py`), so a frame begins
at 0 and wherever a line of an id follows an empty line: any place can be found by halving.
"""

import os
import struct

from webapp.log.event_id import BEGINNING, EventId, read_id

FINGERPRINT_BYTES = 32
_MAGIC = b"agent-stream 1\n\0"
_TRAILER = struct.Struct(f"<Q{FINGERPRINT_BYTES}s{len(_MAGIC)}s")
_ID = b"id: "
_BETWEEN = b"\n\n" + _ID
_STEPS = (4 * 1024, 256 * 1024)
"""Most frames are short: the first look for the end of one is, too."""
_ID_BYTES = 40
"""Enough for any id, and the LF after it."""


def trailer(size: int, fingerprint: bytes) -> bytes:
    """What follows the last of `size` bytes of frames."""
    return _TRAILER.pack(size, fingerprint, _MAGIC)


def read_size(fd: int, fingerprint: bytes) -> int | None:
    """How many bytes of frames a file holds; None if it is not whole, or not of that log."""
    size = os.fstat(fd).st_size - _TRAILER.size
    if size <= 0 or os.pread(fd, _TRAILER.size, size) != trailer(size, fingerprint):
        return None
    return size


def find_after(fd: int, size: int, seen: EventId, id_prefix: bytes) -> int | None:
    """Where the frames after the event with the id `<id_prefix><seen>` begin.

    None where no event has this id.
    """
    if seen == BEGINNING:
        return 0
    low, high, nearest = 0, size, BEGINNING
    while low < high:
        middle = (low + high) // 2
        start = next_boundary(fd, middle, size)
        found = _id_at(fd, start, id_prefix) if start < size else None
        if start < size and found is None:
            return None  # no frame of ours: the file is damaged
        if found is None or found > seen:
            high = middle
        else:
            low, nearest = start + 1, found
    return next_boundary(fd, low, size) if nearest == seen else None


def next_boundary(fd: int, position: int, size: int) -> int:
    """The first end of a frame at or after a position; the last one is at `size`."""
    if position <= 0:
        return 0
    position = max(0, position - len(b"\n\n"))
    step, longer = _STEPS
    while position < size:
        chunk = os.pread(fd, min(step, size - position), position)
        found = chunk.find(_BETWEEN)
        if found >= 0:
            return position + found + len(b"\n\n")
        if len(chunk) < len(_BETWEEN):
            break
        position += len(chunk) - len(_BETWEEN) + 1
        step = longer
    return size


def _id_at(fd: int, start: int, id_prefix: bytes) -> EventId | None:
    """The id of the frame that begins there; None if there is none."""
    before = _ID + id_prefix
    line, newline, _rest = os.pread(fd, len(before) + _ID_BYTES, start).partition(b"\n")
    if not newline or not line.startswith(before):
        return None
    return read_id(line.removeprefix(before).decode("latin-1"))
