"""Rows of sessions, from the web's side: their insertion, look-up, and the end of lost ones.

The runner of a live session writes its row itself (`runner/row.py`)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, or_, select, text, update
from sqlalchemy.orm import Session as OrmSession

from webapp.errors import NotFound, ServiceUnavailable, TooManyRequests
from webapp.store.ids import hash_key
from webapp.store.models import LIVE, STATUSES, Session, SessionCount

_INSERT_SESSION = """
INSERT INTO sessions (
    id, workflow_id, stage_index, agent, argv, cwd, takes_input, host, log_path, status, created_at,
    talk, mode, conversation_id, resumed_from, session_rules, project
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_INSERT_MESSAGE = """
INSERT INTO messages (workflow_id, stage_index, session_id, role, content, created_at)
VALUES (?, ?, ?, 'user', ?, ?)
"""

_COUNT_LIVE = """
SELECT count(*), coalesce(sum(workflow_id = ?), 0)
FROM sessions INDEXED BY live_sessions_by_workflow
WHERE status IN ('starting', 'running')
"""
_SESSION_COLUMNS = Session.__table__.columns.keys()
SELECT_SESSION_COLUMNS = ", ".join(_SESSION_COLUMNS)
"""For a query of the driver's own, whose row `session_of` reads."""
_SELECT_SESSION = f"SELECT {SELECT_SESSION_COLUMNS} FROM sessions WHERE id = ?"  # noqa: S608 - our own names
_RETRY_AFTER_SECONDS = 5
_WITHDRAW = """
UPDATE approvals SET outcome = 'withdrawn', resolved_at = :at
WHERE session_id = :id AND outcome IS NULL
"""

_INSERT_USAGE = """
INSERT OR IGNORE INTO session_usage (
    session_id, input_tokens, output_tokens, cost_usd, duration_ms
) SELECT id, :input_tokens, :output_tokens, :cost_usd, :duration_ms FROM sessions WHERE id = :id
"""


class TooManySessions(ServiceUnavailable):
    """The server runs as many sessions as it may."""


class TooManyInWorkflow(TooManyRequests):
    """The workflow runs as many sessions as it may."""


@dataclass(frozen=True)
class End:
    """How a session ended, as the last record of its log says."""

    status: str
    exit_code: int | None
    exit_signal: str | None
    error: str | None
    log_bytes: int
    ended_at: str
    pid: int | None = None
    started_at: str | None = None
    usage: Mapping[str, Any] | None = None
    """The columns of `session_usage` but for the session; None if its agent reported none."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """More columns that its log tells, such as those of a conversation."""


def add_session(connection: Any, session: Session, message: str | None) -> None:
    """Insert the row of a session that is about to start, and the message that starts it.

    For `Database.write_sql`: this is on the path of every invoke.
    """
    row = (
        session.id,
        session.workflow_id,
        session.stage_index,
        session.agent,
        session.argv,
        session.cwd,
        session.takes_input,
        session.host,
        session.log_path,
        session.status,
        session.created_at,
        session.talk,
        session.mode,
        session.conversation_id,
        session.resumed_from,
        session.session_rules,
        session.project,
    )
    connection.execute(_INSERT_SESSION, row)
    if message is not None:
        start = (session.workflow_id, session.stage_index, session.id, message, session.created_at)
        connection.execute(_INSERT_MESSAGE, start)


def check_limits(
    connection: Any, workflow_id: str, *, max_sessions: int, max_per_workflow: int
) -> None:
    """Whether one more session may live. TooManySessions, TooManyInWorkflow.

    For `Database.write_sql`: in the transaction that inserts the session, so that workers
    that start sessions at the same moment cannot exceed a limit together.
    """
    live, live_in_workflow = connection.execute(_COUNT_LIVE, (workflow_id,)).fetchone()
    if live >= max_sessions:
        raise TooManySessions(
            f"{live} sessions are live, and AGENT_STREAM_MAX_SESSIONS is {max_sessions}; wait for "
            "one to end, or cancel one.",
            retry_after=_RETRY_AFTER_SECONDS,
        )
    if live_in_workflow >= max_per_workflow:
        raise TooManyInWorkflow(
            f"{live_in_workflow} sessions of workflow {workflow_id!r} are live, and "
            f"AGENT_STREAM_MAX_SESSIONS_PER_WORKFLOW is {max_per_workflow}; wait for one to end, "
            "or cancel one.",
            field="workflowId",
            retry_after=_RETRY_AFTER_SECONDS,
        )


def add_idempotency_key(connection: Any, key: str, request_hash: str, session: Session) -> None:
    """Remember which session a client's key started. For `Database.write_sql`."""
    connection.execute(
        "INSERT INTO idempotency_keys (key_hash, request_hash, session_id, created_at)"
        " VALUES (?, ?, ?, ?)",
        (hash_key(key), request_hash, session.id, session.created_at),
    )


def find_idempotency_key(connection: Any, key: str) -> tuple[str, str] | None:
    """The hash of the request that used a key, and the session that it started."""
    found = connection.execute(
        "SELECT request_hash, session_id FROM idempotency_keys WHERE key_hash = ?",
        (hash_key(key),),
    ).fetchone()
    return None if found is None else (found[0], found[1])


def find_session(orm: OrmSession, session_id: str) -> Session | None:
    """The session's row, or None if it never existed."""
    return orm.get(Session, session_id)


def get_session(orm: OrmSession, session_id: str) -> Session:
    """The session's row; NotFound if it never existed."""
    session = find_session(orm, session_id)
    if session is None:
        raise _never_was(session_id)
    return session


def look_up(connection: Any, session_id: str) -> Session:
    """As `get_session`, for `Database.read_sql`: each new viewer needs it."""
    session = session_of(connection.execute(_SELECT_SESSION, (session_id,)).fetchone())
    if session is None:
        raise _never_was(session_id)
    return session


def session_of(row: Any) -> Session | None:
    """A row of the driver's own, with the columns of SELECT_SESSION_COLUMNS."""
    return None if row is None else Session(**dict(zip(_SESSION_COLUMNS, row, strict=True)))


def _never_was(session_id: str) -> NotFound:
    return NotFound(
        f"There is no session {session_id!r}, and there never was one.", field="sessionId"
    )


def sessions_by_id(orm: OrmSession, ids: list[str]) -> dict[str, Session]:
    """Those of some sessions that there are, by id."""
    found = orm.scalars(select(Session).where(Session.id.in_(ids)))
    return {session.id: session for session in found}


def newest_of_all(orm: OrmSession) -> Session | None:
    """The session that was started last."""
    return orm.scalars(select(Session).order_by(Session.id.desc()).limit(1)).first()


def count_by_status(orm: OrmSession) -> dict[str, int]:
    """How many sessions there are of each status."""
    query = select(SessionCount.status, func.sum(SessionCount.count)).group_by(SessionCount.status)
    counts = dict.fromkeys(STATUSES, 0)
    for status, count in orm.execute(query):
        counts[status] = count
    return counts


def ids_like(orm: OrmSession, piece: str, limit: int) -> list[str]:
    """Ids that begin or end with a piece, with or without their `session-`; newest first."""
    query = select(Session.id).where(
        or_(
            Session.id.startswith(piece, autoescape=True),
            Session.id.startswith(f"session-{piece}", autoescape=True),
            Session.id.endswith(piece, autoescape=True),
        )
    )
    return list(orm.scalars(query.order_by(Session.id.desc()).limit(limit)))


def live_sessions(orm: OrmSession, workflow_id: str | None = None) -> list[Session]:
    """All sessions, or those of one workflow, that have not ended as far as their rows know."""
    query = select(Session).where(Session.status.in_(LIVE)).order_by(Session.id)
    if workflow_id is not None:
        query = query.where(Session.workflow_id == workflow_id)
    return list(orm.scalars(query))


def newest_session(orm: OrmSession, workflow_id: str) -> Session | None:
    """The session of a workflow that was started last."""
    query = select(Session).where(Session.workflow_id == workflow_id)
    return orm.scalars(query.order_by(Session.id.desc()).limit(1)).first()


def end_session(orm: OrmSession, session_id: str, end: End) -> None:
    """Close a live row; a row that has ended stays as it is."""
    values: dict[str, object] = {
        **end.facts,
        "state": None,
        "open_approvals": None,
        "status": end.status,
        "exit_code": end.exit_code,
        "exit_signal": end.exit_signal,
        "error": end.error,
        "log_bytes": end.log_bytes,
        "ended_at": end.ended_at,
    }
    if end.pid is not None:
        values["pid"] = end.pid
    if end.started_at is not None:
        values["started_at"] = end.started_at
    statement = update(Session).where(Session.id == session_id, Session.status.in_(LIVE))
    orm.execute(statement.values(**values))
    orm.execute(text(_WITHDRAW), {"id": session_id, "at": end.ended_at})
    if end.usage is not None:
        orm.execute(text(_INSERT_USAGE), {**end.usage, "id": session_id})


def add_usages(connection: Any, usages: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Insert what sessions used, where that is not there yet. For `Database.write_sql`."""
    for session_id, usage in usages:
        connection.execute(_INSERT_USAGE, {**usage, "id": session_id})
