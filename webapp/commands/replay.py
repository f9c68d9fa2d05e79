"""`replay`: a session once more, in the agent's own rhythm."""

import sys
from contextlib import nullcontext

import click

from webapp.commands.exports.story import nanoseconds
from webapp.commands.follow import EventParser, follow
from webapp.commands.keys import is_terminal, reading_keys
from webapp.commands.moments import read_clock, read_moment, record_time
from webapp.commands.options import session_argument, var_options
from webapp.commands.player import Player, Quit, Rhythm
from webapp.commands.terminal import RESET, has_colour
from webapp.commands.transcript import Transcript
from webapp.commands.var_folder import VarFolder, open_var_folder
from webapp.errors import BadRequest
from webapp.log import reader, seek
from webapp.log.dialects.translate import read_dialect
from webapp.log.event_id import BEGINNING, EventId, read_id
from webapp.log.opened import OpenLog
from webapp.log.position import find_start
from webapp.log.record import TIME_BYTES, format_time
from webapp.store.models import Session

MAX_SPEED = 1000.0
MAX_GAP_SECONDS = 86_400.0
DEFAULT_GAP_SECONDS = 2.0


@click.command(
    epilog="""\b
Keys, at a terminal:
  space     pause, go on             left, right  10 s back, 10 s ahead
  + and -   faster, slower           n            to the next tool call or error
  home, 0   from the beginning       e, end       all the rest at once
  q         quit

\b
Examples:
  agent-stream replay last
  agent-stream replay last --speed 4 --max-gap 0.5
  agent-stream replay k3v9 --from 1:30
  agent-stream replay k3v9 --from 2026-11-23T21:04:00Z"""
)
@session_argument
@click.option(
    "--speed",
    type=click.FloatRange(0, MAX_SPEED, min_open=True),
    default=1.0,
    help="How many times as fast as the agent was. [1]",
)
@click.option(
    "--max-gap",
    type=click.FloatRange(0, MAX_GAP_SECONDS),
    default=DEFAULT_GAP_SECONDS,
    metavar="SECONDS",
    help=f"Longer silences are cut to this. [{DEFAULT_GAP_SECONDS:g}]",
)
@click.option(
    "--from",
    "start",
    metavar="PLACE",
    help="Begin there: an offset (an event's id), a time, or 1:30 or 90s after the start.",
)
@var_options
def replay(session: str, speed: float, max_gap: float, start: str | None) -> None:
    """Show what SESSION printed in the rhythm in which it did; then, if it still runs, go on live.

    The text is that of `tail`.
    """
    with open_var_folder() as var_folder:
        found = var_folder.find(session)
        if not found.is_live:
            var_folder.settle(found.id)
        with var_folder.reading(found) as log:
            beginning = BEGINNING if start is None else _find(log, start)
            keys_or_none = reading_keys() if is_terminal() else nullcontext(None)
            try:
                with keys_or_none as keys:
                    player = Player(log, Rhythm(speed, max_gap), keys, _write)
                    offset = player.play(beginning)
                if not reader.is_complete(log):
                    _go_on(var_folder, found, log, offset)
            except Quit:
                return
            finally:
                if has_colour():
                    _write(RESET)


def _write(text: str) -> None:
    click.echo(text, nl=False)


def _go_on(var_folder: VarFolder, session: Session, log: OpenLog, offset: int) -> None:
    transcript = Transcript(colour=has_colour(), redraws=sys.stdout.isatty())
    parser = EventParser(log, offset)
    for chunk in follow(var_folder, session, log, offset):
        _write("".join(map(transcript.show, parser.parse(chunk))))
    sys.stdout.flush()


def _find(log: OpenLog, text: str) -> EventId:
    """The position that a person means. BadRequest."""
    asked = read_id(text.strip())
    if asked is not None:
        start = find_start(log, asked, read_dialect(log).translate)
        return EventId(start.offset, start.seen)
    after = read_clock(text)
    if after is not None:
        stamp = reader.read_records(log, 0)[:TIME_BYTES].decode("ascii", "replace")
        start_ns = nanoseconds(stamp) or 0
        return EventId(seek.find_time(log, format_time(start_ns + int(after * 1e9))))
    moment = read_moment(text)
    if moment is None:
        raise BadRequest(
            f"--from is {text[:80]!r}, expected an offset such as 569, a time such as "
            "2026-11-23T21:04:00Z, or 1:30 or 90s after the start."
        )
    return EventId(seek.find_time(log, record_time(moment)))
