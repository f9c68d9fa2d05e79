"""The procedures of sessions."""

from webapp.errors import BadRequest, Conflict
from webapp.http import approvals, session_changes, session_query
from webapp.http.inputs import convert
from webapp.http.services import services, who
from webapp.http.trpc import structs
from webapp.http.trpc.call_input import idempotency_key
from webapp.sessions import conversations, live_talk
from webapp.sessions import input as live_input
from webapp.sessions.layout import SessionFiles, session_files
from webapp.store.models import Session


def list_page(value: object) -> object:
    """`session.list {status?, agent?, workflowId?, from?, to?, text?, sort?, limit?, cursor?}`.

    → `{sessions, nextCursor}`, newest first unless `sort` says otherwise. `status` and `agent`
    are one or several: `"running"`, `["starting", "running"]`.
    """
    return session_query.answer(session_query.from_input(value))


def get(value: object) -> object:
    """`session.get {sessionId}` → the session."""
    return services().show_with_cost(services().look_up(_session_id(value)))


def cancel(value: object) -> object:
    """`session.cancel {sessionId}`: SIGTERM to the agent, SIGKILL after the grace time."""
    return services().show(services().cancel(_session_id(value)))


def send_input(value: object) -> object:
    """`session.sendInput {sessionId, content?, end?, idempotencyKey?, by?}` → the session.

    A newline is added unless `content` ends with one. `end` closes the agent's stdin. To an agent
    that holds a conversation it is a message.
    """
    given = convert(value, structs.SendInput)
    content, is_last = given.content or "", bool(given.end)
    if not content and not is_last:
        raise BadRequest("content is missing.", field="content")

    key = idempotency_key(given.idempotency_key)
    session = services().look_up(given.session_id)
    if session.talk is not None:
        return _send_message(session, content, key, given)
    live_input.send_input(services().launcher.var, session, content, key=key, is_last=is_last)
    return services().show(session)


def _send_message(
    session: Session, content: str, key: str | None, given: structs.SendInput
) -> object:
    if given.end:
        raise BadRequest(
            "end is true, expected no end: a conversation has no input to close; cancel the "
            "session to end it.",
            field="end",
        )
    conversations.send_to_live(services().launcher, session, content, key=key, by=who(given.by))
    return services().show(session)


# --- conversations ----------------------------------------------------------------------


def answer(value: object) -> object:
    """`session.answer {sessionId, approvalId, option, message?, input?, answers?, by?}`.

    → the resolved approval. The first answer counts; a later one is a conflict.
    """
    given = convert(value, structs.Answer)
    return approvals.answer(given.session_id, given.approval_id, given)


def interrupt(value: object) -> object:
    """`session.interrupt {sessionId, by?}`: end the turn, not the session.

    → `{interrupted, cancelled}`: the ids of the messages that had waited.
    """
    given = convert(value, structs.Interrupt)
    return live_talk.interrupt(_live(given.session_id), who(given.by))


def cancel_message(value: object) -> object:
    """`session.cancelMessage {sessionId, messageId}` → `{cancelled}`; false: it was taken."""
    given = convert(value, structs.CancelMessage)
    return {"cancelled": live_talk.cancel_message(_live(given.session_id), given.message_id)}


def set_mode(value: object) -> object:
    """`session.setMode {sessionId, mode, by?}` → `{mode}`: what the agent may do unasked."""
    given = convert(value, structs.SetMode)
    files = _live(given.session_id)
    return {"mode": live_talk.set_choice(files, "mode", given.mode, who(given.by))}


def set_model(value: object) -> object:
    """`session.setModel {sessionId, model, by?}` → `{model}`."""
    given = convert(value, structs.SetModel)
    files = _live(given.session_id)
    return {"model": live_talk.set_choice(files, "model", given.model, who(given.by))}


# --- changes -----------------------------------------------------------------------------


def changes(value: object) -> object:
    """`session.changes {sessionId, turn?}` → the files that differ."""
    given = convert(value, structs.Changes)
    return session_changes.list_changes(given.session_id, given.turn)


def diff(value: object) -> object:
    """`session.diff {sessionId, path, turn?, state?}` → one file with its hunks."""
    given = convert(value, structs.FileDiff)
    return session_changes.read_file(given.session_id, given.path, given.turn, given.state)


def _live(session_id: str) -> SessionFiles:
    """Where a live session is. NotFound; Conflict if it has ended."""
    session = services().look_up(session_id)
    if not session.is_live:
        raise Conflict(
            f"Session {session_id!r} has ended: it is {session.status}.", field="sessionId"
        )
    return session_files(services().launcher.var, session)


def _session_id(value: object) -> str:
    return convert(value, structs.OneSession).session_id
