"""The third way to a page of sessions: ask the index where they may be, and look there.

What the index does not have yet, a few hundred that have just ended and all that live, is looked
at one by one.
"""

import json
import time
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session as OrmSession

from webapp.store.session_filter import (
    ID_BEGINNING,
    Condition,
    Filter,
    all_conditions,
    all_of,
    id_condition,
)
from webapp.store.session_index import bounds_ms, made_ms, query_of
from webapp.store.session_order import BY_ID, Order, Place, after_condition

MOST_UNINDEXED = 3_000
MOST_SORTED = 5_000
"""So many that the index names are all sorted: a look at each costs 3 microseconds."""
MOST_MATCHED = 25_000
"""So many are looked for along an order's own index; of more, any walk soon meets enough."""
MOST_PASSED = 20_000
_STEP_PASSED = 2_000
PATIENCE_SECONDS = 0.02
_FIRST_STEP = 100
_MOST_STEP = 1_000
_JUST_AFTER = "."
"""Sorts after the hyphen that follows the millisecond in an id."""

_ENDED = Condition("ended_at IS NOT NULL", {})
_CANDIDATES = f"""(SELECT value AS made FROM json_each(:made)) AS candidates
    CROSS JOIN sessions INDEXED BY {BY_ID}
    ON sessions.id >= made AND sessions.id < made || '{_JUST_AFTER}'"""  # noqa: S608 - our own words
_NAMED = "(SELECT value AS named FROM json_each(:ids)) CROSS JOIN sessions ON sessions.id = named"
_UNINDEXED = "unindexed_sessions CROSS JOIN sessions ON sessions.id = session_id"


def find_indexed(
    orm: OrmSession, wanted: Filter, order: Order, after: Place | None, limit: int
) -> tuple[list[Place], Place | None] | None:
    """At most `limit` places after one, and where it gave up before it had so many.

    None where the index is no use: it lacks too many, knows nothing of what is asked for, or
    has so many that an order other than that of time is found sooner without it.
    """
    query = query_of(wanted)
    if query is None or not _is_filled(orm):
        return None
    stopped_at = None
    if order.of_ended:
        made = _made(orm, query, order, _bounds(wanted, order, None), MOST_MATCHED + 1)
        if len(made) > MOST_MATCHED:
            return None
        if len(made) <= MOST_SORTED:
            found = _in_order(orm, wanted, order, after, made, limit)
        else:
            found, stopped_at = _along(orm, wanted, order, after, made, limit)
    else:
        found, stopped_at = _in_time(orm, query, wanted, order, after, limit)
    found += _look(orm, wanted, order, _UNINDEXED, {})
    places = sorted(set(found), reverse=not order.is_rising)
    between = [
        place
        for place in places
        if (after is None or _is_before(order, after, place))
        and (stopped_at is None or not _is_before(order, stopped_at, place))
    ]
    return between[:limit], None if len(between) >= limit else stopped_at


def _is_before(order: Order, one: Place, other: Place) -> bool:
    return one < other if order.is_rising else one > other


def _is_filled(orm: OrmSession) -> bool:
    query = f"SELECT count(*) FROM (SELECT 1 FROM unindexed_sessions LIMIT {MOST_UNINDEXED + 1})"  # noqa: S608 - a number
    return bool(orm.scalar(text(query)) <= MOST_UNINDEXED)


def _in_time(
    orm: OrmSession, query: str, wanted: Filter, order: Order, after: Place | None, limit: int
) -> tuple[list[Place], Place | None]:
    """Along the index, in growing steps: nearly all that it names are wanted."""
    found: list[Place] = []
    first, last = _bounds(wanted, order, after)
    step = max(limit, _FIRST_STEP)
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while True:
        made = _made(orm, query, order, (first, last), step)
        looked_at = _look(orm, wanted, order, _CANDIDATES, _values(made))
        found += [place for place in looked_at if after is None or _is_before(order, after, place)]
        if len(made) < step or len(found) >= limit:
            return found, None
        if order.is_rising:
            first = made[-1] + 1
        else:
            last = made[-1] - 1
        if time.monotonic() >= give_up_at:
            stop = f"{ID_BEGINNING}{made[-1]:013d}{'~' if order.is_rising else ''}"
            return found, Place(stop, stop)
        step = min(step * 2, _MOST_STEP)


