"""Pages of sessions: filtered, in an order, quick over a million rows.

A page is found in one of three ways, and each is bounded:

* *ask*: an index of all that is known of a session says where filters meet (indexed_list.py);
* *collect*: one filter alone leaves at most MOST_COLLECTED sessions: all of them are looked at;
* *walk*: along an index in the order, past at most MOST_WALKED sessions, for PATIENCE_SECONDS,
  that the other filters do not take. A page that ends there is not full and says so; the next
  one goes on.

Which index serves is said in the SQL (https://sqlite.org/lang_indexedby.html): statistics that
SQLite has gathered, or has not, can make no list slow.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session as OrmSession

from webapp.errors import BadRequest
from webapp.store.indexed_list import find_indexed
from webapp.store.models import STATUSES, TITLE_LETTERS, Message, Session, SessionCount
from webapp.store.session_filter import (
    Condition,
    Filter,
    agent_condition,
    all_conditions,
    all_of,
    id_condition,
    status_condition,
    text_condition,
    workflow_condition,
)
from webapp.store.session_order import (
    BY_ID,
    LOG_BYTES,
    ORDERS,
    SORTS,
    Order,
    Place,
    after_condition,
    cursor_of,
    read_cursor,
)

MOST_COLLECTED = 10_000
MOST_WALKED = 10_000
PATIENCE_SECONDS = 0.02
_FIRST_STEP = 500
_MOST_PARTS = 70
"""SQLite puts at most 500 selects together: https://sqlite.org/limits.html"""


class Page(NamedTuple):
    """Sessions in the order that was asked for."""

    sessions: list[Session]
    next_cursor: str | None
    """Where the next page begins; None at the end."""
    is_incomplete: bool = False
    """The search stopped before the page was full; from the cursor on there may be more."""


class _Walk(NamedTuple):
    """The way along an index: the parts of it, each in order, and what is still to be tested."""

    indexed_by: str
    parts: list[Condition]
    tests: list[Condition]


def find_page(
    orm: OrmSession,
    wanted: Filter,
    *,
    limit: int,
    sort: str = "newest",
    cursor: str | None = None,
    live_bytes: Callable[[Session], int | None] = lambda _session: None,
) -> Page:
    """Sessions from a cursor on. BadRequest for an unknown status or sort, or a bad cursor.

    `live_bytes`: the size of a live session's log, which its row does not know.
    """
    _check_words(wanted.statuses, STATUSES, "status")
    _check_words([sort], SORTS, "sort")
    order = ORDERS[sort]
    after = None if cursor is None else read_cursor(order, cursor)

    places, stopped_at = _find(orm, wanted, order, after, limit + 1)
    if order.of_ended:
        live = _live_places(orm, wanted, order, live_bytes)
        places = sorted([*places, *_between(live, after, stopped_at)], reverse=True)
    sessions = _load(orm, places[:limit])
    if len(places) > limit:
        return Page(sessions, cursor_of(order, places[limit - 1]))
    if stopped_at is not None:
        return Page(sessions, cursor_of(order, stopped_at), is_incomplete=True)
    return Page(sessions, None)


def count_sessions(orm: OrmSession, agents: Sequence[str] = ()) -> list[SessionCount]:
    """How many sessions each agent has of each status; kept by triggers, so not counted now."""
    query = select(SessionCount).where(SessionCount.count > 0)
    if agents:
        query = query.where(SessionCount.agent.in_(agents))
    return list(orm.scalars(query))


def titles_of(orm: OrmSession, sessions: Sequence[Session]) -> dict[str, str]:
    """How the message began that started each session, by id; nothing where there was none."""
    query = (
        select(Message.session_id, func.substr(Message.content, 1, TITLE_LETTERS))
        .where(Message.session_id.in_([session.id for session in sessions]))
        .where(Message.role == "user")
        .order_by(Message.id.desc())
    )
    return {str(session_id): str(title) for session_id, title in orm.execute(query)}


