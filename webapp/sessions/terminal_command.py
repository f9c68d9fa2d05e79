"""The command that goes on with a conversation in a terminal, once its session here has ended."""

import shlex

from webapp.store.models import Session

_COMMANDS = {
    "claude": ("claude", "--resume"),
    "codex": ("codex", "resume"),
}
"""By the protocol that is spoken with the agent; ACP names no command."""


def terminal_command(session: Session) -> str | None:
    """A line for a shell; None where the agent has none, or no conversation was begun."""
    command = _COMMANDS.get(session.talk or session.agent.removesuffix("-once"))
    if command is None or session.conversation_id is None:
        return None
    line = shlex.join([*command, session.conversation_id])
    return line if session.cwd is None else f"cd {shlex.quote(session.cwd)} && {line}"
