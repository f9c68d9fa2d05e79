"""`interrupt`: end the turn of an agent that holds a conversation, not its session."""

import click

from webapp.commands.approvals import who
from webapp.commands.options import session_argument, var_options
from webapp.commands.var_folder import open_var_folder
from webapp.sessions import live_talk
from webapp.sessions.layout import session_files


@click.command(
    epilog="""\b
Examples:
  agent-stream interrupt last"""
)
@session_argument
@var_options
def interrupt(session: str) -> None:
    """End what the agent of SESSION is doing now; the conversation goes on.

    Messages that it has not taken are cancelled. `cancel` ends the session.
    """
    with open_var_folder() as var_folder:
        found = var_folder.find(session)
        answer = live_talk.interrupt(session_files(var_folder.var, found), who())
    said = "interrupted" if answer["interrupted"] else "was not working"
    count = len(answer["cancelled"])
    taken_back = f", {count} waiting message{'s' if count != 1 else ''} cancelled" if count else ""
    click.echo(f"{found.id}: {said}{taken_back}")
