"""The procedures of sessions."""

from webapp.agents import live_input
from webapp.errors import BadRequest
from webapp.http import inputs
from webapp.http.services import services
from webapp.http.trpc.call_input import idempotency_key
from webapp.store import sessions


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
    rows = [services().show(services().as_it_is(session)) for session in found[:limit]]
    return {"sessions": rows, "nextCursor": found[limit - 1].id if len(found) > limit else None}


def get(value: object) -> object:
    """`session.get {sessionId}` → the session."""
    return services().show(services().look_up(_session_id(value)))


def cancel(value: object) -> object:
    """`session.cancel {sessionId}`: SIGTERM to the agent, SIGKILL after the grace time."""
    return services().show(services().cancel(_session_id(value)))


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
    return services().show(session)


def _session_id(value: object) -> str:
    return inputs.required_text(inputs.check_object(value, "input", ("sessionId",)), "sessionId")
