"""What agents cost: of sessions, of conversations, and of a day. Days are those of UTC."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session as OrmSession

from webapp.store.models import Session

MAX_SESSION_DAYS = 7
"""A session of one message that ran for longer does not count towards a day's budget."""

_SPENT = """
SELECT coalesce((
    SELECT sum(turns.cost_usd) FROM turns INDEXED BY turns_by_end
    JOIN sessions ON sessions.id = turns.session_id
    WHERE turns.ended_at >= :day AND sessions.agent = :agent
), 0) + coalesce((
    SELECT sum(session_usage.cost_usd) FROM sessions
    JOIN session_usage ON session_usage.session_id = sessions.id
    WHERE sessions.agent = :agent
        AND sessions.status IN ('succeeded', 'failed', 'cancelled', 'timed_out', 'lost')
        AND sessions.id >= :since AND sessions.ended_at >= :day AND sessions.talk IS NULL
), 0)
"""
_OF_SESSIONS = text("""
SELECT session_id, sum(cost_usd) FROM costs WHERE session_id IN :ids GROUP BY session_id
""").bindparams(bindparam("ids", expanding=True))
_OF_CONVERSATION = text("""
SELECT sum(cost_usd) FROM costs JOIN sessions ON sessions.id = costs.session_id
WHERE sessions.workflow_id = :workflow_id
""")


def spent_on(connection: Any, agent: str, day: str) -> float:
    """What the turns and sessions of an agent cost that ended since a day began.

    `day` is a date. For `Database.read_sql`: each turn of an agent with a budget asks.
    """
    start = datetime.fromisoformat(f"{day}T00:00:00+00:00")
    since_ms = int((start - timedelta(days=MAX_SESSION_DAYS)).timestamp() * 1000)
    values = {"agent": agent, "day": day, "since": first_id(since_ms)}
    return float(connection.execute(_SPENT, values).fetchone()[0])


def of_sessions(orm: OrmSession, ids: Sequence[str]) -> dict[str, float]:
    """What each of some sessions cost by now; those whose agents say nothing are not in it."""
    found = orm.execute(_OF_SESSIONS, {"ids": list(ids)}) if ids else ()
    return {session_id: cost for session_id, cost in found if cost is not None}


def of_conversation(orm: OrmSession, workflow_id: str) -> float | None:
    """What all sessions of a workflow cost by now; None where no agent says."""
    found: float | None = orm.scalar(_OF_CONVERSATION, {"workflow_id": workflow_id})
    return found


def as_json(orm: OrmSession, session: Session) -> dict[str, float | None]:
    """What a session and its whole conversation cost by now, as the API calls it."""
    return {
        "costUsd": of_sessions(orm, [session.id]).get(session.id),
        "workflowCostUsd": of_conversation(orm, session.workflow_id),
    }


def first_id(since_ms: int) -> str:
    """An id that is no greater than those of sessions made since a Unix time."""
    return f"session-{max(since_ms, 0):013d}"
