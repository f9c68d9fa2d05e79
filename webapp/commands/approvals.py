"""`approvals`: all that waits for a person."""

import getpass
import json
from collections.abc import Iterator

import click

from webapp.commands.conversation_parts import number_of, title_of
from webapp.commands.options import var_options
from webapp.commands.table import Cell, Column, print_table
from webapp.commands.terminal import one_line
from webapp.commands.var_folder import VarFolder, open_var_folder
from webapp.store import conversations, shapes

_MOST_TITLE_LETTERS = 200
_COLUMNS = (
    Column("approval"),
    Column("kind", rank=2),
    Column("wants", may_be_cut=True),
    Column("tool", rank=1),
    Column("workflow", rank=3),
)


@click.command(
    name="approvals",
    epilog="""\b
Examples:
  agent-stream approvals
  agent-stream approve last/1
  agent-stream approvals --json | jq -r '.input.command'""",
)
@click.option("--json", "as_json", is_flag=True, help="A line of JSON each, as in the API.")
@var_options
def approvals_command(as_json: bool) -> None:
    """List what agents wait for a person to approve, in all sessions."""
    with open_var_folder() as var_folder:
        found = list(open_approvals(var_folder))
    if as_json:
        for approval in found:
            click.echo(json.dumps(approval))
        return
    if not found:
        click.echo("Nothing waits for a person.")
        return
    print_table(_COLUMNS, [_row(approval) for approval in found])


def open_approvals(var_folder: VarFolder) -> Iterator[dict[str, object]]:
    """Each with its session and its workflow; a session that lost its runner is ended first."""
    with var_folder.database.read() as orm:
        waiting = conversations.find_waiting(orm)
    for session in waiting:
        if not var_folder.look_up(session.session_id).is_live:
            continue
        for record in shapes.read_list(session.open_approvals):
            if isinstance(record, dict):
                yield {
                    "sessionId": session.session_id,
                    "workflowId": session.workflow_id,
                    **record,
                }


def who() -> str:
    """Who answers at this shell, as others are to see it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "shell"


def _row(approval: dict[str, object]) -> list[Cell]:
    return [
        Cell(f"{approval['sessionId']}/{number_of(approval.get('id'))}"),
        Cell(str(approval.get("kind", ""))),
        Cell(one_line(title_of(approval), _MOST_TITLE_LETTERS)),
        Cell(str(approval.get("tool") or "")),
        Cell(str(approval["workflowId"]), "dim"),
    ]
