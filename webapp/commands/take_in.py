"""`import`: take in a session that ran elsewhere."""

import os
from collections.abc import Callable, Iterable, Iterator
from typing import IO

import click

from webapp.commands.exports.jsonl import ImportedLog
from webapp.commands.figures import byte_count
from webapp.commands.foreign_file import open_foreign, read_lines
from webapp.commands.options import as_size, var_options
from webapp.commands.progress import progress_bar
from webapp.commands.terminal import plain
from webapp.commands.var_folder import open_or_make_var_folder, settings_of_a_writer
from webapp.sessions.importing import MAX_BYTES, adopt
from webapp.sessions.secrets import redactor_of


@click.command(
    name="import",
    epilog="""\b
Examples:
  agent-stream import session.jsonl
  agent-stream import /mnt/other/var/sessions/2026-11-23/session-…/output.log
  ssh elsewhere agent-stream export last --format jsonl | agent-stream import -""",
)
@click.argument("file", metavar="FILE")
@click.option(
    "--max-bytes",
    callback=as_size,
    metavar="SIZE",
    help="How long the log may be. [4G]",
)
@var_options
def import_command(file: str, max_bytes: int | None) -> None:
    """Take in the session of FILE (- for stdin): an export as JSON Lines, or a whole log.

    The log may be one that was compressed. The session keeps its id, its workflow's, its
    times and how it ended, and streams byte for byte as it did where it ran, except that the
    secrets of this server and well-known keys are taken out of it. Nothing that is
    there is ever overwritten: a session whose id is known is a no. The server may run.

    What the log says about the session is checked as a stranger's; the import is refused where
    a field of it is damaged, and where a file holds far more than its size.
    """
    redactor = redactor_of(settings_of_a_writer(), os.environ)
    with open_foreign(file) as content, open_or_make_var_folder() as var_folder:
        with progress_bar("import", _size(content)) as advance:
            imported = ImportedLog(_counted(read_lines(content), advance))
            records = redactor.redact_lines(imported.records())
            messages = [
                message | {"content": redactor.redact(message["content"])}
                for message in imported.messages
            ]
            limit = MAX_BYTES if max_bytes is None else max_bytes
            session = adopt(var_folder.database, var_folder.var, records, messages, limit)
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
    except OSError:
        return None
