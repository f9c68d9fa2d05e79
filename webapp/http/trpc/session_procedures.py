"""The procedures of sessions."""

from webapp.agents import live_input, stopping
from webapp.agents.places import session_files
from webapp.errors import BadRequest, Conflict
from webapp.http import inputs
from webapp.http.services import services
from webapp.http.trpc.call_input import idempotency_key
from webapp.store import sessions, shapes
from webapp.store.models import Session


def list_page(value: object) -> object:
    """`session.list {workflowId?, status?, limit?, cursor?}` → `{sessions, nextCursor}`.

    Newest first. `status` is one or several: `"running"`, `["starting", "running"]`.
    """
    known = ("workflowId", "status", "limit", "cursor")
    given = inputs.check_object({} if value is None else value, "input", known)
    limit = inputs.optional_number(given, "limit", least=1, most=500) or 50
    with services().database.read() as orm:
        found = sessions.list_sessions(
            orm,
            statuses=inputs.optional_texts(given, "status"),
            workflow_id=inputs.optional_text(given, "workflowId"),
            limit=limit + 1,
            cursor=inputs.optional_text(given, "cursor"),
        )
    rows = [_show(services().as_it_is(session)) for session in found[:limit]]
    return {"sessions": rows, "nextCursor": found[limit - 1].id if len(found) > limit else None}


def get(value: object) -> object:
    """`session.get {sessionId}` → the session."""
    return _show(services().look_up(_session_id(value)))


def cancel(value: object) -> object:
    """`session.cancel {sessionId}`: SIGTERM to the agent, SIGKILL after the grace time."""
    session = services().look_up(_session_id(value))
    session = stopping.cancel_session(services().database, services().launcher.var, session)
    if not session.is_live:
        raise Conflict(
            f"Session {session.id!r} has ended: it is {session.status}.", field="sessionId"
        )
    return _show(session)


def send_input(value: object) -> object:
    """`session.sendInput {sessionId, content?, end?, idempotencyKey?}` → the session.

    A newline is added unless `content` ends with one. `end` closes the agent's stdin.
    """
    known = ("sessionId", "content", "end", "idempotencyKey")
    given = inputs.check_object(value, "input", known)
    session_id = inputs.required_text(given, "sessionId")
    content = inputs.optional_text(given, "content", most_bytes=live_input.MAX_INPUT_BYTES) or ""
    is_last = inputs.optional_flag(given, "end")
    if not content and not is_last:
        raise BadRequest("content is missing.", field="content")

    key = idempotency_key(given)
    session = services().look_up(session_id)
    live_input.send_input(services().launcher.var, session, content, key=key, is_last=is_last)
    return _show(session)


def _session_id(value: object) -> str:
    return inputs.required_text(inputs.check_object(value, "input", ("sessionId",)), "sessionId")


def _show(session: Session) -> dict[str, object]:
    return shapes.session(session, _log_bytes(session) if session.is_live else None)


def _log_bytes(session: Session) -> int | None:
    try:
        return session_files(services().launcher.var, session).log.stat().st_size
    except OSError:
        return None
