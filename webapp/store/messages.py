"""Rows of messages: what people, agents and the server itself said in a workflow.

Their ids grow, so an id is also a position in the history.
"""

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session as OrmSession

from webapp.store.ids import hash_key
from webapp.store.models import Message, Workflow, now

PAGE_LETTERS = 4 << 20
"""Of all messages that are read at once; a single one has a million at most."""
_READ_AT_ONCE = 8


def add_message(
    orm: OrmSession,
    workflow: Workflow,
    role: str,
    content: str,
    *,
    stage_index: int | None = None,
    key: str | None = None,
) -> Message:
    """Add what was said, in the current stage unless another is given; `key` is its client's."""
    message = Message(
        workflow_id=workflow.id,
        stage_index=workflow.current_stage if stage_index is None else stage_index,
        role=role,
        content=content,
        key_hash=None if key is None else hash_key(key),
        created_at=now(),
    )
    orm.add(message)
    orm.flush()
    return message


def find_by_key(orm: OrmSession, key: str) -> Message | None:
    """The message that was sent with a client's key."""
    return orm.scalar(select(Message).where(Message.key_hash == hash_key(key)))


def messages_before(
    orm: OrmSession, workflow_id: str, message_id: int | None, limit: int
) -> list[Message]:
    """The last messages before an id (None: of all), newest first."""
    query = select(Message).where(Message.workflow_id == workflow_id)
    if message_id is not None:
        query = query.where(Message.id < message_id)
    return _page(orm, query.order_by(Message.id.desc()).limit(limit))


def messages_after(orm: OrmSession, workflow_id: str, message_id: int, limit: int) -> list[Message]:
    """The first messages after an id, oldest first."""
    query = select(Message).where(Message.workflow_id == workflow_id, Message.id > message_id)
    return _page(orm, query.order_by(Message.id).limit(limit))


def _page(orm: OrmSession, query: Select[Message]) -> list[Message]:
    """At least one message if there is one, and no more than are held in memory at once."""
    page: list[Message] = []
    letters = 0
    with orm.scalars(query.execution_options(yield_per=_READ_AT_ONCE)) as found:
        for message in found:
            letters += len(message.content)
            if page and letters > PAGE_LETTERS:
                break
            page.append(message)
    return page


def messages_of_session(orm: OrmSession, session_id: str) -> list[Message]:
    """What was said to start a session, and what it said itself; oldest first."""
    query = select(Message).where(Message.session_id == session_id)
    return list(orm.scalars(query.order_by(Message.id)))


def has_message_before(orm: OrmSession, workflow_id: str, message_id: int) -> bool:
    """Whether the workflow has a message with a lower id."""
    query = exists().where(Message.workflow_id == workflow_id, Message.id < message_id)
    return bool(orm.scalar(select(query)))


def has_message(orm: OrmSession, workflow_id: str, message_id: int) -> bool:
    """Whether the workflow has a message with this id."""
    query = exists().where(Message.workflow_id == workflow_id, Message.id == message_id)
    return bool(orm.scalar(select(query)))


def newest_message_id(orm: OrmSession) -> int:
    """The highest id of any workflow's messages; 0 where there are none."""
    return orm.scalar(select(func.max(Message.id))) or 0
