"""A message to a conversation: to its live session, or to a new one that goes on with it.

At no moment do two sessions hold one conversation. The transaction that inserts a session
finds the live one if there is one, and the runner holds a lock on the conversation itself.
"""

import hashlib
import logging
import time
from pathlib import Path
from typing import Any, NamedTuple

from webapp.agents.profiles import Profile
from webapp.errors import ServiceUnavailable
from webapp.log.conversation import Conversation, read_conversation
from webapp.log.opened import open_log
from webapp.sessions import control, live_talk, reconcile
from webapp.sessions.budget import check_budget
from webapp.sessions.choices import check_choices, set_choices
from webapp.sessions.launch import Launcher
from webapp.sessions.layout import session_files
from webapp.sessions.new_session import Invocation, Message, Resumption, new_message
from webapp.sessions.once import AlreadyLive, IdempotencyKey
from webapp.store import conversations, sessions, workflows
from webapp.store.conversations import ConversationScope
from webapp.store.models import Session, now

ENDING_TIMEOUT_SECONDS = 20.0
"""How long an agent that is ending may take; its conversation is free then."""
_LOOK_SECONDS = 0.02

logger = logging.getLogger(__name__)


class Sent(NamedTuple):
    """Where a message went."""

    session: Session
    offset: int
    """Where in its log to begin to watch."""
    message_id: str | None = None
    """None for an agent that holds no conversation."""


def invoke(launcher: Launcher, invocation: Invocation, key: IdempotencyKey | None = None) -> Sent:
    """Start an agent; or go on with the conversation of that stage, live or not.

    With a key that was used before: what it did then. Raises what `Launcher.invoke` does.
    """
    profile = launcher.profile(invocation.agent)
    if profile.talk is None:
        check_choices(invocation, Conversation())
        if profile.resume_command is None:
            return Sent(launcher.invoke(invocation, key), 0)
        return _invoke_once(launcher, invocation, key, profile)
    message = new_message(invocation, None if key is None else key.key)
    if key is not None and (found := launcher.find_by_key(key)) is not None:
        return _sent_before(launcher, found, message)

    scope = _scope(launcher, invocation, profile)
    give_up_at = time.monotonic() + ENDING_TIMEOUT_SECONDS
    while time.monotonic() < give_up_at:
        sent = _send_or_resume(launcher, invocation, scope, message, key)
        if sent is not None:
            return sent
    last = _find_last(launcher, scope)
    raise ServiceUnavailable(
        f"The session {last.id if last else ''} that holds the conversation is ending and has not "
        "ended yet; try again in a moment.",
        retry_after=2,
    )


def _send_or_resume(
    launcher: Launcher,
    invocation: Invocation,
    scope: ConversationScope,
    message: Message | None,
    key: IdempotencyKey | None,
) -> Sent | None:
    """Send to the live session, or to a new one; None: something changed meanwhile, try again."""
    last = _find_last(launcher, scope)
    if last is not None:
        sent = _send_to_live(launcher, last, invocation, message, key)
        if sent is not None:
            return sent
    if last is not None and not _is_free(launcher, last):
        time.sleep(_LOOK_SECONDS)
        return None
    last = _find_last(launcher, scope)  # its row says more, now that it has ended
    if last is not None and last.is_live:
        return None
    resumption = _resumption(launcher.var, last, invocation, message)
    try:
        session = launcher.invoke(invocation, key, resumption=resumption, scope=scope)
    except AlreadyLive:
        if launcher.database.read_sql(lambda sql: conversations.find_live(sql, scope)) is None:
            raise  # another stage or workflow holds it
        return None
    return Sent(session, 0, _id_of(message))


def send_to_live(
    launcher: Launcher,
    session: Session,
    content: str,
    *,
    key: str | None = None,
    by: str | None = None,
) -> Sent:
    """Send a message to this very session. Closed if it has ended, or just ends."""
    invocation = Invocation(session.workflow_id, message=content, by=by)
    message = new_message(invocation, key)
    assert message is not None
    return _deliver(launcher, session, message, None)


def send(
    launcher: Launcher, session: Session, content: str, *, key: str | None = None, by: str | None
) -> Sent:
    """Send a message to this session; if it has ended, to what goes on with its conversation."""
    try:
        if session.is_live:
            return send_to_live(launcher, session, content, key=key, by=by)
    except live_talk.Closed:
        pass
    about = Invocation(session.workflow_id, content, session.stage_index, session.agent, by)
    request_hash = hashlib.sha256(content.encode()).hexdigest()
    return invoke(launcher, about, None if key is None else IdempotencyKey(key, request_hash))


# --- to the live one ------------------------------------------------------------------------


