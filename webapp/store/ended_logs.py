"""The logs of ended sessions, as retention needs them: which there are, and what became of them."""

from typing import NamedTuple

from sqlalchemy import case, func, select, update
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


_HAS_LOG = (Session.ended_at >= "1970", Session.log_deleted_at.is_(None))
"""A damaged time must not make a log the oldest of all."""
_WRITTEN_BYTES = func.coalesce(Session.log_stored_bytes, Session.log_bytes, 0)
_STORED_BYTES = case((_WRITTEN_BYTES.between(0, MAX_WHOLE), _WRITTEN_BYTES), else_=0)
"""A damaged size must neither break the sum nor make others be deleted."""
_ENDED_LOG = (Session.id, Session.ended_at, _STORED_BYTES)


def uncompressed_logs(orm: OrmSession, ended_before: str, limit: int) -> list[Session]:
    """Ended sessions whose logs are not compressed and worth it, the oldest end first."""
    query = select(Session).where(
        *_HAS_LOG,
        Session.ended_at < ended_before,
        Session.log_stored_bytes.is_(None),
        Session.log_bytes >= MIN_BYTES,
        Session.status.not_in(LIVE),
    )
    return list(orm.scalars(query.order_by(Session.ended_at, Session.id).limit(limit)))


def ended_logs(orm: OrmSession, after: EndedLog | None, limit: int) -> list[EndedLog]:
    """Logs of ended sessions, the oldest end first, from the one after `after` on."""
    query = select(*_ENDED_LOG).where(*_HAS_LOG)
    if after is not None:
        query = query.where(
            (Session.ended_at > after.ended_at)
            | ((Session.ended_at == after.ended_at) & (Session.id > after.session_id))
        )
    rows = orm.execute(query.order_by(Session.ended_at, Session.id).limit(limit))
    return [EndedLog(session_id, ended_at or "", size) for session_id, ended_at, size in rows]


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
