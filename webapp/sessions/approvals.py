"""Answer what an agent asks a person for.

The runner decides: of two answers the first one counts. It is asked before the database, which
may be locked or full.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from webapp.errors import AgentStreamError, BadRequest, Conflict, NotFound, ServiceUnavailable
from webapp.sessions import control
from webapp.sessions.conversations import read_log
from webapp.sessions.layout import new_session_files
from webapp.sessions.reconcile import reconcile
from webapp.store import sessions
from webapp.store.engine import Database
from webapp.store.ids import SESSION_ID


def answer(
    database: Database, var: Path, session_id: str, approval_id: str, given: Mapping[str, Any]
) -> dict[str, Any]:
    """The record of the resolved approval. `given`: `option`, and what goes with it.

    NotFound for an approval that never was, Conflict for one that is resolved, and how;
    BadRequest for an answer that does not fit, and what would; ServiceUnavailable.
    """
    if SESSION_ID.fullmatch(session_id) is None:
        raise _unknown(session_id, approval_id)
    try:
        request = {"type": "answer", "id": approval_id, **given}
        reply = control.ask(new_session_files(var, session_id), request)
    except control.RunnerGone:
        raise _too_late(database, var, session_id, approval_id) from None
    resolved = reply.get("resolved")
    error = reply.get("error")
    if error is None and isinstance(resolved, dict):
        return resolved
    match error:
        case "unknown":
            raise _unknown(session_id, approval_id)
        case "closed":
            raise _resolved(approval_id, resolved if isinstance(resolved, dict) else {})
        case "option" | "input" | "answers" | "message":
            raise BadRequest(
                f"{error} does not fit approval {approval_id}, expected {reply.get('expected')}.",
                field=str(error),
            )
        case "no room":
            raise ServiceUnavailable(
                "The answer cannot be recorded: no space left for the log.", retry_after=30
            )
        case "no talk":
            raise _unknown(session_id, approval_id)
    if isinstance(error, str) and error.startswith("unknown request"):
        raise _unknown(session_id, approval_id)
    raise ServiceUnavailable(f"The runner answers {reply!r:.200}.", retry_after=2)


def _too_late(database: Database, var: Path, session_id: str, approval_id: str) -> AgentStreamError:
    """What became of an approval whose session has ended; whoever finds that ends its row."""
    with database.read() as orm:
        session = sessions.get_session(orm, session_id)
    session = reconcile(database, var, session)
    found = read_log(var, session).approvals.get(approval_id)
    if found is None:
        return _unknown(session_id, approval_id)
    return _resolved(approval_id, found.resolution or {"outcome": "withdrawn"})


def _resolved(approval_id: str, resolution: Mapping[str, Any]) -> Conflict:
    outcome, option, by = (resolution.get(name) for name in ("outcome", "option", "by"))
    how = f" ({option})" if option and option != outcome else ""
    who = f" by {by}" if by else ""
    return Conflict(
        f"Approval {approval_id} is resolved already: {outcome}{how}{who}.", field="approvalId"
    )


def _unknown(session_id: str, approval_id: str) -> NotFound:
    return NotFound(
        f"Session {session_id!r} has no approval {approval_id!r}, and never had one.",
        field="approvalId",
    )
