"""The outbox of webhooks: which notices are on their way, and how often each was tried.

A webhook gets what concerns a person from the moment that the settings name it. All functions but
the last are for `Database.write_sql` and `read_sql`.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from webapp.store.models import Delivery, now
from webapp.store.notices import TITLE_OF_NOTICE

_FORGET = (
    "DELETE FROM deliveries WHERE webhook NOT IN (SELECT value FROM json_each(?))",
    "DELETE FROM webhooks WHERE name NOT IN (SELECT value FROM json_each(?))",
)
_REGISTER = """
INSERT OR IGNORE INTO webhooks (name, last_notice)
SELECT value, (SELECT coalesce(max(id), 0) FROM notices) FROM json_each(?)
"""
_HAS_NEWS = """
SELECT coalesce((SELECT max(id) FROM notices), 0) > last_notice FROM webhooks WHERE name = ?
"""
_QUEUE = """
INSERT OR IGNORE INTO deliveries (webhook, notice_id, next_at)
SELECT webhooks.name, notices.id, :at FROM webhooks JOIN notices ON notices.id > last_notice
WHERE name = :webhook AND is_past = 0 AND kind IN (SELECT value FROM json_each(:kinds))
"""
_ADVANCE = """
UPDATE webhooks SET last_notice = max(last_notice, (SELECT coalesce(max(id), 0) FROM notices))
WHERE name = ?
"""
_DUE = f"""
SELECT notices.id, attempts, key, kind, agent, session_id, notices.workflow_id, turn, approval_id,
    text,
    {TITLE_OF_NOTICE},
    made_at
FROM deliveries JOIN notices ON notices.id = notice_id
WHERE webhook = ? AND next_at <= ? ORDER BY next_at, notice_id LIMIT 1
"""  # noqa: S608 - our own names
_DELIVERED = """
UPDATE deliveries SET next_at = NULL, delivered_at = ?, error = NULL, attempts = attempts + 1
WHERE webhook = ? AND notice_id = ?
"""
_FAILED = """
UPDATE deliveries SET next_at = ?, error = ?, attempts = attempts + 1
WHERE webhook = ? AND notice_id = ?
"""


class Due(NamedTuple):
    """A delivery that is to be attempted now."""

    notice_id: int
    attempts: int
    """How many there were."""
    event: Sequence[Any]
    """The fields of `webhooks.events.Event`."""


def register(connection: Any, names: Iterable[str]) -> None:
    """Take the webhooks of the settings: forget others, and begin with new ones now."""
    listed = json.dumps(list(names))
    for statement in _FORGET:
        connection.execute(statement, (listed,))
    connection.execute(_REGISTER, (listed,))


def has_news(connection: Any, webhook: str) -> bool:
    """Whether there are notices that were not looked at for a webhook."""
    found = connection.execute(_HAS_NEWS, (webhook,)).fetchone()
    return found is not None and bool(found[0])


def queue(connection: Any, webhook: str, kinds: str) -> None:
    """Queue the new notices of some kinds, a JSON list."""
    connection.execute(_QUEUE, {"webhook": webhook, "kinds": kinds, "at": now()})
    connection.execute(_ADVANCE, (webhook,))


def next_due(connection: Any, webhook: str) -> Due | None:
    """The delivery of a webhook that has waited longest for an attempt that is due."""
    row = connection.execute(_DUE, (webhook, now())).fetchone()
    return None if row is None else Due(row[0], row[1], row[2:])


def set_delivered(connection: Any, webhook: str, notice_id: int) -> None:
    """The receiver has it."""
    connection.execute(_DELIVERED, (now(), webhook, notice_id))


def set_failed(
    connection: Any, webhook: str, notice_id: int, error: str, next_at: str | None
) -> None:
    """An attempt failed; None: it was the last one."""
    connection.execute(_FAILED, (next_at, error, webhook, notice_id))


def unfinished(orm: OrmSession) -> list[Delivery]:
    """Those that were tried in vain or given up, oldest first."""
    query = select(Delivery).where(Delivery.delivered_at.is_(None), Delivery.attempts > 0)
    return list(orm.scalars(query.order_by(Delivery.webhook, Delivery.notice_id)))
