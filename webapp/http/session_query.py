"""What a client may ask of the list of sessions, in a query string or in a procedure's input."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from webapp.http import inputs, view_options
from webapp.http.services import services
from webapp.log.record import parse_time
from webapp.search.session_texts import open_texts
from webapp.store import session_list
from webapp.store.models import STATUSES
from webapp.store.session_filter import Filter

MAX_LIMIT = 500
DEFAULT_LIMIT = 50
FIELDS = ("status", "agent", "workflowId", "from", "to", "text", "sort", "limit", "cursor")


class Query(NamedTuple):
    """Which sessions, in which order, and which page of them."""

    wanted: Filter
    sort: str
    limit: int
    cursor: str | None


def from_args(args: Mapping[str, str]) -> Query:
    """The FIELDS of a query string; `status` and `agent` are one, or several with commas."""
    limit = inputs.optional_digits(args, "limit", least=1, most=MAX_LIMIT)
    return _read(args, _parts(args, "status"), _parts(args, "agent"), limit)


def from_input(given: Mapping[str, object]) -> Query:
    """The same fields of an object; `status` and `agent` are a text or an array. BadRequest."""
    limit = inputs.optional_number(given, "limit", least=1, most=MAX_LIMIT)
    statuses, agents = (inputs.optional_texts(given, field) for field in ("status", "agent"))
    return _read(given, statuses, agents, limit)


def _parts(args: Mapping[str, str], field: str) -> list[str]:
    return [part for part in (inputs.optional_text(args, field) or "").split(",") if part]


def _read(
    values: Mapping[str, object], statuses: list[str], agents: list[str], limit: int | None
) -> Query:
    wanted = Filter(
        statuses=statuses,
        agents=agents,
        workflow_id=inputs.optional_text(values, "workflowId"),
        since_ms=_time_ms(values, "from"),
        until_ms=_time_ms(values, "to"),
        text=(inputs.optional_text(values, "text") or "").strip(),
    )
    sort = inputs.optional_text(values, "sort") or "newest"
    return Query(wanted, sort, limit or DEFAULT_LIMIT, inputs.optional_text(values, "cursor"))


def _time_ms(values: Mapping[str, object], field: str) -> int | None:
    text = inputs.optional_text(values, field)
    if not text:
        return None
    return parse_time(view_options.read_time(text, field).decode()) // 1_000_000


def answer(query: Query, *, has_titles: bool = False) -> dict[str, object]:
    """`{sessions, nextCursor, incomplete?, titles?}`, each session as it is now.

    `incomplete`: the search stopped before the page was full, and goes on at the cursor.
    `titles`: how the message began that started each, by id.
    """
    var = services().launcher.var
    with services().database.read() as orm, open_texts(var, query.wanted) as index:
        page = session_list.find_page(
            orm,
            query.wanted,
            limit=query.limit,
            sort=query.sort,
            cursor=query.cursor,
            live_bytes=services().log_bytes,
            index=index,
        )
        titles = session_list.titles_of(orm, page.sessions) if has_titles else {}
    shown: dict[str, object] = {
        "sessions": [services().show(services().as_it_is(session)) for session in page.sessions],
        "nextCursor": page.next_cursor,
    }
    if page.is_incomplete:
        shown["incomplete"] = True
    if has_titles:
        shown["titles"] = titles
    return shown


def counts(agents: Sequence[str]) -> dict[str, object]:
    """`{total, byStatus, byAgent}` of all sessions, or of those of these agents."""
    with services().database.read() as orm:
        found = session_list.count_sessions(orm, agents)
    by_status = dict.fromkeys(STATUSES, 0)
    by_agent: dict[str, int] = {}
    for row in found:
        by_status[row.status] += row.count
        by_agent[row.agent] = by_agent.get(row.agent, 0) + row.count
    shown: dict[str, Any] = {"total": sum(by_agent.values())}
    return shown | {"byStatus": by_status, "byAgent": by_agent}
