"""Find sessions by words, with an index that names where these may be.

The index belongs to another room (webapp/search/); it names the milliseconds in which sessions
were made that may have the words, in the order of time. What it names is looked at in the table,
and so are the few sessions that it lacks.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import text
from sqlalchemy.orm import Session as OrmSession

from webapp.store.models import LIVE
from webapp.store.session_filter import ID_BEGINNING, Filter, all_of, id_condition
from webapp.store.session_order import BY_ID, Order, Position
from webapp.store.session_walk import Effort, Found, deadline, look_at

_SEPARATOR = "\x1f"
_JUST_AFTER = "."
"""Sorts after the hyphen that follows the millisecond in an id."""

_NAMED = f"""(SELECT value AS made FROM json_each(:made)) AS candidates
    CROSS JOIN sessions INDEXED BY {BY_ID}
    ON sessions.id >= made AND sessions.id < made || '{_JUST_AFTER}'"""  # noqa: S608 - our own words
_GIVEN = "(SELECT value AS given FROM json_each(:ids)) CROSS JOIN sessions ON sessions.id = given"
_NEW = "sessions NOT INDEXED WHERE sessions.rowid > :rowid"
_COUNT_NEW = text(f"SELECT count(*) FROM (SELECT 1 FROM {_NEW} LIMIT :limit)")  # noqa: S608 - our own words
_HAS_ROW = text("SELECT 1 FROM sessions WHERE rowid = :rowid AND id = :session_id")
_SELECT_TEXTS = text(f"""
SELECT sessions.id, sessions.error,
    (SELECT request_id FROM workflows WHERE workflows.id = sessions.workflow_id),
    (SELECT group_concat(content, char(31)) FROM messages
        WHERE messages.session_id = sessions.id AND role = 'user')
