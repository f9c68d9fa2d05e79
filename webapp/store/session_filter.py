"""Which sessions are wanted, as SQL about rows of `sessions`.

An id begins with the time that it was made, so a range of time is a range of ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

ID_BEGINNING = "session-"
_AFTER_EVERY_ID = "session-~"
_TEXT_SQL = """(
    workflow_id = :text
    OR error LIKE :like ESCAPE '!'
    OR EXISTS (SELECT 1 FROM messages WHERE messages.session_id = sessions.id
        AND messages.role = 'user' AND messages.content LIKE :like ESCAPE '!')
    OR EXISTS (SELECT 1 FROM workflows WHERE workflows.id = sessions.workflow_id
        AND workflows.request_id LIKE :like ESCAPE '!')
)"""


@dataclass(frozen=True)
class Filter:
    """Each field that is given narrows it down."""

    statuses: Sequence[str] = ()
    agents: Sequence[str] = ()
    workflow_id: str | None = None
    since_ms: int | None = None
    """Made at this Unix time or later, in milliseconds."""
    until_ms: int | None = None
    """Made before this one."""
    text: str = ""
    """Stands in the message that started it, its error or its workflow's request id, is its
    workflow's id, or begins its own."""


class Condition(NamedTuple):
    """A piece of SQL that is true of the rows that are wanted, and its values."""

    sql: str
    values: dict[str, Any]


TRUE = Condition("1", {})


def all_of(conditions: Sequence[Condition]) -> Condition:
    """What is true where each of these is."""
    values: dict[str, Any] = {}
    for condition in conditions:
        values |= condition.values
    return Condition(" AND ".join(condition.sql for condition in conditions) or "1", values)


def status_condition(wanted: Filter) -> list[Condition]:
    """The statuses, if any are asked for."""
    return [_one_of("status", wanted.statuses)] if wanted.statuses else []


def agent_condition(wanted: Filter) -> list[Condition]:
    """The agents, if any are asked for."""
    return [_one_of("agent", wanted.agents)] if wanted.agents else []


def workflow_condition(wanted: Filter) -> list[Condition]:
    """The workflow, if one is asked for."""
    if wanted.workflow_id is None:
        return []
    return [Condition("workflow_id = :workflow_id", {"workflow_id": wanted.workflow_id})]


def id_condition(wanted: Filter) -> list[Condition]:
    """The range of ids that times, or the beginning of an id, stand for."""
    lowest, highest = "", _AFTER_EVERY_ID
    if wanted.since_ms is not None:
        lowest = f"{ID_BEGINNING}{max(0, wanted.since_ms):013d}"
    if wanted.until_ms is not None:
        highest = f"{ID_BEGINNING}{max(0, wanted.until_ms):013d}"
    if wanted.text.startswith(ID_BEGINNING):
        lowest, highest = max(lowest, wanted.text), min(highest, f"{wanted.text}~")
    if (lowest, highest) == ("", _AFTER_EVERY_ID):
        return []
    bounds = {"lowest": lowest, "highest": highest}
    return [Condition("sessions.id >= :lowest AND sessions.id < :highest", bounds)]


def text_condition(wanted: Filter) -> list[Condition]:
    """The text, if it is no id's beginning: this is no use to any index."""
    if not wanted.text or wanted.text.startswith(ID_BEGINNING):
        return []
    escaped = wanted.text
    for sign in "!%_":
        escaped = escaped.replace(sign, f"!{sign}")
    return [Condition(_TEXT_SQL, {"text": wanted.text, "like": f"%{escaped}%"})]


def all_conditions(wanted: Filter) -> list[Condition]:
    """All that is asked for."""
    return [
        *status_condition(wanted),
        *agent_condition(wanted),
        *workflow_condition(wanted),
        *id_condition(wanted),
        *text_condition(wanted),
    ]


def _one_of(column: str, values: Sequence[str]) -> Condition:
    named = {f"{column}_{number}": value for number, value in enumerate(dict.fromkeys(values))}
    return Condition(f"{column} IN ({', '.join(f':{name}' for name in named)})", named)
