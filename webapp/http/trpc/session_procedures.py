"""The procedures of sessions."""

from webapp.errors import BadRequest
from webapp.http import inputs, session_query
from webapp.http.services import services
from webapp.http.trpc.call_input import idempotency_key
from webapp.sessions import input as live_input


def list_page(value: object) -> object:
    """`session.list {status?, agent?, workflowId?, from?, to?, text?, sort?, limit?, cursor?}`.

    → `{sessions, nextCursor}`, newest first unless `sort` says otherwise. `status` and `agent`
    are one or several: `"running"`, `["starting", "running"]`.
    """
    given = inputs.check_object({} if value is None else value, "input", session_query.FIELDS)
    return session_query.answer(session_query.from_input(given))


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