def _in_order(
    orm: OrmSession,
    wanted: Filter,
    order: Order,
    after: Place | None,
    made: Sequence[int],
    limit: int,
) -> list[Place]:
    """Sort all that the index names, then see from the first on which are wanted."""
    places = _look(orm, Filter(), order, _CANDIDATES, _values(made))
    places = sorted(set(places), reverse=not order.is_rising)
    places = [place for place in places if after is None or _is_before(order, after, place)]
    return _first_wanted(orm, wanted, order, places, limit)


def _along(
    orm: OrmSession,
    wanted: Filter,
    order: Order,
    after: Place | None,
    made: Sequence[int],
    limit: int,
) -> tuple[list[Place], Place | None]:
    """Along the order's own index, past all that the other does not name: no row is looked at."""
    named = set(made)
    found: list[Place] = []
    for _ in range(MOST_PASSED // _STEP_PASSED):
        behind = after_condition(order, after)
        statement = (
            f"SELECT {order.key} AS key, id FROM sessions INDEXED BY {order.indexed_by}"  # noqa: S608 - our own words
            f" WHERE {_ENDED.sql} AND {behind.sql}"
            f" ORDER BY key {order.direction}, id {order.direction} LIMIT {_STEP_PASSED}"
        )
        passed = orm.execute(text(statement), behind.values).all()
        places = [Place(*row) for row in passed if made_ms(row[1]) in named]
        found += _first_wanted(orm, wanted, order, places, limit - len(found))
        if len(passed) < _STEP_PASSED or len(found) >= limit:
            return found, None
        after = Place(*passed[-1])
    return found, after


def _first_wanted(
    orm: OrmSession, wanted: Filter, order: Order, places: Sequence[Place], limit: int
) -> list[Place]:
    """The first of some places at which there is what is wanted: at nearly all there is."""
    found: list[Place] = []
    step = max(limit, _FIRST_STEP)
    for start in range(0, len(places), step):
        ids = [place.id for place in places[start : start + step]]
        found += _look(orm, wanted, order, _NAMED, {"ids": json.dumps(ids)})
        if len(found) >= limit:
            break
    return sorted(found, reverse=not order.is_rising)[:limit]


def _bounds(wanted: Filter, order: Order, after: Place | None) -> tuple[int, int]:
    """The milliseconds in which what is wanted was made, as far as ids tell."""
    values = all_of(id_condition(wanted)).values
    first, last = bounds_ms(values.get("lowest", ""), values.get("highest", ""))
    if after is None:
        return first, last
    after_first, after_last = bounds_ms(after.id, after.id)
    return (max(first, after_first), last) if order.is_rising else (first, min(last, after_last))


def _made(
    orm: OrmSession, query: str, order: Order, bounds: tuple[int, int], limit: int
) -> Sequence[int]:
    """The milliseconds that the index names, in the order."""
    statement = (
        "SELECT rowid FROM session_index WHERE session_index MATCH ?"  # noqa: S608 - our own words
        f" AND rowid BETWEEN ? AND ? ORDER BY rowid {order.direction} LIMIT ?"
    )
    connection: Any = orm.connection().connection.dbapi_connection
    return [made for (made,) in connection.execute(statement, (query, *bounds, limit))]


def _values(made: Iterable[int]) -> dict[str, Any]:
    return {"made": json.dumps([f"{ID_BEGINNING}{moment:013d}" for moment in made])}


def _look(
    orm: OrmSession, wanted: Filter, order: Order, source: str, values: dict[str, Any]
) -> list[Place]:
    """Those that are wanted among some.

    The conditions stand where they cannot choose another index than the source names.
    """
    test = all_of([*all_conditions(wanted), *([_ENDED] if order.of_ended else [])])
    query = f"SELECT {order.key}, sessions.id, ({test.sql}) FROM {source}"  # noqa: S608 - our own words
    rows = orm.execute(text(query), test.values | values)
    return [Place(key, session_id) for key, session_id, is_wanted in rows if is_wanted]
