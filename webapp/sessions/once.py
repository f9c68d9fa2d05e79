"""What may happen only once: a request with its key, and a session for a conversation.

For `Database.write_sql`: both are checked in the transaction that inserts the session.
"""

from dataclasses import dataclass
from typing import Any

from webapp.errors import Conflict
from webapp.sessions.new_session import NewSession
from webapp.store import conversations, sessions
from webapp.store.conversations import ConversationScope


@dataclass(frozen=True)
class IdempotencyKey:
    """A client's key and what it was used for: the same key never starts two sessions."""

    key: str
    request_hash: str


class AlreadyLive(Conflict):
    """Another session holds the conversation."""


def find_by_key(connection: Any, key: IdempotencyKey) -> str | None:
    """The session that this key started. Conflict if that was for another request."""
    used = sessions.find_idempotency_key(connection, key.key)
    if used is None:
        return None
    request_hash, session_id = used
    if request_hash != key.request_hash:
        raise Conflict(
            f"Idempotency-Key {key.key!r} was used for another request, which started "
            f"{session_id!r}.",
            field="Idempotency-Key",
        )
    return session_id


def check_free(connection: Any, new: NewSession, scope: ConversationScope | None) -> None:
    """AlreadyLive where a live session holds the conversation that the new one is to hold."""
    holder = None
    if scope is not None and (live := conversations.find_live(connection, scope)) is not None:
        holder = live.id
    elif new.conversation_id is not None:
        holder = conversations.find_holder(connection, new.conversation_id)
    if holder is not None:
        raise AlreadyLive(
            f"The conversation goes on in session {holder!r}, which is live.", field="workflowId"
        )
