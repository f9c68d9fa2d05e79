"""Figures over many sessions: how they ended, how long they took, when there were the most.

An id begins with the time that it was made, so `since` is a range of the primary key.
"""

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session as OrmSession

from webapp.store.values import MAX_WHOLE

_BY_AGENT = text("""
SELECT agent, status, count(*),
    coalesce(sum(CASE WHEN log_bytes BETWEEN 0 AND :max_size THEN log_bytes END), 0)
FROM sessions WHERE id >= :since
GROUP BY agent, status
""").bindparams(max_size=MAX_WHOLE)

_DURATIONS = text("""
WITH ended AS (
    SELECT agent, (julianday(ended_at) - julianday(started_at)) * 86400.0 AS seconds
    FROM sessions
    WHERE id >= :since AND ended_at IS NOT NULL AND started_at IS NOT NULL
),
ranked AS (
    SELECT agent, max(seconds, 0.0) AS seconds,
        row_number() OVER (PARTITION BY agent ORDER BY seconds) AS rank,
        count(*) OVER (PARTITION BY agent) AS many
    FROM ended WHERE seconds IS NOT NULL  -- it is NULL for a damaged time
)
SELECT agent,
    min(CASE WHEN rank >= many * 0.5 THEN seconds END),
    min(CASE WHEN rank >= many * 0.95 THEN seconds END),
    max(seconds),
    sum(seconds)
FROM ranked GROUP BY agent
""")

_FAILURES = text("""
SELECT agent, status,
    CASE
        WHEN exit_signal IS NOT NULL THEN exit_signal
        WHEN exit_code IS NOT NULL THEN 'exit ' || exit_code
        ELSE coalesce(error, '')
    END AS reason,
    count(*), max(id)
FROM sessions
WHERE id >= :since AND status IN ('failed', 'timed_out', 'lost')
GROUP BY agent, status, reason
ORDER BY count(*) DESC, max(id) DESC
LIMIT :limit
""")

_COSTS = text("""
SELECT agent, coalesce(project, ''), substr(at, 1, 10), sum(costs.cost_usd)
FROM sessions JOIN costs ON costs.session_id = sessions.id
WHERE sessions.id >= :since AND costs.cost_usd IS NOT NULL
GROUP BY 1, 2, 3 ORDER BY 3 DESC
""")

_HOURS = text(r"""
SELECT substr(created_at, 1, 13) || '\:00Z' AS hour, count(*),
    sum(status IN ('failed', 'timed_out', 'lost'))
FROM sessions WHERE id >= :since
GROUP BY hour
ORDER BY count(*) DESC, hour DESC
LIMIT :limit
""")


class Duration(NamedTuple):
    """How long the ended sessions of an agent took, in seconds."""

    median: float
    p95: float
    longest: float
    total: float


class Group(NamedTuple):
    """Sessions of one agent that have one status."""

    agent: str
    status: str
    sessions: int
    log_bytes: int
    """Of those that have ended."""


class Failure(NamedTuple):
    """Sessions of one agent that went wrong in the same way."""

    agent: str
    status: str
    reason: str
    sessions: int
    newest: str
    """The id of the last one."""


class Hour(NamedTuple):
    """An hour in which sessions were started."""

    hour: str
    """Its beginning: `2026-11-23T21:00Z`."""
    sessions: int
    failed: int


class Cost(NamedTuple):
    """What an agent cost on a day (UTC) in a project, whose name is empty outside of any."""

    agent: str
    project: str
    day: str
    usd: float


class Statistics(NamedTuple):
    """All of it."""

    groups: list[Group]
    durations: dict[str, Duration]
    failures: list[Failure]
    hours: list[Hour]
    costs: list[Cost]
    """The newest day first."""


def read_statistics(orm: OrmSession, *, since_ms: int, limit: int) -> Statistics:
    """Figures of the sessions made since a Unix time; `limit` failures and hours at most."""
    since = {"since": f"session-{max(since_ms, 0):013d}"}
    limited = since | {"limit": limit}
    return Statistics(
        groups=[Group(*row) for row in orm.execute(_BY_AGENT, since)],
        durations={row[0]: Duration(*row[1:]) for row in orm.execute(_DURATIONS, since)},
        failures=[Failure(*row) for row in orm.execute(_FAILURES, limited)],
        hours=[Hour(*row) for row in orm.execute(_HOURS, limited)],
        costs=[Cost(*row) for row in orm.execute(_COSTS, since)],
    )