def _check_words(words: Iterable[str], known: Sequence[str], field: str) -> None:
    for word in words:
        if word not in known:
            raise BadRequest(
                f"Unknown {field} {word!r}; there are: {', '.join(known)}.", field=field
            )


def _load(orm: OrmSession, places: Sequence[Place]) -> list[Session]:
    found: dict[str, Session] = {}
    for start in range(0, len(places), _FIRST_STEP):
        ids = [place.id for place in places[start : start + _FIRST_STEP]]
        rows = orm.scalars(select(Session).where(Session.id.in_(ids)))
        found |= {session.id: session for session in rows}
    return [found[place.id] for place in places]


# --- the ways ---------------------------------------------------------------------


def _find(
    orm: OrmSession, wanted: Filter, order: Order, after: Place | None, limit: int
) -> tuple[list[Place], Place | None]:
    """At most `limit` places after one, and where the walk gave up before it had so many."""
    walk = _plan(wanted, order)
    if walk.tests:
        indexed = find_indexed(orm, wanted, order, after, limit)
        if indexed is not None:
            return indexed
        source = _small_source(orm, wanted)
        if source is not None:
            return _collect(orm, wanted, order, source, after, limit), None
    return _follow(orm, order, walk, after, limit)


def _plan(wanted: Filter, order: Order) -> _Walk:
    """The index that serves most of a filter and has the order."""
    statuses, agents, workflow, ids, words = (
        status_condition(wanted),
        agent_condition(wanted),
        workflow_condition(wanted),
        id_condition(wanted),
        text_condition(wanted),
    )
    if order.of_ended:
        ended = [Condition("ended_at IS NOT NULL", {})]
        return _Walk(order.indexed_by, ended, [*statuses, *agents, *workflow, *ids, *words])
    if workflow:
        parts = [all_of([*workflow, *ids])]
        return _Walk("sessions_by_workflow", parts, [*statuses, *agents, *words])
    pairs = [
        (agent, status)
        for agent in dict.fromkeys(wanted.agents)
        for status in dict.fromkeys(wanted.statuses or STATUSES)
    ]
    if len(pairs) > _MOST_PARTS:
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


def _status(at: int, status: str) -> Condition:
    return Condition(f"status = :status_of_{at}", {f"status_of_{at}": status})


def _follow(
    orm: OrmSession, order: Order, walk: _Walk, after: Place | None, limit: int
) -> tuple[list[Place], Place | None]:
    """Along an index, in growing steps, until there is enough or too much was looked at."""
    found: list[Place] = []
    step, looked_at = max(limit, _FIRST_STEP) if walk.tests else limit, 0
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        rows = _step(orm, order, walk, after, step)
        found += [Place(key, session_id) for key, session_id, is_wanted in rows if is_wanted]
        looked_at += len(rows)
        if len(rows) < step or len(found) >= limit:
            return found[:limit], None
        after = Place(rows[-1][0], rows[-1][1])
        if looked_at >= MOST_WALKED or time.monotonic() >= give_up_at:
            return found, after
        step = min(step * 2, order.most_at_once, MOST_WALKED - looked_at)


def _step(
    orm: OrmSession, order: Order, walk: _Walk, after: Place | None, limit: int
) -> Sequence[Any]:
    """The next rows of all parts together: key, id, and whether the tests are true of each."""
    by = f"ORDER BY key {order.direction}, id {order.direction} LIMIT :limit"
    behind = after_condition(order, after)
    parts = " UNION ALL ".join(
        f"SELECT * FROM (SELECT {order.key} AS key, id FROM sessions INDEXED BY {walk.indexed_by}"  # noqa: S608 - our own words
        f" WHERE {part.sql} AND {behind.sql} {by})"
        for part in walk.parts
    )
    test = all_of(walk.tests)
    values = all_of([*walk.parts, behind, test]).values | {"limit": limit}
    listed = f"SELECT key, id FROM ({parts}) {by}"  # noqa: S608
    if not walk.tests:
        return orm.execute(text(f"SELECT key, id, 1 FROM ({listed})"), values).all()  # noqa: S608
    query = (
        f"SELECT listed.key, sessions.id, {test.sql} FROM ({listed}) AS listed"  # noqa: S608
        " CROSS JOIN sessions ON sessions.id = listed.id"
        f" ORDER BY listed.key {order.direction}, sessions.id {order.direction}"
    )
    return orm.execute(text(query), values).all()


