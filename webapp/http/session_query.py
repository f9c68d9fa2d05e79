"""What a client may ask of the list of sessions, in a query string or in a procedure's input."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from msgspec import Meta, field

from webapp.http import view_options
from webapp.http.inputs import Input, Required, convert, convert_args
from webapp.http.services import services
from webapp.log.record import parse_time
from webapp.search.session_texts import open_texts
from webapp.store import costs, session_list
from webapp.store.models import STATUSES
from webapp.store.session_filter import Filter

DEFAULT_LIMIT = 50
Names = str | list[Required]


class SessionsInput(Input):
    """`status`, `agent` and `project` are one or several."""

    status: Names | None = None
    agent: Names | None = None
    project: Names | None = None
    workflow_id: str | None = None
    since: str | None = field(name="from", default=None)
    until: str | None = field(name="to", default=None)
    text: str | None = None
    sort: str | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] | None = None
    cursor: str | None = None


class Query(NamedTuple):
    """Which sessions, in which order, and which page of them."""

    wanted: Filter
    sort: str
    limit: int
    cursor: str | None


def from_args(args: Mapping[str, str]) -> Query:
    """A query string, where commas separate several statuses or agents. BadRequest."""
    return _query(convert_args(args, SessionsInput))


def from_input(value: object) -> Query:
    """The input of a procedure. BadRequest."""
    return _query(convert(value, SessionsInput))


def _query(given: SessionsInput) -> Query:
    wanted = Filter(
        statuses=_each(given.status),
        agents=_each(given.agent),
        projects=_each(given.project),
        workflow_id=given.workflow_id,
        since_ms=_time_ms(given.since, "from"),
        until_ms=_time_ms(given.until, "to"),
        text=(given.text or "").strip(),
    )
    return Query(wanted, given.sort or "newest", given.limit or DEFAULT_LIMIT, given.cursor)


def _each(names: Names | None) -> list[str]:
    if isinstance(names, list):
        return names
    return [names] if names else []


def _time_ms(text: str | None, name: str) -> int | None:
    if not text:
        return None
    return parse_time(view_options.read_time(text, name).decode()) // 1_000_000


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
        spent = costs.of_sessions(orm, [session.id for session in page.sessions])
    shown: dict[str, object] = {
        "sessions": [
            services().show(services().as_it_is(session)) | {"costUsd": spent.get(session.id)}
            for session in page.sessions
        ],
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
