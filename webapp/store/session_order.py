"""In which orders sessions can be listed, and where one stands in an order."""

from typing import Any, NamedTuple

from webapp.errors import BadRequest
from webapp.store.session_filter import TRUE, Condition

BY_ID = "sqlite_autoindex_sessions_1"
DURATION_MS = (
    "max(0, CAST(round((julianday(ended_at) - julianday(coalesce(started_at, ended_at)))"
    " * 86400000.0) AS INTEGER))"
)
"""An expression of the index, which SQLite knows again only as it stands there."""
LOG_BYTES = "coalesce(log_bytes, 0)"


class Place(NamedTuple):
    """Where a session stands in an order: what it is sorted by, then its id."""

    key: Any
    id: str


class Order(NamedTuple):
    """An order, and the index in which all sessions stand in it."""

    key: str
    indexed_by: str
    direction: str = "DESC"
    of_ended: bool = False
    """Only what has ended stands in the index; the few that live are put among them."""
    most_at_once: int = 2_000
    """In which order rows lie on disk says how long it takes to look at so many."""

    @property
    def is_rising(self) -> bool:
        """Whether the smallest comes first."""
        return self.direction == "ASC"


ORDERS = {
    "newest": Order("sessions.id", BY_ID),
    "oldest": Order("sessions.id", BY_ID, "ASC"),
    "longest": Order(DURATION_MS, "ended_sessions_by_duration", of_ended=True, most_at_once=500),
    "largest": Order(LOG_BYTES, "ended_sessions_by_log_bytes", of_ended=True, most_at_once=500),
}
SORTS = tuple(ORDERS)


def after_condition(order: Order, after: Place | None) -> Condition:
    """What is true of all that stand after a place."""
    if after is None:
        return TRUE
    sign = ">" if order.is_rising else "<"
    if not order.of_ended:
        return Condition(f"sessions.id {sign} :after_id", {"after_id": after.id})
    values = {"after_key": after.key, "after_id": after.id}
    return Condition(f"({order.key}, sessions.id) {sign} (:after_key, :after_id)", values)


def read_cursor(order: Order, cursor: str) -> Place:
    """The place that a page's cursor stands for. BadRequest."""
    if not order.of_ended:
        return Place(cursor, cursor)
    key, dot, session_id = cursor.partition(".")
    if not (dot and key.isascii() and key.isdigit() and len(key) <= 18):
        raise BadRequest(
            f"cursor is {cursor[:80]!r}, expected the nextCursor of a page in this order.",
            field="cursor",
        )
    return Place(int(key), session_id)


def cursor_of(order: Order, place: Place) -> str:
    """The cursor that stands for a place."""
    return f"{place.key}.{place.id}" if order.of_ended else place.id
