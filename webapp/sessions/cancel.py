"""End sessions, by asking their runners."""

import logging
from pathlib import Path

from webapp.errors import Conflict, ServiceUnavailable
from webapp.sessions import control
from webapp.sessions.layout import session_files
from webapp.sessions.reconcile import reconcile
from webapp.store import sessions
from webapp.store.engine import Database
from webapp.store.models import Session

logger = logging.getLogger(__name__)


def cancel_session(database: Database, var: Path, session: Session) -> Session:
    """Have its agent terminated; the session, which is not live if it had ended by itself.

    Raises Conflict for one that is just ending, ServiceUnavailable.
    """
    if not session.is_live:
        return session
    try:
        control.cancel(session_files(var, session))
        return session
    except control.RunnerGone:
        with database.read() as orm:
            session = sessions.get_session(orm, session.id)
        session = reconcile(database, var, session)
    if session.is_live:
        raise Conflict(f"Session {session.id!r} is just ending.", field="sessionId", retry_after=1)
    return session


def cancel_sessions(database: Database, var: Path, workflow_id: str) -> None:
    """Cancel all live sessions of a workflow; one that does not answer keeps none from it.

    ServiceUnavailable where one may still live: the same call again cancels what is left.
    """
    with database.read() as orm:
        live = sessions.live_sessions(orm, workflow_id)
    left = []
    for session in live:
        try:
            cancel_session(database, var, session)
        except Conflict:
            continue
        except (OSError, ServiceUnavailable):
            logger.exception("cannot cancel %s", session.id)
            left.append(session.id)
    if left:
        raise ServiceUnavailable(
            f"Not all sessions could be cancelled; try again for {', '.join(left)}.", retry_after=2
        )