FROM {_GIVEN} WHERE sessions.status NOT IN {LIVE}
""")  # noqa: S608 - our own words


class Mark(NamedTuple):
    """A row of `sessions`."""

    rowid: int
    session_id: str


class NewSession(NamedTuple):
    """A row of `sessions`, for an index."""

    rowid: int
    session_id: str
    agent: str
    has_log: bool


class NoAnswer(Exception):
    """The index cannot say where words are; the rows must be searched."""


class TooSlow(NoAnswer):
    """It would take the index too long."""


class TextIndex(Protocol):
    """What a list needs of the index of words."""

    def mark(self) -> Mark | None:
        """The last row that it knows of, in the order in which rows were inserted."""

    def unindexed(self, limit: int) -> list[str]:
        """Sessions that it knows of and lacks, as those that have not ended."""

    def find(
        self,
        words: str,
        bounds: tuple[int, int],
        *,
        is_rising: bool,
        limit: int,
        seconds: float | None,
    ) -> list[int]:
        """The milliseconds, within bounds, in which sessions were made that may have the words.

        NoAnswer for words that it does not have, TooSlow after that many seconds.
        """


def has_row(orm: OrmSession, mark: Mark) -> bool:
    """Whether a row is still the one that it was: not after a backup has been restored."""
    return orm.execute(_HAS_ROW, mark._asdict()).first() is not None


def sessions_after(orm: OrmSession, rowid: int, limit: int) -> list[NewSession]:
    """The next sessions in the order in which rows were inserted."""
    query = text(
        "SELECT rowid, id, agent, log_deleted_at IS NULL FROM sessions NOT INDEXED"
        " WHERE rowid > :rowid ORDER BY rowid LIMIT :limit"
    )
    found = orm.execute(query, {"rowid": rowid, "limit": limit})
    return [NewSession(*row) for row in found]


def ended_texts(orm: OrmSession, session_ids: Sequence[str]) -> list[tuple[str, str]]:
    """Of those sessions that have ended, all that a list can be searched for, by id."""
    rows = orm.execute(_SELECT_TEXTS, {"ids": json.dumps(session_ids)})
    return [(row[0], _SEPARATOR.join(part for part in row[1:] if part)) for row in rows]


def find_by_words(
    orm: OrmSession,
    wanted: Filter,
    order: Order,
    after: Position | None,
    limit: int,
    index: TextIndex,
    effort: Effort,
) -> Found:
    """At most `limit` positions after one. NoAnswer where the rows must be searched."""
    unindexed = _unindexed(orm, wanted, order, index, effort)
    if order.of_ended:
        found = Found(_in_order(orm, wanted, order, after, limit, index, effort))
    else:
        found = _in_time(orm, wanted, order, after, limit, index, effort)
    positions = sorted({*found.positions, *unindexed}, reverse=not order.is_rising)
    between = [
        position
        for position in positions
        if (after is None or order.is_before(after, position))
        and (found.stopped_at is None or not order.is_before(found.stopped_at, position))
    ]
    return Found(between[:limit], None if len(between) >= limit else found.stopped_at)


def _unindexed(
    orm: OrmSession, wanted: Filter, order: Order, index: TextIndex, effort: Effort
) -> list[Position]:
    """What is wanted of the sessions that the index lacks."""
    mark, rowid = index.mark(), 0
    if mark is not None:
        if not has_row(orm, mark):
            raise NoAnswer
        rowid = mark.rowid
    lacking = index.unindexed(effort.max_unindexed + 1)
    new = orm.scalar(_COUNT_NEW, {"rowid": rowid, "limit": effort.max_unindexed + 1}) or 0
    if len(lacking) + new > effort.max_unindexed:
        raise NoAnswer
    return [
        *look_at(orm, wanted, order, _GIVEN, {"ids": json.dumps(lacking)}),
        *look_at(orm, wanted, order, _NEW, {"rowid": rowid}),
    ]


def _in_time(
    orm: OrmSession,
    wanted: Filter,
    order: Order,
    after: Position | None,
    limit: int,
    index: TextIndex,
    effort: Effort,
) -> Found:
    """Along the index: without other filters, nearly all sessions that it names are wanted."""
    found: list[Position] = []
    bounds = _bounds(wanted, order, after)
    step = max(limit, effort.first_step // 5)
    is_late = None
    while True:
        made, end = _ask(orm, index, wanted.words, order, bounds, effort)
        is_late = is_late or deadline(effort.seconds)
        for start in range(0, max(len(made), 1), step):
            part = made[start : start + step]
            looked_at = look_at(orm, wanted, order, _NAMED, _made_values(part))
            found += [one for one in looked_at if after is None or order.is_before(after, one)]
            looked_to = end if start + step >= len(made) else part[-1]
            if looked_to is None or len(found) >= limit:
                return Found(found)
            if is_late():
                stop = f"{ID_BEGINNING}{looked_to:013d}{'~' if order.is_rising else ''}"
                return Found(found, Position(stop, stop))
            bounds = (looked_to + 1, bounds[1]) if order.is_rising else (bounds[0], looked_to - 1)


def _ask(
    orm: OrmSession,
    index: TextIndex,
    words: str,
    order: Order,
    bounds: tuple[int, int],
    effort: Effort,
) -> tuple[list[int], int | None]:
    """What the index names next, and the last millisecond it looked at; None: it is at its end.

    Words of which each piece is common, and that are nowhere together, take it long: it is then
    asked about the next sessions only.
    """
    end, limit = None, effort.max_named
    try:
        made = index.find(
            words, bounds, is_rising=order.is_rising, limit=limit, seconds=effort.index_seconds
        )
    except TooSlow:
        bounds, end = _window(orm, order, bounds, effort.window_sessions)
        made = index.find(words, bounds, is_rising=order.is_rising, limit=limit, seconds=None)
    return made, end if len(made) < limit else made[-1]


def _window(
    orm: OrmSession, order: Order, bounds: tuple[int, int], window_sessions: int
) -> tuple[tuple[int, int], int | None]:
    """The bounds of the next sessions within bounds, and where these end; None: with the bounds."""
    begin, end = (f"{ID_BEGINNING}{bound:013d}" for bound in bounds)
    query = text(
        f"SELECT id FROM sessions INDEXED BY {BY_ID} WHERE id >= :begin AND id < :end"  # noqa: S608 - our own words
        f" ORDER BY id {order.direction} LIMIT 1 OFFSET :offset"
    )
    values = {"begin": begin, "end": f"{end}{_JUST_AFTER}", "offset": window_sessions}
    last_id = orm.scalar(query, values)
    if last_id is None:
        return bounds, None
    made = bounds_ms(last_id, last_id)[not order.is_rising]
    return ((bounds[0], made) if order.is_rising else (made, bounds[1])), made


def _in_order(
    orm: OrmSession,
    wanted: Filter,
    order: Order,
    after: Position | None,
    limit: int,
    index: TextIndex,
    effort: Effort,
) -> list[Position]:
    """Sort all that the index names, then see from the first on which are wanted."""
    bounds = _bounds(wanted, order, None)
    limit_named = effort.max_sorted + 1
    made = index.find(
        wanted.words, bounds, is_rising=True, limit=limit_named, seconds=effort.index_seconds
    )
    if len(made) == limit_named:
        raise NoAnswer
    named = look_at(orm, Filter(), order, _NAMED, _made_values(made))
    named = sorted(
        (one for one in named if after is None or order.is_before(after, one)),
        reverse=not order.is_rising,
    )
    found: list[Position] = []
    step = max(limit, effort.first_step // 5)
    for start in range(0, len(named), step):
        ids = [position.id for position in named[start : start + step]]
        found += look_at(orm, wanted, order, _GIVEN, {"ids": json.dumps(ids)})
        if len(found) >= limit:
            break
    return found


def _bounds(wanted: Filter, order: Order, after: Position | None) -> tuple[int, int]:
    """The milliseconds in which what is wanted was made, as far as ids say."""
    values = all_of(id_condition(wanted)).values
    first, last = bounds_ms(values.get("lowest", ""), values.get("highest", ""))
    if after is None:
        return first, last
    after_first, after_last = bounds_ms(after.id, after.id)
    return (max(first, after_first), last) if order.is_rising else (first, min(last, after_last))


def bounds_ms(lowest: str, highest: str) -> tuple[int, int]:
    """The milliseconds, both included, of all ids between two ids or beginnings of ids."""
    digits = re.compile(rf"{ID_BEGINNING}([0-9]{{1,13}})")
    first, last = digits.match(lowest), digits.match(highest)
    return (
        0 if first is None else int(first[1].ljust(13, "0")),
        10**13 if last is None else int(last[1].ljust(13, "9")),
    )


def _made_values(made: Iterable[int]) -> dict[str, Any]:
    return {"made": json.dumps([f"{ID_BEGINNING}{moment:013d}" for moment in made])}
