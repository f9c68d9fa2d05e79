"""Pages of sessions: filtered, in an order, quick over a million rows.

A page is found in one of three ways, and each is bounded:

* *collect*: one filter alone leaves few sessions: all of them are looked at;
* *words*: an index names where words may be (session_texts.py);
* *walk*: along an index in the order, past sessions that the other filters exclude
  (session_walk.py). A page that ends there is not full and says so; the next one goes on.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session as OrmSession

from webapp.errors import BadRequest
from webapp.store.models import STATUSES, TITLE_LETTERS, Message, Session, SessionCount
from webapp.store.session_filter import (
    ENDED,
    Condition,
    Filter,
    agent_condition,
    all_conditions,
    all_of,
    any_of,
    id_condition,
    project_condition,
    status_condition,
    workflow_condition,
)
from webapp.store.session_order import (
    BY_ID,
    LOG_BYTES,
    ORDERS,
    SORTS,
    Order,
    Position,
    after_conditions,
    cursor_of,
    position_of,
    read_cursor,
)
from webapp.store.session_texts import NoAnswer, TextIndex, find_by_words
from webapp.store.session_walk import Effort, Found, needs_tests, walk
from webapp.store.values import read_time

_HAS_PROJECT = Condition("project IS NOT NULL", {})
"""As in the index: SQLite uses a partial one only then."""
_MAX_IDS = 500
_EFFORT = Effort()


class Page(NamedTuple):
    """Sessions in the order that was asked for."""

    sessions: list[Session]
    next_cursor: str | None
    """Where the next page begins; None at the end."""
    is_incomplete: bool = False
    """The search stopped before the page was full; from the cursor on there may be more."""


def find_page(
    orm: OrmSession,
    wanted: Filter,
    *,
    limit: int,
    sort: str = "newest",
    cursor: str | None = None,
    live_bytes: Callable[[Session], int | None] = lambda _session: None,
    index: TextIndex | None = None,
    effort: Effort = _EFFORT,
) -> Page:
    """Sessions from a cursor on. BadRequest for an unknown status or sort, or a bad cursor.

    `live_bytes`: the size of a live session's log, which its row does not know. Without an
    `index` rows are searched for words, in parts.
    """
    _check_names(wanted.statuses, STATUSES, "status")
    _check_names([sort], SORTS, "sort")
    order = ORDERS[sort]
    after = None if cursor is None else read_cursor(order, cursor)

    positions, stopped_at = _find(orm, wanted, order, after, limit + 1, index, effort)
    if order.of_ended:
        live = _live_positions(orm, wanted, order, live_bytes)
        positions = sorted([*positions, *_between(live, after, stopped_at)], reverse=True)
    sessions = _load(orm, positions[:limit])
    if len(positions) > limit:
        return Page(sessions, cursor_of(order, positions[limit - 1]))
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


def _check_names(names: Iterable[str], known: Sequence[str], field: str) -> None:
    for name in names:
        if name not in known:
            raise BadRequest(
                f"Unknown {field} {name!r}. Available: {', '.join(known)}.", field=field
            )


def _load(orm: OrmSession, positions: Sequence[Position]) -> list[Session]:
    found: dict[str, Session] = {}
    for start in range(0, len(positions), _MAX_IDS):
        ids = [position.id for position in positions[start : start + _MAX_IDS]]
        rows = orm.scalars(select(Session).where(Session.id.in_(ids)))
        found |= {session.id: session for session in rows}
    return [found[position.id] for position in positions]


# --- which way --------------------------------------------------------------------------


def _find(
    orm: OrmSession,
    wanted: Filter,
    order: Order,
    after: Position | None,
    limit: int,
    index: TextIndex | None,
    effort: Effort,
) -> Found:
    """At most `limit` positions after one, and where the search gave up before it had them."""
    if not needs_tests(wanted, order):
        return walk(orm, wanted, order, after, limit, effort)
    source = _small_source(orm, wanted, effort)
    if source is not None:
        return Found(_collect(orm, wanted, order, source, after, limit))
    if wanted.words and index is not None:
        try:
            return find_by_words(orm, wanted, order, after, limit, index, effort)
        except NoAnswer:
            pass
    return walk(orm, wanted, order, after, limit, effort)


# --- a filter that leaves few -------------------------------------------------------------


def _small_source(orm: OrmSession, wanted: Filter, effort: Effort) -> tuple[str, Condition] | None:
    """An index, and the part of it that holds all that are wanted; None where none is small."""
    max_rows = effort.max_collected_with_words if wanted.words else effort.max_collected
    statuses, agents = status_condition(wanted), agent_condition(wanted)
    ids, workflow = id_condition(wanted), workflow_condition(wanted)
    if workflow:
        source = "sessions_by_workflow", all_of([*workflow, *ids])
        if _is_small(orm, *source, max_rows):
            return source
    if agents or statuses:
        counts = count_sessions(orm, wanted.agents)
        count = sum(row.count for row in counts if row.status in (wanted.statuses or STATUSES))
        if count <= max_rows:
            index = "sessions_by_agent" if agents else "sessions_by_status"
            return index, all_of([*agents, *statuses])
    projects = project_condition(wanted)
    if projects:
        source = "sessions_by_project", all_of([*projects, _HAS_PROJECT, *ids])
        if _is_small(orm, *source, max_rows):
            return source
    if ids:
        source = BY_ID, all_of(ids)
        if _is_small(orm, *source, max_rows):
            return source
    return None


def _is_small(orm: OrmSession, index: str, condition: Condition, max_rows: int) -> bool:
    query = (
        f"SELECT count(*) FROM (SELECT 1 FROM sessions INDEXED BY {index}"  # noqa: S608 - our own words
        f" WHERE {condition.sql} LIMIT {max_rows + 1})"
    )
    return bool(orm.scalar(text(query), condition.values) <= max_rows)


def _collect(
    orm: OrmSession,
    wanted: Filter,
    order: Order,
    source: tuple[str, Condition],
    after: Position | None,
    limit: int,
) -> list[Position]:
    index, condition = source
    ended = [ENDED] if order.of_ended else []
    is_after = any_of(after_conditions(order, after))
    test = all_of([*ended, *all_conditions(wanted), condition, is_after])
    query = (
        f"SELECT {order.key} AS key, id FROM sessions INDEXED BY {index} WHERE {test.sql}"  # noqa: S608 - our own words
        f" ORDER BY key {order.direction}, id {order.direction} LIMIT :limit"
    )
    return [position_of(row) for row in orm.execute(text(query), test.values | {"limit": limit})]


# --- live sessions ------------------------------------------------------------------------


def _live_positions(
    orm: OrmSession,
    wanted: Filter,
    order: Order,
    live_bytes: Callable[[Session], int | None],
) -> list[Position]:
    """The live sessions that are wanted, by how long they have run or how much they wrote."""
    live = Condition("status IN ('starting', 'running')", {})
    test = all_of([live, *all_conditions(wanted)])
    query = (
        "SELECT id FROM sessions INDEXED BY live_sessions_by_workflow"  # noqa: S608 - our own words
        f" WHERE {test.sql}"
    )
    ids = [Position(0, session_id) for session_id in orm.scalars(text(query), test.values)]
    sessions = _load(orm, ids)
    if order.key == LOG_BYTES:
        return [Position(live_bytes(session) or 0, session.id) for session in sessions]
    return [Position(_ran_ms(session), session.id) for session in sessions]


def _ran_ms(session: Session) -> int:
    started_at = read_time(session.started_at)
    if started_at is None:
        return 0
    return max(0, int((datetime.now(UTC) - started_at).total_seconds() * 1000))


def _between(
    positions: Iterable[Position], after: Position | None, stopped_at: Position | None
) -> list[Position]:
    return [
        position
        for position in positions
        if (after is None or position < after) and (stopped_at is None or position > stopped_at)
    ]
