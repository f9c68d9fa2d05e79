"""Rows of conversations: which session goes on with one, its turns, what waits for a person."""

from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session as OrmSession

from webapp.store.models import Session
from webapp.store.sessions import SELECT_SESSION_COLUMNS, session_of

_LIVE = f"""
SELECT {SELECT_SESSION_COLUMNS} FROM sessions INDEXED BY live_sessions_by_workflow
WHERE status IN ('starting', 'running') AND workflow_id = :workflow_id AND agent = :agent
    AND talk IS NOT NULL AND coalesce(:stage_index, stage_index) = stage_index
ORDER BY id DESC LIMIT 1
"""  # noqa: S608 - our own names
_LAST = f"""
SELECT {SELECT_SESSION_COLUMNS} FROM sessions INDEXED BY conversations_by_workflow
WHERE workflow_id = :workflow_id AND agent = :agent
    AND (talk IS NOT NULL OR conversation_id IS NOT NULL)
    AND coalesce(:stage_index, stage_index) = stage_index
ORDER BY id DESC LIMIT 1
"""  # noqa: S608 - our own names
_HOLDER = """
SELECT id FROM sessions INDEXED BY live_sessions_by_conversation
WHERE conversation_id = ? AND conversation_id IS NOT NULL AND status IN ('starting', 'running')
"""
_WAITING = """
SELECT id, workflow_id, open_approvals FROM sessions INDEXED BY sessions_that_wait
WHERE open_approvals IS NOT NULL AND status IN ('starting', 'running') ORDER BY id
"""
_INSERT_MESSAGE = """
INSERT INTO messages (workflow_id, stage_index, session_id, role, content, created_at)
VALUES (?, ?, ?, 'user', ?, ?)
"""


class Stretch(NamedTuple):
    """How far a conversation reaches: an agent's in one stage, or in all of a workflow."""

    workflow_id: str
    stage_index: int | None
    """None: all stages share it."""
    agent: str


def find_live(connection: Any, stretch: Stretch) -> Session | None:
    """The live session that holds a conversation. For `Database.read_sql` and `write_sql`."""
    return session_of(connection.execute(_LIVE, stretch._asdict()).fetchone())


def find_last(connection: Any, stretch: Stretch) -> Session | None:
    """The newest session of a conversation, live or not. For `Database.read_sql`."""
    return session_of(connection.execute(_LAST, stretch._asdict()).fetchone())


def find_holder(connection: Any, conversation_id: str) -> str | None:
    """The live session that holds this very conversation. For `Database.write_sql`."""
    found = connection.execute(_HOLDER, (conversation_id,)).fetchone()
    return None if found is None else str(found[0])


def add_sent_message(connection: Any, session: Session, content: str, sent_at: str) -> None:
    """Add what a person sent to a live conversation to the history. For `Database.write_sql`."""
    about = session.workflow_id, session.stage_index, session.id
    connection.execute(_INSERT_MESSAGE, (*about, content, sent_at))


class Waiting(NamedTuple):
    """A live session that waits for a person."""

    session_id: str
    workflow_id: str
    open_approvals: str
    """JSON: a list of records."""


def find_waiting(orm: OrmSession) -> list[Waiting]:
    """All live sessions that wait for a person, oldest first."""
    return [Waiting(*row) for row in orm.execute(text(_WAITING))]
