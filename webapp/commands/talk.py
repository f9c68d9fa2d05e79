"""Send messages to a conversation from a shell, with or without a server."""

from collections.abc import Iterator
from contextlib import contextmanager

from webapp.commands.approvals import who
from webapp.commands.var_folder import VarFolder, settings_of_a_writer
from webapp.sessions import conversations
from webapp.sessions.conversations import Sent
from webapp.sessions.launch import Launcher
from webapp.store.models import Session


def send_message(
    var_folder: VarFolder, session: Session, content: str, key: str | None = None
) -> Sent:
    """Send a message to a session; if that has ended, to what goes on with its conversation."""
    with _launcher(var_folder) as launcher:
        return conversations.send(launcher, session, content, key=key, by=who())


def send_to_live(var_folder: VarFolder, session: Session, content: str) -> None:
    """Send a message to this very session. Closed if it has ended."""
    with _launcher(var_folder) as launcher:
        conversations.send_to_live(launcher, session, content, by=who())


@contextmanager
def _launcher(var_folder: VarFolder) -> Iterator[Launcher]:
    launcher = Launcher(settings_of_a_writer(), var_folder.database)
    try:
        yield launcher
    finally:
        launcher.runners.stop()