# --- a filter that leaves few ---------------------------------------------------------


def _small_source(orm: OrmSession, wanted: Filter) -> tuple[str, Condition] | None:
    """An index, and the part of it that holds all that are wanted; None where none is small."""
    statuses, agents = status_condition(wanted), agent_condition(wanted)
    ids, workflow = id_condition(wanted), workflow_condition(wanted)
    if workflow:
        source = "sessions_by_workflow", all_of([*workflow, *ids])
        if _is_small(orm, *source):
            return source
    if agents or statuses:
        pairs = wanted.agents or [row.agent for row in count_sessions(orm)]
        kept = count_sessions(orm, pairs)
        few = sum(row.count for row in kept if row.status in (wanted.statuses or STATUSES))
        if few <= MOST_COLLECTED:
            index = "sessions_by_agent" if agents else "sessions_by_status"
            return index, all_of([*agents, *statuses])
    if ids:
        source = BY_ID, all_of(ids)
        if _is_small(orm, *source):
            return source
    return None


def _is_small(orm: OrmSession, index: str, condition: Condition) -> bool:
    query = (
        f"SELECT count(*) FROM (SELECT 1 FROM sessions INDEXED BY {index}"  # noqa: S608 - our own words
        f" WHERE {condition.sql} LIMIT {MOST_COLLECTED + 1})"
    )
    return bool(orm.scalar(text(query), condition.values) <= MOST_COLLECTED)


def _collect(
    orm: OrmSession,
    wanted: Filter,
    order: Order,
    source: tuple[str, Condition],
    after: Place | None,
    limit: int,
) -> list[Place]:
    index, condition = source
    tests = [*all_conditions(wanted), condition, after_condition(order, after)]
    if order.of_ended:
        tests.append(Condition("ended_at IS NOT NULL", {}))
    test = all_of(tests)
    query = (
        f"SELECT {order.key} AS key, id FROM sessions INDEXED BY {index} WHERE {test.sql}"  # noqa: S608 - our own words
        f" ORDER BY key {order.direction}, id {order.direction} LIMIT :limit"
    )
    return [Place(*row) for row in orm.execute(text(query), test.values | {"limit": limit})]


# --- what lives -----------------------------------------------------------------------


def _live_places(
    orm: OrmSession,
    wanted: Filter,
    order: Order,
    live_bytes: Callable[[Session], int | None],
) -> list[Place]:
    """The live sessions that are wanted, by how long they have run or how much they wrote."""
    live = Condition("status IN ('starting', 'running')", {})
    test = all_of([live, *all_conditions(wanted)])
    query = (
        "SELECT id FROM sessions INDEXED BY live_sessions_by_workflow"  # noqa: S608 - our own words
        f" WHERE {test.sql}"
    )
    ids = [Place(0, session_id) for session_id in orm.scalars(text(query), test.values)]
    sessions = _load(orm, ids)
    if order.key == LOG_BYTES:
        return [Place(live_bytes(session) or 0, session.id) for session in sessions]
    return [Place(_ran_ms(session), session.id) for session in sessions]


def _ran_ms(session: Session) -> int:
    if session.started_at is None:
        return 0
    ran = datetime.now(UTC) - datetime.fromisoformat(session.started_at)
    return max(0, int(ran.total_seconds() * 1000))


def _between(places: Iterable[Place], after: Place | None, stopped_at: Place | None) -> list[Place]:
    return [
        place
        for place in places
        if (after is None or place < after) and (stopped_at is None or place > stopped_at)
    ]
