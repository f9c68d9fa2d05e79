"""`export`: a session as a file for elsewhere."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from webapp.commands.exports.asciicast import write_v2, write_v3
from webapp.commands.exports.jsonl import write_jsonl
from webapp.commands.exports.limit import MOST_BYTES, MOST_EVENTS, Limit
from webapp.commands.exports.markdown import write_markdown
from webapp.commands.exports.page import write_html
from webapp.commands.exports.story import tell
from webapp.commands.figures import byte_count
from webapp.commands.follow import Chunk, EventParser, read_chunks
from webapp.commands.options import session_argument, var_options
from webapp.commands.progress import progress_bar
from webapp.commands.var_folder import VarFolder, open_var_folder
from webapp.errors import Conflict, SetupError
from webapp.log import reader
from webapp.log.events import Event
from webapp.log.opened import OpenLog
from webapp.store import messages
from webapp.store.damage import read_command
from webapp.store.models import Session
from webapp.store.shapes import message as api_message
from webapp.store.shapes import session as api_session

FORMATS = ("asciicast", "asciicast-v2", "markdown", "html", "jsonl")


@click.command(
    epilog="""\b
Formats:
  asciicast     a terminal recording (v3), for asciinema 3 and its web player
  asciicast-v2  the same for asciinema 2, which is the one on PyPI
  markdown      for an issue or a review
  html          one file that needs no network: to read, and to replay with a timeline;
                of a long session its beginning and its end
  jsonl         the log exactly, a line of JSON a record: for `import`, and for jq

\b
Examples:
  agent-stream export last --format html -o session.html
  agent-stream export last --format asciicast-v2 -o s.cast && asciinema play s.cast
  agent-stream export k3v9 --format jsonl | ssh elsewhere agent-stream import -"""
)
@session_argument
@click.option("--format", "form", type=click.Choice(FORMATS), required=True, help="See below.")
@click.option("-o", "--output", metavar="FILE", help="Write there; a file that is there stays.")
@click.option(
    "--max-events",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"In html no more than N, half of them from the end; 0: all. [{MOST_EVENTS}]",
)
@var_options
def export(session: str, form: str, output: str | None, max_events: int | None) -> None:
    """Write SESSION as a file for elsewhere, to stdout unless -o is given.

    Of a session that still runs it holds what has been printed so far.
    """
    if max_events is not None and form != "html":
        raise click.UsageError(f"--max-events is for html; {form} always has all of them.")
    with open_var_folder() as var_folder:
        found = var_folder.find(session)
        limit = _limit(found, MOST_EVENTS if max_events is None else max_events)
        if not found.is_live:
            var_folder.settle(found.id)
        with var_folder.reading(found) as log:
            end = reader.find_end(log, log.size())
            chunks = read_chunks(log, 0, end)
            if output is None or output == "-":
                for piece in _write(form, var_folder, found, log, chunks, limit):
                    click.echo(piece, nl=False)
            else:
                with progress_bar("export", end) as advance:
                    counted = _counted(chunks, advance)
                    _write_file(Path(output), _write(form, var_folder, found, log, counted, limit))
                click.echo(f"{output}: {byte_count(Path(output).stat().st_size)}", err=True)
        if limit is not None and limit.left_out:
            click.echo(f"agent-stream: {limit.message()}", err=True)
        if found.is_live:
            click.echo(
                f"agent-stream: {found.id} still runs: this is what it has printed so far", err=True
            )


def _limit(session: Session, max_events: int) -> Limit | None:
    if not max_events:
        return None
    advice = (
        f"`agent-stream export {session.id} --format html --max-events 0` writes all of them, "
        "which a browser may take long to open; `--format markdown` and `jsonl` do, too."
    )
    return Limit(max_events, MOST_BYTES, advice)


def _write(
    form: str,
    var_folder: VarFolder,
    session: Session,
    log: OpenLog,
    chunks: Iterator[Chunk],
    limit: Limit | None,
) -> Iterator[str]:
    if form == "jsonl":
        return write_jsonl(
            _all_facts(var_folder, session),
            _messages(var_folder, session),
            (chunk.records for chunk in chunks),
        )
    events = _events(log, chunks)
    match form:
        case "asciicast":
            return write_v3(session, events)
        case "asciicast-v2":
            return write_v2(session, events)
        case "markdown":
            return write_markdown(session, tell(events))
    return write_html(session, tell(events if limit is None else limit.apply(events)))


def _counted(chunks: Iterable[Chunk], advance: Callable[[int], None]) -> Iterator[Chunk]:
    for chunk in chunks:
        yield chunk
        advance(len(chunk.records))


def _events(log: OpenLog, chunks: Iterable[Chunk]) -> Iterator[Event]:
    parser = EventParser(log, 0)
    for chunk in chunks:
        yield from parser.parse(chunk)


def _all_facts(var_folder: VarFolder, session: Session) -> dict[str, object]:
    return api_session(session, var_folder.log_bytes(session)) | {
        "argv": read_command(session),
        "cwd": session.cwd,
        "runnerPid": session.runner_pid,
        "host": session.host,
    }


def _messages(var_folder: VarFolder, session: Session) -> list[dict[str, object]]:
    """What the history of its workflow says about this session."""
    with var_folder.database.read() as orm:
        found = messages.messages_of_session(orm, session.id)
        return [api_message(message) for message in found]


def _open_private(path: str, flags: int) -> int:
    """Whatever the umask: what an agent printed is for the eyes of its owner."""
    return os.open(path, flags, 0o600)


def _write_file(path: Path, pieces: Iterable[str]) -> None:
    """Write it whole or not at all; Conflict where a file is there."""
    try:
        file = open(path, "x", encoding="utf-8", newline="\n", opener=_open_private)  # noqa: SIM115 - closed below
    except FileExistsError:
        raise Conflict(f"{path} is there already; an export never overwrites.") from None
    except OSError as error:
        raise SetupError(f"Cannot write {path}: {error.strerror}.") from None
    try:
        with file:
            file.writelines(pieces)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
