"""What concerns a person: what waits for an answer, what ended, what went wrong.

Triggers of the database make the notices, one for each event: see migrations/versions.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import text, update
from sqlalchemy.orm import Session as OrmSession

from webapp.store.models import TITLE_LETTERS, Notice, now

MAX_LISTED = 30
"""Programs may start thousands of sessions that nobody looks at: only the newest are listed."""

_FIELDS = (
    *("key", "kind", "agent", "sessionId", "workflowId", "turn", "approvalId", "text"),
    *("title", "madeAt", "heard"),
)
TITLE_OF_NOTICE = f"""coalesce(
    (SELECT title FROM workflows WHERE workflows.id = notices.workflow_id),
    (SELECT substr(content, 1, {TITLE_LETTERS}) FROM messages
        WHERE messages.workflow_id = notices.workflow_id AND role = 'user'
        ORDER BY messages.id LIMIT 1)
)"""  # noqa: S608 - our own number
"""What the workflow of a notice is known by."""
_OPEN = text(f"""
SELECT key, kind, agent, session_id, workflow_id, turn, approval_id, text, {TITLE_OF_NOTICE},
    made_at, heard_at IS NOT NULL
FROM notices INDEXED BY open_notices WHERE done_at IS NULL ORDER BY id DESC LIMIT :limit
""").bindparams(limit=MAX_LISTED)  # noqa: S608 - our own names
"""Asked after each commit while a page is open."""
_MARK_SILENT = """
UPDATE notices SET is_past = 1, heard_at = made_at,
    done_at = CASE WHEN approval_id IS NULL THEN made_at ELSE done_at END
WHERE session_id = ?
"""
_ADD_BUDGET = """
INSERT OR IGNORE INTO notices (key, kind, agent, text, made_at) VALUES (?, 'budget', ?, ?, ?)
"""


def find_open(orm: OrmSession) -> list[dict[str, Any]]:
    """What still concerns a person, newest first, as JSON has it; at most MAX_LISTED."""
    return [
        dict(zip(_FIELDS, row, strict=True)) | {"heard": bool(row[-1])}
        for row in orm.execute(_OPEN)
    ]


def mark_heard(orm: OrmSession, keys: Iterable[str]) -> None:
    """Somebody looks at a device as these come: no other one need call."""
    statement = update(Notice).where(Notice.key.in_(list(keys)), Notice.heard_at.is_(None))
    orm.execute(statement.values(heard_at=now()))


def mark_seen(orm: OrmSession, workflow_id: str | None) -> None:
    """Somebody has looked at a workflow, or at all; what waits for an answer still waits."""
    statement = update(Notice).where(Notice.done_at.is_(None), Notice.approval_id.is_(None))
    if workflow_id is not None:
        statement = statement.where(Notice.workflow_id == workflow_id)
    orm.execute(statement.values(done_at=now()))


def mark_silent(connection: Any, session_id: str) -> None:
    """Rows that were made again from a log call nobody. For `Database.write_sql`."""
    connection.execute(_MARK_SILENT, (session_id,))


def add_budget_reached(connection: Any, agent: str, day: str, said: str) -> None:
    """An agent has used its budget of a day. For `Database.write_sql`."""
    connection.execute(_ADD_BUDGET, (f"budget/{agent}/{day}", agent, said, now()))
