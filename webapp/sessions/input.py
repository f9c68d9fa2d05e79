"""Give a live agent something to read."""

from pathlib import Path

from webapp.errors import (
    AgentStreamError,
    BadRequest,
    Conflict,
    ServiceUnavailable,
    TooManyRequests,
)
from webapp.sessions import control
from webapp.sessions.layout import session_files
from webapp.store.models import Session

MAX_INPUT_BYTES = 64 * 1024


def send_input(
    var: Path, session: Session, content: str, *, key: str | None = None, is_last: bool = False
) -> None:
    """Have it recorded and written to the agent's stdin, after all that was sent before.

    With a key that was used before: nothing is sent again. `is_last` closes its stdin.
    Raises BadRequest for an agent that reads no input, Conflict for one that has ended or
    reads no more, TooManyRequests while too much waits, ServiceUnavailable.
    """
    if not session.is_live:
        raise _ended(session)
    try:
        reason = control.send_input(session_files(var, session), content, key=key, is_last=is_last)
    except control.RunnerGone:
        raise _ended(session) from None
    if reason is not None:
        raise _refusal(session, reason, key)


def _ended(session: Session) -> Conflict:
    how = f": it is {session.status}" if not session.is_live else ""
    return Conflict(f"Session {session.id!r} has ended{how}.", field="sessionId")


def _refusal(session: Session, reason: str, key: str | None) -> AgentStreamError:
    """The runner's words are in webapp/runner/input_desk.py."""
    match reason:
        case "closed":
            return Conflict(
                f"The agent of {session.id!r} reads no more: its input has ended.",
                field="sessionId",
            )
        case "other content":
            return Conflict(
                f"Idempotency key {key!r} was used for other input.", field="idempotencyKey"
            )
        case "full":
            return TooManyRequests(
                f"The agent of {session.id!r} has not read what was sent before; try again "
                "when it has.",
                field="content",
                retry_after=2,
            )
        case "no room":
            return ServiceUnavailable(
                "The input cannot be recorded: no space left for the log.", retry_after=30
            )
    return BadRequest(
        f"Agent {session.agent!r} reads no input while it runs: its profile does not say "
        "`input = true`.",
        field="sessionId",
    )
