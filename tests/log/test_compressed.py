"""A compressed log is the same log."""

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tests.log import random_logs
from tests.log.random_logs import DONE, open_file
from webapp.keeper import compress
from webapp.keeper.compress import write_compressed
from webapp.log import reader, seek
from webapp.log.compressed import FOOTER, CompressedLog
from webapp.log.event_id import EventId
from webapp.log.opened import PlainLog, compressed_path, open_log
from webapp.log.pages import page_after, page_before
from webapp.log.record import format_record

RECORD = format_record(1, b"stdout", b"a line of an agent's")
LOG = RECORD * 1000 + format_record(2, b"system", DONE)
SMALL_FRAME = 4096


def packed(log: bytes, frame_bytes: int = SMALL_FRAME) -> bytes:
    """The compressed form of a log."""
    with open_file(log) as plain, open_file(b"") as target:
        with mock.patch.object(compress, "FRAME_BYTES", frame_bytes):
            write_compressed(plain, target.fd)
        return target.read(target.size(), 0)


@contextmanager
def open_packed(content: bytes) -> Iterator[CompressedLog]:
    """A compressed log of these bytes."""
    fd = os.memfd_create("packed")
    try:
        os.write(fd, content)
        yield CompressedLog(fd)
    finally:
        os.close(fd)


@given(random_logs.live_logs, random_logs.done_records, st.integers(1, 300), st.data())
def test_every_reader_finds_the_same_in_it(
    records: bytes, end: bytes, frame_bytes: int, data: st.DataObject
) -> None:
    log = records + end
    asked = data.draw(st.none() | st.integers(-2, len(log) + 5))
    asked_id = None if asked is None else EventId(asked)
    count, place = data.draw(st.integers(0, 30)), data.draw(st.integers(0, len(log)))
    with open_file(log) as plain, open_packed(packed(log, frame_bytes)) as other:
        for read in (
            lambda found: found.size(),
            lambda found: found.read(count * 10, place),
            lambda found: reader.read_records(found, place, count + 1),
            lambda found: reader.find_start(found, asked),
            reader.is_complete,
            lambda found: reader.line_state(found, place),
            lambda found: seek.find_last(found, count),
            lambda found: seek.find_time(found, log[:30]),
            lambda found: page_after(found, asked_id, count + 1),
            lambda found: page_before(found, asked_id, count + 1),
        ):
            assert read(plain) == read(other)


def test_zstd_itself_reads_it_whole() -> None:
    source = io.BytesIO(packed(LOG))
    with zstandard.ZstdDecompressor().stream_reader(source, read_across_frames=True) as whole:
        assert whole.read() == LOG


def test_one_byte_costs_one_frame() -> None:
    with open_packed(packed(LOG)) as log, mock.patch("os.pread", wraps=os.pread) as pread:
        assert log.read(1, len(LOG) // 2) == LOG[len(LOG) // 2 :][:1]
        assert log.read(9, len(LOG) // 2) == LOG[len(LOG) // 2 :][:9]
    assert pread.call_count == 1


def test_readers_at_many_offsets_do_not_disturb_each_other() -> None:
    with open_packed(packed(LOG)) as log:
        wrong: list[int] = []

        def read(start: int) -> None:
            for offset in range(start, len(LOG), 997):
                if log.read(5000, offset) != LOG[offset : offset + 5000]:
                    wrong.append(offset)

        threads = [threading.Thread(target=read, args=[start]) for start in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content[1:],
        lambda content: content[: len(content) // 2],
        lambda content: content[:-9] + FOOTER.pack(1 << 30, 0, 0x8F92EAB1),
        lambda content: content[:-9] + FOOTER.pack(0, 0, 0x8F92EAB1),
        lambda content: content[: -9 - 4] + b"\xff\xff\xff\xff" + content[-9:],
        lambda content: LOG,
    ],
)
def test_damaged_table_is_an_error_that_says_so(damage: object) -> None:
    assert callable(damage)
    with pytest.raises(OSError, match="damaged"), open_packed(damage(packed(LOG))):
        pass


def test_flipped_bit_in_a_frame_is_found_when_that_is_read() -> None:
    content = bytearray(packed(LOG))
    content[60] ^= 1
    with open_packed(bytes(content)) as log:
        assert log.read(100, len(LOG) - 50) == LOG[-50:]
        with pytest.raises(OSError, match="damaged: frame 0"):
            log.read(10, 0)


def test_frame_that_claims_more_than_the_table_says_is_never_made_room_for() -> None:
    whole = packed(LOG, len(LOG))
    claims_1_gib = b"\x28\xb5\x2f\xfd\xe0" + (1 << 30).to_bytes(8, "little")
    crafted = claims_1_gib + whole[len(claims_1_gib) :]
    said = f"claims 1073741824 bytes, expected {len(LOG)}"
    with open_packed(crafted) as log, pytest.raises(OSError, match=said):
        log.read(1, 0)


def test_log_is_opened_by_its_plain_name_in_either_form(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    with pytest.raises(FileNotFoundError):
        open_log(path)
    compressed_path(path).write_bytes(packed(LOG))
    log = open_log(path)
    assert (log.is_plain, log.read(len(LOG), 0)) == (False, LOG)
    log.close()
    path.write_bytes(LOG)
    log = open_log(path)
    assert isinstance(log, PlainLog)
    log.close()


def test_link_instead_of_a_compressed_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(packed(LOG))
    os.symlink("elsewhere", tmp_path / "output.log.zst")
    with pytest.raises(OSError, match="symbolic links"):
        open_log(tmp_path / "output.log")
