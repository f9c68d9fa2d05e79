"""`cancel`: ask a session's runner to end its agent."""

import time

import click

from webapp.commands.figures import duration, outcome, seconds_between
from webapp.commands.options import session_argument, var_options
from webapp.commands.terminal import plain
from webapp.commands.var_folder import VarFolder, open_var_folder
from webapp.errors import Conflict, ServiceUnavailable
from webapp.sessions import control
from webapp.sessions.layout import session_files
from webapp.store.models import Session

LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 5.0
"""How long a runner that does not listen any more may take to write down its end."""


@click.command(
    epilog="""\b
Examples:
  agent-stream cancel last
  agent-stream cancel --no-wait session-1790000000000-k3v9x0a1b2c3"""
)
@session_argument
@click.option("--wait/--no-wait", default=True, help="Wait until it has ended. [wait]")
@var_options
def cancel(session: str, wait: bool) -> None:
    """End SESSION: SIGTERM to the agent and all that it started, SIGKILL later.

    The exit code is 1 if it had already ended.
    """
    with open_var_folder() as var_folder:
        found = var_folder.find(session)
        if not found.is_live:
            raise _already_ended(found)
        try:
            control.cancel(session_files(var_folder.var, found))
        except control.RunnerGone:
            raise _already_ended(_wait_for_row(var_folder, found)) from None
        if not wait:
            click.echo(f"{found.id}: asked to end")
            return
        _report(_wait(var_folder, found))


def _already_ended(session: Session) -> Conflict:
    return Conflict(f"{session.id} had already ended: it is {session.status}.")


def _wait(var_folder: VarFolder, session: Session) -> Session:
    while session.is_live:
        time.sleep(LOOK_SECONDS)
        session = var_folder.look_up(session.id)
    return session


def _wait_for_row(var_folder: VarFolder, session: Session) -> Session:
    """The session of a runner that is just ending."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while session.is_live:
        if time.monotonic() >= give_up_at:
            raise ServiceUnavailable(
                f"The runner of {session.id} lives but does not listen at its control.sock. "
                f"`kill -TERM {session.runner_pid}` on {session.host} ends it."
            )
        time.sleep(LOOK_SECONDS)
        session = var_folder.look_up(session.id)
    return session


def _report(session: Session) -> None:
    took = duration(seconds_between(session.started_at, session.ended_at))
    facts = [outcome(session), f"after {took}" if took else ""]
    about = ", ".join(fact for fact in facts if fact)
    click.echo(plain(f"{session.id}: {session.status}{f' ({about})' if about else ''}"))
