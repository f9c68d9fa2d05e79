"""`waiting`: all that concerns a person, the same as on every page."""

import json
from typing import Any

import click

from webapp.commands.conversation_parts import number_of
from webapp.commands.ls import end_lost_ones
from webapp.commands.options import var_options
from webapp.commands.table import Cell, Column, print_table
from webapp.commands.terminal import one_line
from webapp.commands.var_folder import open_var_folder
from webapp.store import notices

_MAX_TEXT_LETTERS = 200
_WORDS = {
    "approval": ("needs approval", "yellow"),
    "question": ("asks", "yellow"),
    "turn_ended": ("turn ended", "green"),
    "failed": ("failed", "red"),
    "lost": ("lost", "red"),
    "budget": ("budget reached", "red"),
}
_COLUMNS = (
    Column("what"),
    Column("agent", rank=1),
    Column("about"),
    Column("text", may_be_cut=True),
    Column("since (UTC)", rank=2),
    Column("workflow", rank=3),
)


@click.command(
    epilog="""\b
Examples:
  agent-stream waiting
  agent-stream waiting --seen
  agent-stream waiting --json | jq -r .kind"""
)
@click.option("--json", "as_json", is_flag=True, help="A line of JSON each, as in the API.")
@click.option("--seen", is_flag=True, help="Then mark all as seen; approvals and questions stay.")
@var_options
def waiting(as_json: bool, seen: bool) -> None:
    """List what needs a person: approvals, questions, what ended and what went wrong.

    The newest comes first; at most 30 are listed.
    """
    with open_var_folder() as var_folder:
        end_lost_ones(var_folder)
        with var_folder.database.read() as orm:
            found = notices.find_open(orm)
        if seen:
            var_folder.database.write(lambda orm: notices.mark_seen(orm, None))
    if as_json:
        for notice in found:
            click.echo(json.dumps(notice))
        return
    if not found:
        click.echo("Nothing waits for a person.")
        return
    print_table(_COLUMNS, [_row(notice) for notice in found])


def _row(notice: dict[str, Any]) -> list[Cell]:
    about = notice["sessionId"] or ""
    if notice["approvalId"] is not None:  # as `agent-stream approve` takes it
        about = f"{about}/{number_of(notice['approvalId'])}"
    return [
        Cell(*_WORDS[notice["kind"]]),
        Cell(one_line(notice["agent"], _MAX_TEXT_LETTERS)),
        Cell(about),
        Cell(one_line(notice["text"] or notice["title"] or "", _MAX_TEXT_LETTERS)),
        Cell(notice["madeAt"][:19].replace("T", " "), "dim"),
        Cell(notice["workflowId"] or "", "dim"),
    ]
