"""Which sessions are wanted, as SQL about rows of `sessions`.

An id begins with the time that it was made, so a range of time is a range of ids.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from webapp.store.ids import WORKFLOW_ID

ID_BEGINNING = "session-"
_AFTER_EVERY_ID = "session-~"
_BEGINS_AN_ID = re.compile(r"session-([0-9]{1,13}|[0-9]{13}-[0-9a-z]{0,12})?")
_TEXT_SQL = """(
    error LIKE :like ESCAPE '!'
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
    """A session id or its beginning, a workflow id, or words that are in the message that
    started the session, in its error or in its workflow's request id."""
    projects: Sequence[str] = ()

    @property
    def words(self) -> str:
        """The text, if rows must be searched for it: if it is no id."""
        is_id = _BEGINS_AN_ID.fullmatch(self.text) or WORKFLOW_ID.fullmatch(self.text)
        return "" if is_id else self.text


class Condition(NamedTuple):
    """A piece of SQL that is true of the rows that are wanted, and its values."""

    sql: str
    values: dict[str, Any]


TRUE = Condition("1", {})
ENDED = Condition("ended_at IS NOT NULL", {})


def all_of(conditions: Sequence[Condition]) -> Condition:
    """What is true where each of these is."""
    values: dict[str, Any] = {}
    for condition in conditions:
        values |= condition.values
    return Condition(" AND ".join(condition.sql for condition in conditions) or "1", values)


def any_of(conditions: Sequence[Condition]) -> Condition:
    """What is true where one of these is."""
    each = " OR ".join(f"({condition.sql})" for condition in conditions)
    return Condition(f"({each})", all_of(conditions).values)


def status_condition(wanted: Filter) -> list[Condition]:
    """The statuses, if any are asked for."""
    return [_one_of("status", wanted.statuses)] if wanted.statuses else []


def agent_condition(wanted: Filter) -> list[Condition]:
    """The agents, if any are asked for."""
    return [_one_of("agent", wanted.agents)] if wanted.agents else []


def project_condition(wanted: Filter) -> list[Condition]:
    """The projects, if any are asked for."""
    return [_one_of("project", wanted.projects)] if wanted.projects else []


def workflow_condition(wanted: Filter) -> list[Condition]:
    """The workflow, if one is asked for, as such or by the text."""
    asked = {"workflow_id": wanted.workflow_id}
    if WORKFLOW_ID.fullmatch(wanted.text):
        asked["text_workflow_id"] = wanted.text
    return [
        Condition(f"workflow_id = :{name}", {name: value})
        for name, value in asked.items()
        if value is not None
    ]


def id_condition(wanted: Filter) -> list[Condition]:
    """The range of ids that times, or the beginning of an id, mean."""
    lowest, highest = "", _AFTER_EVERY_ID
    if wanted.since_ms is not None:
        lowest = f"{ID_BEGINNING}{max(0, wanted.since_ms):013d}"
    if wanted.until_ms is not None:
        highest = f"{ID_BEGINNING}{max(0, wanted.until_ms):013d}"
    if _BEGINS_AN_ID.fullmatch(wanted.text):
        lowest, highest = max(lowest, wanted.text), min(highest, f"{wanted.text}~")
    if (lowest, highest) == ("", _AFTER_EVERY_ID):
        return []
    bounds = {"lowest": lowest, "highest": highest}
    return [Condition("sessions.id >= :lowest AND sessions.id < :highest", bounds)]


def words_condition(wanted: Filter) -> list[Condition]:
    """The words, if any are searched for. No index of the table helps here."""
    if not wanted.words:
        return []
    escaped = wanted.words
    for sign in "!%_":
        escaped = escaped.replace(sign, f"!{sign}")
    return [Condition(_TEXT_SQL, {"like": f"%{escaped}%"})]


def all_conditions(wanted: Filter) -> list[Condition]:
    """All that is asked for, the costly last."""
    return [
        *status_condition(wanted),
        *agent_condition(wanted),
        *project_condition(wanted),
        *workflow_condition(wanted),
        *id_condition(wanted),
        *words_condition(wanted),
    ]


def _one_of(column: str, values: Sequence[str]) -> Condition:
    named = {f"{column}_{number}": value for number, value in enumerate(dict.fromkeys(values))}
    return Condition(f"{column} IN ({', '.join(f':{name}' for name in named)})", named)
