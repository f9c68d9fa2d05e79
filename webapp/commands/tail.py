"""`tail`: read a session's log as it is, and as it grows."""

import sys
from collections.abc import Callable, Iterator

import click

from webapp.commands.follow import Chunk, EventParser, follow, read_chunks
from webapp.commands.options import session_argument, var_options
from webapp.commands.terminal import RESET, has_colour, plain
from webapp.commands.transcript import HELD_ROWS, Transcript, last_lines
from webapp.commands.var_folder import VarFolder, open_var_folder
from webapp.errors import NotFound
from webapp.log import reader
from webapp.log.dialects.translate import read_dialect
from webapp.log.events import Event
from webapp.log.opened import OpenLog
from webapp.log.position import find_last as position_of_last
from webapp.log.seek import find_last
from webapp.store.models import Session
from webapp.visible import visible

Write = Callable[[Chunk | None], None]
"""Called with each chunk, and with None at the end."""


@click.command(
    epilog="""\b
Marks:
  ! text   stderr                    -> text  a tool is called
  > text   what a person sent        <- text  its result (<x: it failed)
  -- text  the start, the end, notices, and other events

\b
Examples:
  agent-stream tail -f last
  agent-stream tail -n 20 k3v9
  agent-stream tail --json last | jq -r 'select(.event == "tool_call") | .data.name'"""
)
@session_argument
@click.option("-f", "--follow", "is_following", is_flag=True, help="Go on until the session ends.")
@click.option(
    "-n",
    "--lines",
    "count",
    type=click.IntRange(min=0),
    help="Only the last N lines (records or events with --raw or --json) of what there is.",
)
@click.option("--raw", is_flag=True, help="The records as they stand in the log.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="A line of JSON an event: id, time, stream, event, data.",
)
@var_options
def tail(session: str, is_following: bool, count: int | None, raw: bool, as_json: bool) -> None:
    """Print what SESSION has printed: all of it, unless -n is given.

    With -f it goes on until the session is done; no server is needed for that. Ctrl-C ends
    the command and not the session. Colours of the agent's are shown at a terminal; any
    other control sequence is taken out, except from --raw that goes to a file or a pipe.
    """
    if raw and as_json:
        raise click.UsageError("--raw and --json exclude each other.")
    with open_var_folder() as var_folder:
        found = var_folder.find(session)
        with var_folder.reading(found) as log:
            if not found.is_live and not reader.is_complete(log):
                var_folder.settle(found.id)
            _print(var_folder, found, log, _mode(raw, as_json), count, is_following)
            if is_following and not reader.is_complete(log):
                raise NotFound(
                    f"The log of {found.id} has lost its end. Its row says that it is "
                    f"{var_folder.look_up(found.id).status}."
                )


def _mode(raw: bool, as_json: bool) -> Callable[[OpenLog, int, int | None], tuple[int, Write]]:
    if raw:
        return _raw
    return _json if as_json else _people


def _print(
    var_folder: VarFolder,
    session: Session,
    log: OpenLog,
    mode: Callable[[OpenLog, int, int | None], tuple[int, Write]],
    count: int | None,
    is_following: bool,
) -> None:
    end = reader.find_end(log, log.size())
    offset, write = mode(log, end, count)
    coming = (
        follow(var_folder, session, log, offset) if is_following else read_chunks(log, offset, end)
    )
    try:
        for chunk in coming:
            write(chunk)
        write(None)
    finally:
        if has_colour():
            click.echo(RESET, nl=False)


# --- how it is printed: from the log's end and the lines wanted to (where to begin, writer) ---


def _people(log: OpenLog, end: int, count: int | None) -> tuple[int, Write]:
    offset, redraws = 0, sys.stdout.isatty()
    held_rows = HELD_ROWS if reader.is_complete(log) else 1
    transcript = Transcript(colour=has_colour(), redraws=redraws, held_rows=held_rows)
    if count is not None:
        shown, transcript = last_lines(log, end, count, colour=has_colour(), redraws=redraws)
        click.echo(shown, nl=False)
        offset = end
    parser = EventParser(log, offset)

    def write(chunk: Chunk | None) -> None:
        events = [] if chunk is None else parser.parse(chunk)
        text = "".join(transcript.show(event) for event in events)
        click.echo(text if chunk is not None else transcript.end(), nl=False)

    return offset, write


def _json(log: OpenLog, end: int, count: int | None) -> tuple[int, Write]:
    offset, seen = 0, 0
    if count is not None:
        offset, seen = position_of_last(log, count, read_dialect(log).translate, end)
    parser = EventParser(log, offset, seen)

    def write(chunk: Chunk | None) -> None:
        if chunk is None:
            return
        click.echo(_envelopes(parser.parse(chunk)), nl=False)

    return offset, write


def _envelopes(events: Iterator[Event]) -> str:
    lines = "".join(
        f'{{"id":"{event.id}","time":"{event.time}","stream":"{event.stream}",'
        f'"event":"{event.name}","data":{event.data}}}\n'
        for event in events
    )
    return visible(lines, keep="\n")  # JSON allows controls that terminals obey


def _raw(log: OpenLog, end: int, count: int | None) -> tuple[int, Write]:
    offset = 0 if count is None else find_last(log, count, end)

    def write(chunk: Chunk | None) -> None:
        if chunk is None:
            return
        if sys.stdout.isatty():
            click.echo(plain(chunk.records.decode("utf-8", "replace")), nl=False)
        else:
            click.echo(chunk.records, nl=False)

    return offset, write
