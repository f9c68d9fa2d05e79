"""The logs of ended sessions, as retention needs them: which there are, and what became of them."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, case, func, select, tuple_, update
from sqlalchemy.orm import Session as OrmSession

from webapp.store.models import LIVE, Session, now
from webapp.store.values import MAX_WHOLE

MIN_BYTES = 4096
"""A smaller log takes a block of the disk in any form."""


class EndedLog(NamedTuple):
    """The log of an ended session."""

    session_id: str
    ended_at: str
    stored_bytes: int
    """What it takes on disk."""


START = ("", "")
"""Before all ends of sessions."""
_HAS_LOG = (Session.ended_at >= "1970", Session.log_deleted_at.is_(None))
"""A damaged time must not make a log the oldest of all."""
_WRITTEN_BYTES = func.coalesce(Session.log_stored_bytes, Session.log_bytes, 0)
_STORED_BYTES = case((_WRITTEN_BYTES.between(0, MAX_WHOLE), _WRITTEN_BYTES), else_=0)
"""A damaged size must neither break the sum nor make others be deleted."""
_ENDED_LOG = (Session.id, Session.ended_at, _STORED_BYTES)


def uncompressed_logs(
    orm: OrmSession, ended_before: str, after: tuple[str, str], limit: int
) -> list[Session]:
    """Ended sessions whose logs are not compressed and worth it, the oldest end first.

    `after` is the end and the id of the session that they follow; `START` for the first page.
    """
    query = select(Session).where(
        *_HAS_LOG,
        _follows(*after),
        Session.ended_at < ended_before,
        Session.log_stored_bytes.is_(None),
        Session.log_bytes >= MIN_BYTES,
        Session.status.not_in(LIVE),
    )
    return list(orm.scalars(query.order_by(Session.ended_at, Session.id).limit(limit)))


def ended_logs(orm: OrmSession, after: tuple[str, str], limit: int) -> list[EndedLog]:
    """Logs of ended sessions, the oldest end first, that follow an end and an id, or `START`."""
    query = select(*_ENDED_LOG).where(*_HAS_LOG, _follows(*after))
    rows = orm.execute(query.order_by(Session.ended_at, Session.id).limit(limit))
    return [EndedLog(session_id, ended_at or "", size) for session_id, ended_at, size in rows]


def _follows(ended_at: str, session_id: str) -> ColumnElement[bool]:
    """As a comparison of rows, which SQLite answers by a range of the index."""
    return tuple_(Session.ended_at, Session.id) > (ended_at, session_id)


def totals(orm: OrmSession) -> tuple[int, int]:
    """How many logs of ended sessions there are, and what they take on disk together."""
    count, size = orm.execute(
        select(func.count(), func.coalesce(func.sum(_STORED_BYTES), 0)).where(*_HAS_LOG)
    ).one()
    return count, size


def mark_compressed(orm: OrmSession, session_id: str, log_path: str, stored_bytes: int) -> None:
    """Note that a session's log is now compressed, at `log_path`."""
    orm.execute(
        update(Session)
        .where(Session.id == session_id)
        .values(log_path=log_path, log_stored_bytes=stored_bytes)
    )


def mark_deleted(orm: OrmSession, session_id: str) -> None:
    """Note that a session's log is deleted; its row stays."""
    orm.execute(update(Session).where(Session.id == session_id).values(log_deleted_at=now()))
