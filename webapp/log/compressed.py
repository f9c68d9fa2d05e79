"""Read a compressed log from any offset: zstd's seekable format.

The log is cut into frames that can be read apart, and a table of them is at the end in a
frame that decoders skip: `zstdcat` shows the whole of it.
https://github.com/facebook/zstd/blob/dev/contrib/seekable_format/zstd_seekable_compression_format.md
"""

import errno
import os
import struct
import threading
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence

import zstandard

from webapp.log.folder import NotRegular

SKIPPABLE_MAGIC = 0x184D2A5E
SEEKABLE_MAGIC = 0x8F92EAB1
ENTRY = struct.Struct("<II")
"""Of a frame: its bytes in the file, its bytes in the log."""
HEADER = struct.Struct("<II")
FOOTER = struct.Struct("<IBI")
MOST_FRAME_BYTES = 64 << 20
"""A table that claims a longer frame is damaged."""
MOST_FRAMES = 1 << 19
"""1 TiB of log as the keeper compresses it."""
KEPT_FRAMES = 2
"""Most readers go forward, and a record may cross the end of a frame."""
_RESERVED_BITS = 0x7C
_HAS_CHECKSUMS = 0x80


class CompressedLog:
    """A log that has its end, in frames."""

    is_plain = False

    def __init__(self, fd: int) -> None:
        """Takes the descriptor over. NotRegular if the file is no compressed log."""
        self.fd = fd
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._frame_offsets, self._offsets = _read_table(fd)

    def size(self) -> int:
        """Bytes in the log."""
        return self._offsets[-1]

    def read(self, count: int, offset: int) -> bytes:
        """At most `count` bytes from an offset on. NotRegular where the file is damaged."""
        end = min(offset + count, self._offsets[-1])
        if offset >= end:
            return b""
        pieces = []
        number = bisect_right(self._offsets, offset) - 1
        while offset < end:
            start = self._offsets[number]
            piece = self._frame(number)[offset - start : end - start]
            pieces.append(piece)
            offset += len(piece)
            number += 1
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.fd)

    def _frame(self, number: int) -> bytes:
        with self._lock:
            frame = self._kept.get(number)
            if frame is not None:
                self._kept.move_to_end(number)
                return frame
        frame = self._decompress(number)
        with self._lock:
            self._kept[number] = frame
            while len(self._kept) > KEPT_FRAMES:
                self._kept.popitem(last=False)
        return frame

    def _decompress(self, number: int) -> bytes:
        size = self._offsets[number + 1] - self._offsets[number]
        if size == 0:
            return b""
        start = self._frame_offsets[number]
        packed = os.pread(self.fd, self._frame_offsets[number + 1] - start, start)
        try:
            claimed = zstandard.frame_content_size(packed)  # as much as `decompress` allocates
            if claimed != size:
                raise _damaged(f"frame {number} claims {claimed} bytes, expected {size}")
            decompressor = zstandard.ZstdDecompressor(max_window_size=MOST_FRAME_BYTES)
            frame = decompressor.decompress(packed)
        except zstandard.ZstdError as error:
            raise _damaged(f"frame {number}: {error}") from None
        if len(frame) != size:
            raise _damaged(f"frame {number} holds {len(frame)} bytes, expected {size}")
        return frame


def _read_table(fd: int) -> tuple[Sequence[int], Sequence[int]]:
    """Where each frame begins, and the last one ends, in the file and in the log."""
    file_size = os.fstat(fd).st_size
    footer = os.pread(fd, FOOTER.size, max(0, file_size - FOOTER.size))
    if len(footer) < FOOTER.size:
        raise _damaged(f"it has {file_size} bytes")
    count, descriptor, magic = FOOTER.unpack(footer)
    if magic != SEEKABLE_MAGIC or descriptor & _RESERVED_BITS:
        raise _damaged("it has no table of frames at its end")
    if count > MOST_FRAMES:
        raise _damaged(f"it has {count} frames, expected at most {MOST_FRAMES}")
    entry_size = ENTRY.size + (4 if descriptor & _HAS_CHECKSUMS else 0)
    table_size = count * entry_size
    start = file_size - FOOTER.size - table_size - HEADER.size
    if start < 0:
        raise _damaged(f"a table of {count} frames does not fit into {file_size} bytes")
    table = os.pread(fd, HEADER.size + table_size, start)
    if HEADER.unpack_from(table) != (SKIPPABLE_MAGIC, table_size + FOOTER.size):
        raise _damaged("its table of frames has no header")
    frames, offsets = array("Q", [0]), array("Q", [0])
    for at in range(HEADER.size, HEADER.size + table_size, entry_size):
        packed, plain = ENTRY.unpack_from(table, at)
        if max(packed, plain) > MOST_FRAME_BYTES:
            raise _damaged(f"a frame is longer than {MOST_FRAME_BYTES} bytes")
        frames.append(frames[-1] + packed)
        offsets.append(offsets[-1] + plain)
    if frames[-1] != start:
        raise _damaged("its table of frames does not add up")
    return frames, offsets


def _damaged(reason: str) -> NotRegular:
    return NotRegular(errno.EIO, f"a compressed log is damaged: {reason}")
