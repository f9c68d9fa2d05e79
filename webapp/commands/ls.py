"""`ls`: which sessions there are."""

import json
from collections.abc import Iterator

import click

from webapp.commands.figures import (
    STATUS_STYLES,
    age,
    byte_count,
    duration,
    outcome,
    seconds_between,
)
from webapp.commands.moments import as_since
from webapp.commands.options import var_options
from webapp.commands.table import Cell, Column, print_table
from webapp.commands.terminal import one_line
from webapp.commands.var_folder import VarFolder, open_var_folder
from webapp.errors import ServiceUnavailable
from webapp.search.session_texts import open_texts
from webapp.sessions.reconcile import reconcile_all
from webapp.store import costs
from webapp.store.models import STATUSES, Session
from webapp.store.session_filter import Filter
from webapp.store.session_list import find_page
from webapp.store.session_order import SORTS
from webapp.store.shapes import session as api_session

_DEFAULT_LIMIT = 20
_PAGE = 500
_MOST_OUTCOME_LETTERS = 40

_COLUMNS = (
    Column("session"),
    Column("status"),
    Column("outcome", may_be_cut=True),
    Column("agent"),
    Column("project", rank=1),
    Column("age", right=True, rank=2),
    Column("took", right=True, rank=3),
    Column("log", right=True, rank=4),
    Column("workflow", rank=5),
)


@click.command(
    name="ls",
    epilog="""\b
Examples:
  agent-stream ls
  agent-stream ls --status running,starting
  agent-stream ls --since 24h --agent claude --sort longest
  agent-stream ls --all --json | jq -r 'select(.exitCode != 0) | .sessionId'""",
)
@click.option(
    "--status", "statuses", metavar="STATUS", multiple=True, help=f"One of {', '.join(STATUSES)}."
)
@click.option("--agent", "agents", metavar="NAME", multiple=True, help="Only this agent's.")
@click.option("--project", "projects", metavar="NAME", multiple=True, help="Only this project's.")
@click.option("--workflow", metavar="ID", help="Only this workflow's.")
@click.option(
    "--since", metavar="TIME", callback=as_since, help="Made since then: 24h (ago), 2026-11-23."
)
@click.option("--until", metavar="TIME", callback=as_since, help="Made before then.")
@click.option(
    "--text",
    default="",
    help="Stands in the message that started it, in its error or its workflow's request id.",
)
@click.option("--sort", type=click.Choice(SORTS), default="newest", help="The order. [newest]")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=_DEFAULT_LIMIT,
    help=f"How many at most. [{_DEFAULT_LIMIT}]",
)
@click.option("--all", "is_all", is_flag=True, help="No limit.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON a session, as in the API.")
@var_options
def list_command(
    statuses: tuple[str, ...],
    agents: tuple[str, ...],
    projects: tuple[str, ...],
    workflow: str | None,
    since: int | None,
    until: int | None,
    text: str,
    sort: str,
    limit: int,
    is_all: bool,
    as_json: bool,
) -> None:
    """List the sessions, newest first."""
    wanted = Filter(
        statuses=_each(statuses),
        agents=_each(agents),
        projects=projects,
        workflow_id=workflow,
        since_ms=since,
        until_ms=until,
        text=text.strip(),
    )
    with open_var_folder() as var_folder:
        end_lost_ones(var_folder)
        found = _sessions(var_folder, wanted, sort, None if is_all else limit)
        if as_json:
            for sessions in found:
                _print_json(var_folder, sessions)
            return
        shown = [session for sessions in found for session in sessions]
        if shown:
            print_table(_COLUMNS, [_row(var_folder, session) for session in shown])
        else:
            click.echo("No sessions yet." if wanted == Filter() else "There are no such sessions.")


def _each(groups: tuple[str, ...]) -> tuple[str, ...]:
    """Names that were given one by one, or several with commas between them."""
    return tuple(name for group in groups for name in group.split(",") if name)


def _sessions(
    var_folder: VarFolder, wanted: Filter, sort: str, limit: int | None
) -> Iterator[list[Session]]:
    """The pages of a list, until there are `limit` sessions."""
    left, cursor = limit, None
    while left is None or left > 0:
        with var_folder.database.read() as orm, open_texts(var_folder.var, wanted) as index:
            page = find_page(
                orm,
                wanted,
                sort=sort,
                limit=_PAGE if left is None else min(left, _PAGE),
                cursor=cursor,
                live_bytes=var_folder.log_bytes,
                index=index,
            )
        yield page.sessions
        left = None if left is None else left - len(page.sessions)
        cursor = page.next_cursor
        if cursor is None:
            return


def _print_json(var_folder: VarFolder, sessions: list[Session]) -> None:
    """A line for each session, as the API's list has it."""
    with var_folder.database.read() as orm:
        spent = costs.of_sessions(orm, [session.id for session in sessions])
    for session in sessions:
        shown = api_session(session, var_folder.log_bytes(session))
        click.echo(json.dumps(shown | {"costUsd": spent.get(session.id)}))


def end_lost_ones(var_folder: VarFolder) -> None:
    """A list is worth having even where a row cannot be brought up to date."""
    try:
        reconcile_all(var_folder.database, var_folder.var)
    except ServiceUnavailable as error:
        click.echo(f"agent-stream: a lost session may be shown as running: {error}", err=True)


def _row(var_folder: VarFolder, session: Session) -> list[Cell]:
    took = duration(seconds_between(session.started_at, session.ended_at))
    return [
        Cell(session.id),
        Cell(session.status, STATUS_STYLES[session.status]),
        Cell(one_line(outcome(session), _MOST_OUTCOME_LETTERS)),
        Cell(session.agent),
        Cell(session.project or ""),
        Cell(age(session.created_at)),
        Cell(took),
        Cell(byte_count(var_folder.log_bytes(session))),
        Cell(session.workflow_id, "dim"),
    ]
