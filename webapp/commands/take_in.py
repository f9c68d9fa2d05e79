"""`import`: take in a session that ran elsewhere."""

import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO

import click
import zstandard

from webapp.commands.exports.jsonl import ImportedLog
from webapp.commands.figures import byte_count
from webapp.commands.options import place_options
from webapp.commands.place import making_place
from webapp.commands.progress import progress_bar
from webapp.commands.terminal import plain
from webapp.errors import BadRequest, SetupError
from webapp.sessions.importing import adopt

FROM_STDIN = "-"


@click.command(
    name="import",
    epilog="""\b
Examples:
  agent-stream import session.jsonl
  agent-stream import /mnt/other/var/sessions/2026-11-23/session-…/output.log
  ssh elsewhere agent-stream export last --format jsonl | agent-stream import -""",
)
@click.argument("file", metavar="FILE")
@place_options
def import_command(file: str) -> None:
    """Take in the session of FILE (- for stdin): an export as JSON Lines, or a whole log.

    The log may be one that was compressed. The session keeps its id, its workflow's, its
    times and how it ended, and streams byte for byte as it did where it ran. Nothing that is
    there is ever overwritten: a session whose id is known is a no. The server may run.
    """
    with _open(file) as lines, making_place() as place:
        try:
            with progress_bar("import", _size(lines)) as advance:
                imported = ImportedLog(_counted(lines, advance))
                session = adopt(place.database, place.var, imported.records(), imported.messages)
        except zstandard.ZstdError as error:
            raise BadRequest(f"{file} is compressed by zstd, and damaged: {error}.") from None
        size = byte_count(session.log_bytes)
        click.echo(plain(f"{session.id}: imported, {session.agent}, {session.status}, {size}"))


def _counted(lines: Iterable[bytes], advance: Callable[[int], None]) -> Iterator[bytes]:
    for line in lines:
        yield line
        advance(len(line))


def _size(lines: IO[bytes]) -> int | None:
    """Of a plain file; what a pipe or a compressed file will give, nobody knows."""
    try:
        return os.fstat(lines.fileno()).st_size or None
    except (AttributeError, OSError):
        return None


@contextmanager
def _open(file: str) -> Iterator[IO[bytes]]:
    """Its lines, decompressed if need be."""
    try:
        opened = sys.stdin.buffer if file == FROM_STDIN else open(file, "rb")  # noqa: SIM115
    except OSError as error:
        raise SetupError(f"Cannot read {file}: {error.strerror}.") from None
    with opened as content:
        assert isinstance(content, io.BufferedReader)
        if content.peek(4)[:4] == zstandard.FRAME_HEADER:
            plain = zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True)
            yield io.BufferedReader(plain)
        else:
            yield content
