"""The orders of a list of sessions, a session's position in one, and cursors."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from webapp.errors import BadRequest
from webapp.store.session_filter import TRUE, Condition, all_of

BY_ID = "sqlite_autoindex_sessions_1"
DURATION_MS = (
    "max(0, CAST(round((julianday(ended_at) - julianday(coalesce(started_at, ended_at)))"
    " * 86400000.0) AS INTEGER))"
)
"""As in the index, word for word: SQLite uses an index on an expression only then."""
LOG_BYTES = "coalesce(log_bytes, 0)"
_CURSOR = re.compile(r"(?:(-?[0-9]{1,19})\.)?(session-[0-9a-z-]{1,26}~?)")


NO_KEY = -(1 << 63)
"""The key of a damaged row, NULL in SQL: it comes last."""


class Position(NamedTuple):
    """Where a session is in an order: what it is sorted by, then its id."""

    key: Any
    id: str


def position_of(row: Sequence[Any]) -> Position:
    """The position that a query gave: key and id."""
    key, session_id = row
    return Position(NO_KEY if key is None else key, session_id)


class Order(NamedTuple):
    """An order, and the index that has it."""

    key: str
    indexed_by: str
    direction: str = "DESC"
    of_ended: bool = False
    """The index holds only sessions that have ended; live ones are merged in."""
    max_step: int = 2_000
    """Rows that one query looks at. It takes longer where rows are scattered over the disk."""

    @property
    def is_rising(self) -> bool:
        """Whether the smallest comes first."""
        return self.direction == "ASC"

    def is_before(self, one: Position, other: Position) -> bool:
        """Whether one position comes before another."""
        return one < other if self.is_rising else one > other


ORDERS = {
    "newest": Order("sessions.id", BY_ID),
    "oldest": Order("sessions.id", BY_ID, "ASC"),
    "longest": Order(DURATION_MS, "ended_sessions_by_duration", of_ended=True, max_step=500),
    "largest": Order(LOG_BYTES, "ended_sessions_by_log_bytes", of_ended=True, max_step=500),
}
SORTS = tuple(ORDERS)


def after_conditions(order: Order, after: Position | None) -> list[Condition]:
    """Together true of all sessions after a position; an index serves each of them."""
    if after is None:
        return [TRUE]
    sign = ">" if order.is_rising else "<"
    after_id = Condition(f"sessions.id {sign} :after_id", {"after_id": after.id})
    if not order.of_ended:
        return [after_id]
    has_no_key = Condition(f"{order.key} IS NULL", {})
    if after.key == NO_KEY:
        return [all_of([has_no_key, after_id])]
    values = {"after_key": after.key, "after_id": after.id}
    has_key = Condition(f"({order.key}, sessions.id) {sign} (:after_key, :after_id)", values)
    return [has_key, has_no_key]


def read_cursor(order: Order, cursor: str) -> Position:
    """The position that a page's cursor means. BadRequest."""
    found = _CURSOR.fullmatch(cursor)
    key = 0 if found is None or found[1] is None else int(found[1])
    if found is None or (found[1] is not None) is not order.of_ended or not NO_KEY <= key < -NO_KEY:
        raise BadRequest(
            f"cursor is {cursor[:80]!r}, expected the nextCursor of a page in this order.",
            field="cursor",
        )
    return Position(found[2] if found[1] is None else key, found[2])


def cursor_of(order: Order, position: Position) -> str:
    """The cursor that means a position."""
    return f"{position.key}.{position.id}" if order.of_ended else position.id
