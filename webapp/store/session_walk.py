"""Find sessions along an index of the table that has the wanted order.

Which index serves is said in the SQL (https://sqlite.org/lang_indexedby.html): no list becomes
slow by the statistics that SQLite has, or has not, gathered.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session as OrmSession

from webapp.store.models import STATUSES
from webapp.store.session_filter import (
    ENDED,
    Condition,
    Filter,
    agent_condition,
    all_conditions,
    all_of,
    id_condition,
    project_condition,
    status_condition,
    words_condition,
    workflow_condition,
)
from webapp.store.session_order import Order, Position, after_conditions, position_of

_MAX_PARTS = 70
"""SQLite puts at most 500 selects together: https://sqlite.org/limits.html"""


@dataclass(frozen=True)
class Effort:
    """How much work one page may cost."""

    max_walked: int = 10_000
    """Rows along an index."""
    max_collected: int = 10_000
    """Rows that are all looked at and then sorted."""
    max_collected_with_words: int = 2_000
    """The same where each is searched for words."""
    max_unindexed: int = 2_000
    """Sessions that the index of words lacks, and that are looked at one by one."""
    max_named: int = 1_000
    """Sessions that the index of words names at once."""
    max_sorted: int = 5_000
    """Sessions that the index of words names, where these must be sorted."""
    first_step: int = 500
    seconds: float = 0.02
    """Of work, beside that of the index of words."""
    index_seconds: float = 0.03
    """For one question to the index of words; if it takes longer, it gets a smaller one."""
    window_sessions: int = 100_000
    """The sessions that the smaller question is about."""


def deadline(seconds: float) -> Callable[[], bool]:
    """Whether this thread has worked that long from now on, or waited three times as long.

    Other work on the machine then makes a page late, not incomplete.
    """
    cpu, wall = time.thread_time() + seconds, time.monotonic() + 3 * seconds
    return lambda: time.thread_time() >= cpu or time.monotonic() >= wall


class Found(NamedTuple):
    """Positions in an order."""

    positions: list[Position]
    stopped_at: Position | None = None
    """Where the search gave up before it had enough."""


class _Walk(NamedTuple):
    """The parts of an index to go along, each in order, and what is still to be tested."""

    indexed_by: str
    parts: list[Condition]
    tests: list[Condition]


def needs_tests(wanted: Filter, order: Order) -> bool:
    """Whether no index has just what is wanted in this order."""
    return bool(_plan(wanted, order).tests)


def walk(
    orm: OrmSession,
    wanted: Filter,
    order: Order,
    after: Position | None,
    limit: int,
    effort: Effort,
) -> Found:
    """Go along an index, in growing steps, until there is enough or too much was looked at."""
    way = _plan(wanted, order)
    found: list[Position] = []
    step, looked_at = max(limit, effort.first_step) if way.tests else limit, 0
    is_late = deadline(effort.seconds)
    while True:
        end = _end_of_step(orm, order, way, after, step) if way.tests else None
        found += _step(orm, order, way, after, step)
        looked_at += step
        if end is None or len(found) >= limit:
            return Found(found[:limit])
        after = end
        if looked_at >= effort.max_walked or is_late():
            return Found(found, after)
        step = min(step * 2, order.max_step, effort.max_walked - looked_at)


