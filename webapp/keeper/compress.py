"""Replace a finished log by its compressed form.

At any moment one of the two exists, whole, and is the truth: the compressed form gets its name
only after it is on the disk and has been read back, and only then is the plain one removed.
Readers use the plain one as long as it exists.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import zstandard

from webapp.log import folder, lock, reader
from webapp.log.compressed import (
    ENTRY,
    FOOTER,
    HEADER,
    SEEKABLE_MAGIC,
    SKIPPABLE_MAGIC,
    CompressedLog,
)
from webapp.log.opened import OpenLog, PlainLog, compressed_path
from webapp.log.write_all import write_all

LEVEL = 17
"""From this level on zstd compresses the digits of the times too: short lines take half."""
FRAME_BYTES = 2 << 20
"""What must be decompressed to read one byte: 2 ms. Half of it costs a fifth of the ratio."""
PART_SUFFIX = ".part"


class Compressed(NamedTuple):
    """A log that has been compressed."""

    log_bytes: int
    stored_bytes: int


def compress_log(path: Path, pause: Callable[[], None] = lambda: None) -> Compressed | None:
    """Compress a log that has its end and no runner; None for any other, which is not touched.

    After a crash in the middle, the same call again repairs what is left. `pause` is called
    between frames, and may raise to stop. Raises OSError, also if what was written cannot be
    read back; the plain log is unchanged then.
    """
    log = PlainLog(lock.open_log(path))
    try:
        if not lock.acquire(log.fd) or not reader.is_complete(log):
            return None
        return _compress(path, log, pause)
    finally:
        log.close()


def _compress(path: Path, log: PlainLog, pause: Callable[[], None]) -> Compressed:
    with folder.opened_folder(path.parent) as folder_fd:
        return _compress_in(folder_fd, path, log, pause)


def _compress_in(
    folder_fd: int, path: Path, log: PlainLog, pause: Callable[[], None]
) -> Compressed:
    target = compressed_path(path).name
    part = target + PART_SUFFIX
    part_fd = folder.open_file_at(folder_fd, part, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    try:
        written = write_compressed(log, part_fd, pause)
        times = os.fstat(log.fd)
        os.utime(part_fd, ns=(times.st_atime_ns, times.st_mtime_ns))
        os.fsync(part_fd)
        _check(path.with_name(part), part_fd, log.size(), written)
        stored_bytes = os.fstat(part_fd).st_size
        os.rename(part, target, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
    except BaseException:
        os.unlink(part, dir_fd=folder_fd)
        raise
    finally:
        os.close(part_fd)
    _sync_folder(folder_fd)
    os.unlink(path.name, dir_fd=folder_fd)
    return Compressed(log.size(), stored_bytes)


def write_compressed(log: OpenLog, fd: int, pause: Callable[[], None] = lambda: None) -> bytes:
    """Write the compressed form of a whole log to a file; the hash of what was read.

    Frames with their size and a checksum, then the table that webapp/log/compressed.py reads.
    """
    parameters = zstandard.ZstdCompressionParameters.from_level(
        LEVEL, source_size=FRAME_BYTES, write_content_size=True, write_checksum=True
    )
    compressor = zstandard.ZstdCompressor(compression_params=parameters)
    digest = hashlib.sha256()
    entries = []
    for frame in _pieces(log):
        digest.update(frame)
        packed = compressor.compress(frame)
        write_all(fd, packed)
        entries.append(ENTRY.pack(len(packed), len(frame)))
        pause()
    table = b"".join(entries)
    write_all(fd, HEADER.pack(SKIPPABLE_MAGIC, len(table) + FOOTER.size) + table)
    write_all(fd, FOOTER.pack(len(entries), 0, SEEKABLE_MAGIC))
    return digest.digest()


def _pieces(log: OpenLog) -> Iterator[bytes]:
    offset = 0
    while piece := log.read(FRAME_BYTES, offset):
        yield piece
        offset += len(piece)


def _check(part: Path, fd: int, size: int, written: bytes) -> None:
    """Raise OSError unless the file holds exactly what was read of the log."""
    again = CompressedLog(fd)
    digest = hashlib.sha256()
    for piece in _pieces(again):
        digest.update(piece)
    if again.size() != size or digest.digest() != written:
        raise OSError(f"{part} does not hold what was written to it; the log stays as it is")


def _sync_folder(folder_fd: int) -> None:
    """A rename is durable once its folder is synced."""
    fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder_fd)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
