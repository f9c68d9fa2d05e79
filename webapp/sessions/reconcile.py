"""Find out what became of sessions whose runner is gone, and write it down.

A row that says `running` proves nothing; the lock on the log does. Whoever gets that lock
ends the session: from the log's own `done` if it has one, else as `lost`, with no invented
exit code. What the agent left running is killed, if it is proved to be ours.
"""

import logging
import os
from dataclasses import replace
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session as OrmSession

from webapp.errors import ServiceUnavailable
from webapp.log import lock
from webapp.log.conversation import read_conversation
from webapp.log.folder import NotRegular
from webapp.log.opened import OpenLog, PlainLog
from webapp.sessions import control
from webapp.sessions.layout import session_files
from webapp.sessions.log_end import end_log, end_of_compressed, end_without_log
from webapp.sessions.orphans import kill_leftovers
from webapp.store import conversations, sessions
from webapp.store.engine import Database
from webapp.store.models import Session

logger = logging.getLogger(__name__)


def reconcile(
    database: Database,
    var: Path,
    session: Session,
    *,
    status: str = "lost",
    error: str = "the runner is gone",
) -> Session:
    """The session as it is: ended in log and row if its runner is gone, else unchanged.

    `status` and `error` are for a log that does not tell them itself.
    """
    if not session.is_live:
        return session
    files = session_files(var, session)
    try:
        log_fd = lock.open_log(files.log, os.O_RDWR | os.O_APPEND)
    except (FileNotFoundError, NotRegular):
        if control.is_listening(files):
            return session
        kill_leftovers(session)
        end = end_of_compressed(files.log) or end_without_log(session)
        database.write(lambda orm: sessions.end_session(orm, session.id, end))
        return _reread(database, session)
    try:
        if not lock.acquire(log_fd):
            return session
        with database.read() as orm:
            fresh = sessions.get_session(orm, session.id)
        if fresh.is_live:
            killed = kill_leftovers(fresh)
            end = end_log(log_fd, fresh, status=status, error=error, killed=killed)
            _write_end(database, fresh, end, PlainLog(log_fd))
    finally:
        os.close(log_fd)
    return _reread(database, session)


def reconcile_all(database: Database, var: Path) -> list[Session]:
    """End every session whose runner is gone; those that were ended now."""
    with database.read() as orm:
        live = sessions.live_sessions(orm)
    ended = []
    for session in live:
        try:
            now_known = reconcile(database, var, session)
        except (OSError, ServiceUnavailable):
            # Whoever looks at the session later tries again; the start must not fail on it.
            logger.exception("cannot find out whether %s still runs", session.id)
            continue
        if not now_known.is_live:
            ended.append(now_known)
    return ended


def complete_log(database: Database, var: Path, session: Session) -> None:
    """Give the log of an ended session the `done` that it lost, if its lock is free."""
    try:
        log_fd = lock.open_log(session_files(var, session).log, os.O_RDWR | os.O_APPEND)
    except (FileNotFoundError, NotRegular):
        return
    try:
        if lock.acquire(log_fd) and not session.is_live:
            end_log(log_fd, session, status=session.status, error=session.error)
    finally:
        os.close(log_fd)


def _write_end(database: Database, session: Session, end: sessions.End, log: OpenLog) -> None:
    """End the row; of one that talks, with all that its log tells."""
    if session.talk is None:
        database.write(lambda orm: sessions.end_session(orm, session.id, end))
        return
    found = read_conversation(log)
    facts = {
        name: value
        for name, value in conversations.facts_of(found, is_live=False).items()
        if value is not None
    }
    whole = replace(end, usage=conversations.usage_of(found), facts=facts)

    def work(orm: OrmSession) -> None:
        if end.status == "lost":  # one notice, that it is lost: none of the turn that was cut
            sessions.end_session(orm, session.id, whole)
        conversations.add_turns_and_approvals(
            lambda sql, values: orm.execute(text(sql), values), session.id, found
        )
        sessions.end_session(orm, session.id, whole)

    database.write(work)


def _reread(database: Database, session: Session) -> Session:
    with database.read() as orm:
        return sessions.get_session(orm, session.id)
