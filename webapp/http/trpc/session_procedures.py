"""The procedures of sessions."""

from webapp.errors import BadRequest
from webapp.http import session_query
from webapp.http.inputs import convert
from webapp.http.services import services
from webapp.http.trpc import structs
from webapp.http.trpc.call_input import idempotency_key
from webapp.sessions import input as live_input


def list_page(value: object) -> object:
    """`session.list {status?, agent?, workflowId?, from?, to?, text?, sort?, limit?, cursor?}`.

    → `{sessions, nextCursor}`, newest first unless `sort` says otherwise. `status` and `agent`
    are one or several: `"running"`, `["starting", "running"]`.
    """
    return session_query.answer(session_query.from_input(value))


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
    given = convert(value, structs.SendInput)
    content, is_last = given.content or "", bool(given.end)
    if not content and not is_last:
        raise BadRequest("content is missing.", field="content")

    key = idempotency_key(given.idempotency_key)
    session = services().look_up(given.session_id)
    live_input.send_input(services().launcher.var, session, content, key=key, is_last=is_last)
    return services().show(session)


def _session_id(value: object) -> str:
    return convert(value, structs.OneSession).session_id
