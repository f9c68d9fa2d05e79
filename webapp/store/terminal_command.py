"""The command that continues a conversation in a terminal, once its session here has ended."""

import os
import shlex

from webapp.store.damage import read_command
from webapp.store.models import Session

_COMMANDS = {
    "claude": ("claude", "--resume"),
    "codex": ("codex", "resume"),
}
"""By the agent's program."""


def terminal_command(session: Session) -> str | None:
    """A line for a shell; None while the session is live, and for programs that have no such
    command."""
    if session.is_live or session.conversation_id is None:
        return None
    argv = read_command(session)
    # A conversation that was adopted has not run here yet.
    program = os.path.basename(argv[0]) if argv else session.talk
    command = _COMMANDS.get(program or "")
    if command is None:
        return None
    line = shlex.join([*command, session.conversation_id])
    return line if session.cwd is None else f"cd {shlex.quote(session.cwd)} && {line}"
