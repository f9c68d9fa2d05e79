"""`ls`: which sessions there are."""

import json

import click

from webapp.agents.reconcile import reconcile_all
from webapp.commands.figures import (
    STATUS_STYLES,
    age,
    byte_count,
    duration,
    outcome,
    seconds_between,
)
from webapp.commands.options import place_options
from webapp.commands.place import Place, open_place
from webapp.commands.table import Cell, Column, print_table
from webapp.commands.terminal import one_line
from webapp.errors import ServiceUnavailable
from webapp.store.models import STATUSES, Session
from webapp.store.sessions import list_sessions
from webapp.store.shapes import session as api_session

_DEFAULT_LIMIT = 20
_NO_LIMIT = -1
_MOST_OUTCOME_LETTERS = 40

_COLUMNS = (
    Column("session"),
    Column("status"),
    Column("outcome", may_be_cut=True),
    Column("agent"),
    Column("age", right=True, rank=1),
    Column("took", right=True, rank=2),
    Column("log", right=True, rank=3),
    Column("workflow", rank=4),
)


@click.command(
    name="ls",
    epilog="""\b
Examples:
  agent-stream ls
  agent-stream ls --status running,starting
  agent-stream ls --all --json | jq -r 'select(.exitCode != 0) | .sessionId'""",
)
@click.option(
    "--status", "statuses", metavar="STATUS", multiple=True, help=f"One of {', '.join(STATUSES)}."
)
@click.option("--workflow", metavar="ID", help="Only this workflow's.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=_DEFAULT_LIMIT,
    help=f"How many at most. [{_DEFAULT_LIMIT}]",
)
@click.option("--all", "is_all", is_flag=True, help="No limit.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON a session, as in the API.")
@place_options
def list_command(
    statuses: tuple[str, ...], workflow: str | None, limit: int, is_all: bool, as_json: bool
) -> None:
    """List the sessions, newest first."""
    wanted = [status for group in statuses for status in group.split(",") if status]
    with open_place() as place:
        end_lost_ones(place)
        with place.database.read() as orm:
            found = list_sessions(
                orm,
                statuses=wanted,
                workflow_id=workflow,
                limit=_NO_LIMIT if is_all else limit,
                cursor=None,
            )
        if as_json:
            for session in found:
                click.echo(json.dumps(api_session(session, place.log_bytes(session))))
        elif found:
            print_table(_COLUMNS, [_row(place, session) for session in found])
        else:
            click.echo("There are no such sessions." if wanted or workflow else "No sessions yet.")


def end_lost_ones(place: Place) -> None:
    """A list is worth having even where a row cannot be brought up to date."""
    try:
        reconcile_all(place.database, place.var)
    except ServiceUnavailable as error:
        click.echo(f"agent-stream: a lost session may be shown as running: {error}", err=True)


def _row(place: Place, session: Session) -> list[Cell]:
    took = duration(seconds_between(session.started_at, session.ended_at))
    return [
        Cell(session.id),
        Cell(session.status, STATUS_STYLES[session.status]),
        Cell(one_line(outcome(session), _MOST_OUTCOME_LETTERS)),
        Cell(session.agent),
        Cell(age(session.created_at)),
        Cell(took),
        Cell(byte_count(place.log_bytes(session))),
        Cell(session.workflow_id, "dim"),
    ]