def _send_to_live(
    launcher: Launcher,
    session: Session,
    invocation: Invocation,
    message: Message | None,
    key: IdempotencyKey | None,
) -> Sent | None:
    """Send to a live session; None where it is not live any more, or just ends."""
    if not session.is_live:
        return None
    try:
        set_choices(session_files(launcher.var, session), invocation)
        if message is None:
            return Sent(session, _size(launcher.var, session))
        return _deliver(launcher, session, message, key)
    except live_talk.Closed:
        return None


def _deliver(
    launcher: Launcher, session: Session, message: Message, key: IdempotencyKey | None
) -> Sent:
    if (profile := launcher.settings.agents.get(session.agent)) is not None:
        check_budget(launcher.database, profile)
    accepted = live_talk.send(session_files(launcher.var, session), message)
    content = launcher.redact(str(message["content"]))

    def note(connection: Any) -> None:
        if key is not None:
            if sessions.find_idempotency_key(connection, key.key) is not None:
                return  # the same request, at the same moment
            sessions.add_idempotency_key(connection, key.key, key.request_hash, session)
        conversations.add_sent_message(connection, session, content, now())

    try:
        launcher.database.write_sql(note)
    except ServiceUnavailable:
        # The agent has it, and the log: an error would make the client send it again.
        logger.exception("cannot add message %s to the history", message["id"])
    return Sent(session, accepted.offset, message["id"])


def _sent_before(launcher: Launcher, session: Session, message: Message | None) -> Sent:
    """Where a message is that a repeated key has sent before."""
    if message is None:
        return Sent(session, 0)
    found = read_log(launcher.var, session).messages.get(str(message["id"]))
    return Sent(session, 0 if found is None else found.offset, message["id"])


# --- to a new one that goes on ----------------------------------------------------------------


def _scope(launcher: Launcher, invocation: Invocation, profile: Profile) -> ConversationScope:
    """How far the conversation reaches. What `workflows.stage_for_invoke` raises."""
    stage = launcher.database.read_sql(
        lambda connection: workflows.stage_for_invoke(
            connection, invocation.workflow_id, invocation.stage_index
        )
    )
    template = launcher.settings.templates.get(stage.template, ())
    is_shared = any(each.shares_conversation for each in template)
    return ConversationScope(
        invocation.workflow_id, None if is_shared else stage.stage_index, profile.name
    )


def _find_last(launcher: Launcher, scope: ConversationScope) -> Session | None:
    return launcher.database.read_sql(lambda sql: conversations.find_last(sql, scope))


def _resumption(
    var: Path, last: Session | None, invocation: Invocation, message: Message | None
) -> Resumption:
    """What a new session takes up: the conversation if its agent knows it, and what waits.

    BadRequest for a mode or a model that the agent has not said to have.
    """
    own = () if message is None else (message,)
    found = Conversation() if last is None else read_log(var, last)
    check_choices(invocation, found)
    if last is None:
        return Resumption(messages=own)
    waiting = [
        each
        for each in found.pending_messages
        if message is None or each["id"] != message["id"]  # the client sends it again
    ]
    is_known = last.conversation_id is not None and not found.is_lost
    return Resumption(previous_session=last if is_known else None, messages=(*waiting, *own))


def read_log(var: Path, session: Session) -> Conversation:
    """What a session's log says of its conversation; nothing where the log is gone."""
    try:
        log = open_log(session_files(var, session).log)
    except OSError:
        return Conversation()
    try:
        return read_conversation(log)
    finally:
        log.close()


def _is_free(launcher: Launcher, last: Session) -> bool:
    """Whether the runner of the last session is gone, its row ended."""
    if control.is_locked(session_files(launcher.var, last)):
        return False
    return (
        not last.is_live or not reconcile.reconcile(launcher.database, launcher.var, last).is_live
    )


def _invoke_once(
    launcher: Launcher, invocation: Invocation, key: IdempotencyKey | None, profile: Profile
) -> Sent:
    """Start a one-shot agent, with what it remembers unless another one is just using that."""
    scope = _scope(launcher, invocation, profile)
    last = _find_last(launcher, scope)
    resumption = Resumption()
    if last is not None and _is_free(launcher, last):
        last = _find_last(launcher, scope)
        if last is not None and last.conversation_id is not None and not last.is_live:
            is_lost = read_log(launcher.var, last).is_lost
            resumption = Resumption(previous_session=None if is_lost else last)
    try:
        return Sent(launcher.invoke(invocation, key, resumption=resumption), 0)
    except AlreadyLive:
        return Sent(launcher.invoke(invocation, key, resumption=Resumption()), 0)


def _size(var: Path, session: Session) -> int:
    try:
        log = open_log(session_files(var, session).log)
    except OSError:
        return 0
    try:
        return log.size()
    finally:
        log.close()


def _id_of(message: Message | None) -> str | None:
    return None if message is None else message["id"]
