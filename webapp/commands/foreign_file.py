"""A file from elsewhere, read in bounded memory: its lines, decompressed if need be."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

import zstandard

from webapp.errors import BadRequest, SetupError

FROM_STDIN = "-"
MAX_LINE_BYTES = 128 << 20
"""A record of 64 MiB, as an export writes it."""
MAX_WINDOW_BYTES = 8 << 20
"""What every decoder should provide; `zstd` asks for more only with --long or --ultra:
https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.1.2"""
MAX_RATIO = 200
"""Logs are compressed to a fifteenth; with a time in each line no log comes near to this."""
FREE_BYTES = 16 << 20
"""So much may come from however few bytes."""
_BUFFER_BYTES = 128 << 10


@contextmanager
def open_foreign(file: str) -> Iterator[IO[bytes]]:
    """The file's bytes, or those of stdin. SetupError; what it gives raises BadRequest."""
    try:
        opened = sys.stdin.buffer if file == FROM_STDIN else open(file, "rb")  # noqa: SIM115
    except OSError as error:
        raise SetupError(f"Cannot read {file}: {error.strerror}.") from None
    with opened as content:
        assert isinstance(content, io.BufferedReader)
        if content.peek(4)[:4] == zstandard.FRAME_HEADER:
            yield io.BufferedReader(_Decompressed(content, file), _BUFFER_BYTES)
        else:
            yield content


def read_lines(content: IO[bytes]) -> Iterator[bytes]:
    """Each line with its LF; BadRequest for one that is longer than any export's."""
    number = 0
    while line := content.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise BadRequest(
                f"Line {number} has more than {MAX_LINE_BYTES} bytes, which no export has."
            )
        yield line


class _Counted:
    """Passes a file on, and counts its bytes."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        """As the file's own."""
        piece = self._content.read(size)
        self.count += len(piece)
        return piece


class _Decompressed(io.RawIOBase):
    """The content of a file compressed by zstd, as long as it is no bomb."""

    def __init__(self, content: IO[bytes], name: str) -> None:
        self._name = name
        self._packed = _Counted(content)
        decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
        source = cast("IO[bytes]", self._packed)  # `read` is all that it needs
        self._plain = decompressor.stream_reader(source, read_across_frames=True)
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """BadRequest where the file is damaged, or holds far more than it could."""
        try:
            size = int(self._plain.readinto(buffer))
        except zstandard.ZstdError as error:
            raise BadRequest(
                f"{self._name} is compressed by zstd, and damaged, or needs a window of more than "
                f"{MAX_WINDOW_BYTES} bytes: {error}."
            ) from None
        self._count += size
        if self._count > FREE_BYTES + MAX_RATIO * self._packed.count:
            raise BadRequest(
                f"{self._name} holds more than {MAX_RATIO} bytes for each compressed one, which no "
                "log does. If you trust it, decompress it with `zstd -d` first."
            )
        return size