def _plan(wanted: Filter, order: Order) -> _Walk:
    """The index that has the order and serves the largest part of a filter."""
    statuses, agents, projects, workflow, ids, words = (
        status_condition(wanted),
        agent_condition(wanted),
        project_condition(wanted),
        workflow_condition(wanted),
        id_condition(wanted),
        words_condition(wanted),
    )
    if order.of_ended:
        tests = [*statuses, *agents, *projects, *workflow, *ids, *words]
        return _Walk(order.indexed_by, [ENDED], tests)
    if workflow:
        parts = [all_of([*workflow, *ids])]
        return _Walk("sessions_by_workflow", parts, [*statuses, *agents, *projects, *words])
    if 0 < len(wanted.projects) <= _MAX_PARTS:
        each = enumerate(dict.fromkeys(wanted.projects))
        parts = [all_of([_project(at, project), *ids]) for at, project in each]
        return _Walk("sessions_by_project", parts, [*statuses, *agents, *words])
    words += projects
    pairs = [
        (agent, status)
        for agent in dict.fromkeys(wanted.agents)
        for status in dict.fromkeys(wanted.statuses or STATUSES)
    ]
    if len(pairs) > _MAX_PARTS:
        return _Walk(order.indexed_by, [all_of(ids)], [*statuses, *agents, *words])
    if pairs:
        parts = [all_of([_pair(at, *pair), *ids]) for at, pair in enumerate(pairs)]
        return _Walk("sessions_by_agent", parts, words)
    if statuses:
        each = enumerate(dict.fromkeys(wanted.statuses))
        parts = [all_of([_status(at, status), *ids]) for at, status in each]
        return _Walk("sessions_by_status", parts, words)
    return _Walk(order.indexed_by, [all_of(ids)], words)


def _pair(at: int, agent: str, status: str) -> Condition:
    return all_of(
        [Condition(f"agent = :agent_of_{at}", {f"agent_of_{at}": agent}), _status(at, status)]
    )


def _project(at: int, project: str) -> Condition:
    # The index holds only rows that have one, and SQLite has to see that it serves.
    is_it = f"project = :project_of_{at} AND project IS NOT NULL"
    return Condition(is_it, {f"project_of_{at}": project})


def _status(at: int, status: str) -> Condition:
    return Condition(f"status = :status_of_{at}", {f"status_of_{at}": status})


def _end_of_step(
    orm: OrmSession, order: Order, way: _Walk, after: Position | None, step: int
) -> Position | None:
    """Where a step ends; None where the index ends before."""
    listed = _listed(order, way, after)
    query = f"SELECT key, id FROM ({listed.sql}) LIMIT 1 OFFSET :limit - 1"  # noqa: S608 - our own words
    row = orm.execute(text(query), listed.values | {"limit": step}).first()
    return None if row is None else position_of(row)


def _step(
    orm: OrmSession, order: Order, way: _Walk, after: Position | None, step: int
) -> list[Position]:
    """What is wanted of the next rows."""
    listed, test = _listed(order, way, after), all_of(way.tests)
    query = listed.sql
    if way.tests:
        query = (
            f"SELECT listed.key, sessions.id FROM ({listed.sql}) AS listed"  # noqa: S608 - our own words
            f" CROSS JOIN sessions ON sessions.id = listed.id WHERE ({test.sql}) IS TRUE"
            f" ORDER BY listed.key {order.direction}, sessions.id {order.direction}"
        )
    rows = orm.execute(text(query), listed.values | test.values | {"limit": step})
    return [position_of(row) for row in rows]


def _listed(order: Order, way: _Walk, after: Position | None) -> Condition:
    """A query for the next rows of all parts together, and its values but for the limit."""
    by = f"ORDER BY key {order.direction}, id {order.direction} LIMIT :limit"
    afters = after_conditions(order, after)
    parts = " UNION ALL ".join(
        f"SELECT * FROM (SELECT {order.key} AS key, id FROM sessions INDEXED BY {way.indexed_by}"  # noqa: S608 - our own words
        f" WHERE {part.sql} AND {behind.sql} {by})"
        for part in way.parts
        for behind in afters
    )
    values = all_of([*way.parts, *afters]).values
    return Condition(f"SELECT key, id FROM ({parts}) {by}", values)  # noqa: S608


def look_at(
    orm: OrmSession, wanted: Filter, order: Order, source: str, values: dict[str, Any]
) -> list[Position]:
    """The sessions of a source (SQL after FROM) that are wanted, in no order.

    The conditions are where they cannot make SQLite choose another index than the source does.
    """
    test = all_of([*all_conditions(wanted), *([ENDED] if order.of_ended else [])])
    query = (
        "SELECT key, id FROM ("  # noqa: S608 - our own words
        f"SELECT {order.key} AS key, sessions.id AS id, ({test.sql}) AS is_wanted FROM {source}"
        ") WHERE is_wanted IS TRUE"
    )
    return [position_of(row) for row in orm.execute(text(query), test.values | values)]
