"""Which frames of a compressed log are read and kept, and which tables of them are believed."""

import struct
from collections.abc import Callable
from unittest import mock

import pytest

from tests.log.test_compressed import LOG, SMALL_FRAME, open_packed, packed
from webapp.log.compressed import (
    ENTRY,
    FOOTER,
    HEADER,
    KEPT_FRAMES,
    SEEKABLE_MAGIC,
    SKIPPABLE_MAGIC,
    CompressedLog,
)

Lengths = list[tuple[int, int]]


def with_table(change: Callable[[Lengths], Lengths], checksums: bool = False) -> bytes:
    """The packed log with another table, with checksums of its frames if wanted."""
    content = packed(LOG)
    count, _descriptor, _magic = FOOTER.unpack(content[-FOOTER.size :])
    start = len(content) - FOOTER.size - count * ENTRY.size
    lengths = change(list(ENTRY.iter_unpack(content[start : -FOOTER.size])))
    more = struct.pack("<I", 0) if checksums else b""
    table = b"".join(ENTRY.pack(*one) + more for one in lengths)
    header = HEADER.pack(SKIPPABLE_MAGIC, len(table) + FOOTER.size)
    footer = FOOTER.pack(count, 0x80 if checksums else 0, SEEKABLE_MAGIC)
    return content[: start - HEADER.size] + header + table + footer


def decompressed(log: CompressedLog, *frames: int) -> list[int]:
    """Which frames have to be decompressed for a byte at the beginning of each of these."""
    with mock.patch.object(log, "_decompress", wraps=log._decompress) as decompress:
        for number in frames:
            log.read(1, number * SMALL_FRAME)
    return [call.args[0] for call in decompress.call_args_list]


def test_frame_begins_where_the_one_before_ends() -> None:
    with open_packed(packed(LOG)) as log:
        assert decompressed(log, 1) == [1]
        assert log.read(2, SMALL_FRAME - 1) == LOG[SMALL_FRAME - 1 : SMALL_FRAME + 1]


def test_frames_that_were_used_last_are_kept_and_no_more_of_them() -> None:
    with open_packed(packed(LOG)) as log:
        assert decompressed(log, 0, 1, 0, 1) == [0, 1]
        assert decompressed(log, 2, 1, 2) == [2]
        assert decompressed(log, 1, 0, 1, 2) == [0, 2]
        log.read(len(LOG), 0)
        assert len(log._kept) == KEPT_FRAMES


def test_table_with_checksums_is_read() -> None:
    with open_packed(with_table(lambda lengths: lengths, checksums=True)) as log:
        assert log.read(len(LOG), 0) == LOG


@pytest.mark.parametrize("more", [-1, 1])
def test_frame_of_another_length_than_the_table_says_is_damaged(more: int) -> None:
    def move(lengths: Lengths) -> Lengths:
        (one, plain), (two, next_plain), *rest = lengths
        return [(one, plain + more), (two, next_plain - more), *rest]

    with open_packed(with_table(move)) as log, pytest.raises(OSError, match="damaged: frame 0"):
        log.read(len(LOG), 0)


@pytest.mark.parametrize("bit", [0x04, 0x40])
def test_table_of_a_later_format_is_not_guessed_at(bit: int) -> None:
    content = bytearray(packed(LOG))
    content[-5] = bit
    with pytest.raises(OSError, match="no table of frames"), open_packed(bytes(content)):
        pass


def test_table_without_its_header_is_damaged() -> None:
    whole = packed(LOG)
    at = whole.rindex(struct.pack("<I", SKIPPABLE_MAGIC))
    for place in (at, at + 4):
        content = bytearray(whole)
        content[place] ^= 1
        with pytest.raises(OSError, match="has no header"), open_packed(bytes(content)):
            pass
