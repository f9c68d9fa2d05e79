"""`show`: all about one session."""

import json
import shlex

import click

from webapp.commands.conversation_parts import number_of, title_of
from webapp.commands.figures import (
    STATUS_STYLES,
    byte_count,
    command_line,
    duration,
    outcome,
    seconds_between,
)
from webapp.commands.options import session_argument, var_options
from webapp.commands.terminal import has_colour, paint
from webapp.commands.transcript import last_line_texts
from webapp.commands.var_folder import VarFolder, open_var_folder
from webapp.log.opened import open_log
from webapp.store import costs
from webapp.store.damage import read_command
from webapp.store.models import Session
from webapp.store.shapes import read_list
from webapp.store.shapes import session as api_session
from webapp.store.terminal_command import terminal_command
from webapp.visible import visible

LAST_LINES = 10


@click.command(
    name="show",
    epilog="""\b
Examples:
  agent-stream show last
  agent-stream show k3v9x0a1 --json | jq .argv""",
)
@session_argument
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object: the API's fields, and more."
)
@var_options
def show_command(session: str, as_json: bool) -> None:
    """Show everything about SESSION, and the last lines of its output."""
    with open_var_folder() as var_folder:
        found = var_folder.find(session)
        last_lines = _last_lines(var_folder, found)
        if as_json:
            click.echo(json.dumps(_as_json(var_folder, found, last_lines), indent=2))
            return
        colour = has_colour()
        for name, value in _facts(var_folder, found):
            style = STATUS_STYLES[found.status] if name == "status" else None
            shown = visible(value)
            click.echo(f"{name:<12} {paint(shown, style, colour=colour) if style else shown}")
        if last_lines:
            click.echo(f"\nlast lines of its output (agent-stream tail {found.id}):")
            for line in last_lines:
                click.echo(f"  {line}")


def _last_lines(var_folder: VarFolder, session: Session) -> list[str]:
    try:
        log = open_log(var_folder.log(session))
    except OSError:
        return []
    try:
        return last_line_texts(log, LAST_LINES)
    finally:
        log.close()


def _sqlite_line(var_folder: VarFolder, session: Session) -> str:
    query = f"select * from session_overview where session = '{session.id}'"  # noqa: S608
    return f'sqlite3 {shlex.quote(str(var_folder.database.path))} "{query}"'


def _as_json(var_folder: VarFolder, session: Session, last_lines: list[str]) -> dict[str, object]:
    with var_folder.database.read() as orm:
        spent = costs.as_json(orm, session)
    return api_session(session, var_folder.log_bytes(session)) | {
        **spent,
        "argv": read_command(session),
        "cwd": session.cwd,
        "runnerPid": session.runner_pid,
        "host": session.host,
        "log": str(var_folder.log(session)),
        "sqlite": _sqlite_line(var_folder, session),
        "lastLines": last_lines,
    }


def _facts(var_folder: VarFolder, session: Session) -> list[tuple[str, str]]:
    status = session.status
    if session.exit_signal is not None or session.exit_code is not None:
        status += f", {outcome(session)}"
    size = byte_count(var_folder.log_bytes(session))
    facts = [
        ("session", session.id),
        ("status", status),
        ("error", session.error),
        ("agent", session.agent),
        *_conversation(session),
        ("workflow", f"{session.workflow_id}, stage {session.stage_index}"),
        ("command", command_line(session)),
        ("cwd", session.cwd or "(where the server was started)"),
        ("pid", _text(session.pid)),
        ("runner pid", _text(session.runner_pid)),
        ("host", session.host),
        ("created", session.created_at),
        ("started", session.started_at),
        ("ended", session.ended_at),
        ("took", duration(seconds_between(session.started_at, session.ended_at))),
        ("log", f"{var_folder.log(session)}{f' ({size})' if size else ' (gone)'}"),
        ("row", _sqlite_line(var_folder, session)),
    ]
    return [(name, value) for name, value in facts if value]


def _conversation(session: Session) -> list[tuple[str, str | None]]:
    """What it does, what it waits for, and how its conversation goes on elsewhere."""
    waiting = [each for each in read_list(session.open_approvals) if isinstance(each, dict)]
    facts = [
        ("state", session.state),
        ("mode", session.mode),
        ("model", session.model),
        ("conversation", session.conversation_id),
        ("resumed from", session.resumed_from),
        *(("waits for", f"{number_of(each.get('id'))}: {title_of(each)}") for each in waiting),
    ]
    if (command := terminal_command(session)) is not None:
        facts.append(("goes on with", command))
    return facts


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
