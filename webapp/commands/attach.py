"""`attach`: be where a live agent is; see what it prints, answer it, stop it."""

import click

from webapp.commands.follow import Chunk, EventParser, follow
from webapp.commands.keys import is_terminal
from webapp.commands.options import session_argument, var_options
from webapp.commands.terminal import RESET, has_colour
from webapp.commands.transcript import Transcript, last_lines
from webapp.commands.var_folder import VarFolder, open_var_folder
from webapp.log import reader
from webapp.store.models import Session

DEFAULT_LINES = 100


@click.command(
    epilog="""\b
Keys, at a terminal:
  Enter     send the line to the agent, if it reads input
  y, a, n   answer what it asks for: once, for the session, not at all
  Ctrl-D    end its input
  Ctrl-X    stop the agent (SIGTERM); once more: kill it (SIGKILL). The first one ends only
            the turn of an agent that holds a conversation
  Ctrl-C    leave; the session goes on (so does Ctrl-Z)

\b
Examples:
  agent-stream attach last
  agent-stream attach k3v9 -n 20"""
)
@session_argument
@click.option(
    "-n",
    "--lines",
    "count",
    type=click.IntRange(min=0),
    default=DEFAULT_LINES,
    help=f"How many of the lines that are there to show first. [{DEFAULT_LINES}]",
)
@var_options
@click.pass_context
def attach(context: click.Context, session: str, count: int) -> None:
    """Show the end of SESSION and what comes, with a line to answer in and keys to stop it.

    Without a terminal it is `tail -f -n 100`. No server is needed. The exit code is 0 when
    the session is done, 130 if you left before.
    """
    with open_var_folder() as var_folder:
        found = var_folder.find(session)
        if not found.is_live:
            var_folder.settle(found.id)
        if not watch(var_folder, found, lines=count, interrupt_stops=False):
            click.echo(f"left {found.id}, which goes on: agent-stream attach {found.id}", err=True)
            context.exit(130)


def watch(
    var_folder: VarFolder, session: Session, *, lines: int | None, interrupt_stops: bool
) -> bool:
    """Show a session up to its end; False if somebody left before.

    `lines`: so many of those that are there already; None for all.
    """
    with var_folder.reading(session) as log:
        offset, transcript = 0, Transcript(colour=has_colour())
        if lines is not None:
            offset = reader.find_end(log, log.size())
            shown, transcript = last_lines(log, offset, lines, colour=has_colour())
            click.echo(shown, nl=False)
        parser = EventParser(log, offset)
        try:
            if is_terminal() and not reader.is_complete(log):
                from webapp.commands.console import Console

                console = Console(var_folder, session, interrupt_stops=interrupt_stops)
                return console.run(
                    lambda stop: follow(var_folder, session, log, offset, stop), parser, transcript
                )
            for chunk in follow(var_folder, session, log, offset):
                _echo(chunk, parser, transcript)
            return True
        finally:
            if has_colour():
                click.echo(RESET, nl=False)


def _echo(chunk: Chunk, parser: EventParser, transcript: Transcript) -> None:
    click.echo("".join(map(transcript.show, parser.parse(chunk))), nl=False)
