"""Search over what all sessions have printed: `GET /api/search` and the page `/search`."""

import re
import time
from collections.abc import Mapping
from typing import Annotated, Any

from flask import Blueprint, Response, jsonify, render_template, request, url_for
from msgspec import Meta

from webapp.errors import BadRequest, ServiceUnavailable
from webapp.http import view_options
from webapp.http.inputs import Input, convert_args, max_bytes
from webapp.http.services import services
from webapp.http.threads import run_aside
from webapp.log.record import parse_time
from webapp.search.find import Found, Group, Search, find
from webapp.search.query import parse_query
from webapp.search.snippets import Hit
from webapp.sessions.layout import new_session_files
from webapp.store import sessions
from webapp.store.models import Session

blueprint = Blueprint("search", __name__)

DEFAULT_LIMIT = 10
_SPAN = re.compile(r"(\d{1,6})(m|h|d|w)", re.ASCII)
_SPAN_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class _SearchArgs(Input):
    q: Annotated[str, max_bytes(4096)] | None = None
    agent: str | None = None
    since: str | None = None
    session_id: str | None = None
    limit: Annotated[int, Meta(ge=1, le=50)] | None = None
    cursor: Annotated[int, Meta(ge=0, le=1 << 62)] | None = None


@blueprint.get("/api/search")
def search_api() -> Response:
    """`?q=…[&agent=…][&since=…][&sessionId=…][&limit=…][&cursor=…]`: what matches, newest first.

    `{"results": [{sessionId, …, hits, hasMore}], "nextCursor", "toDo"}`: at most three hits a
    session; with `sessionId` all of that one, page by page. A hit is `{id, offset, time, stream,
    snippet, url}`; the snippet's parts say whether they match. `toDo` sessions are not indexed
    to their end: they run, or it is their turn soon.
    """
    wanted = _read(request.args.to_dict())
    found = _find(wanted)
    rows = _rows(found)
    results = [
        _result(group, rows[group.session_id]) for group in found.groups if group.session_id in rows
    ]
    return jsonify({"results": results, "nextCursor": _cursor(found), "toDo": found.to_do})


@blueprint.get("/search")
def search_page() -> tuple[str, int]:
    """The same for people."""
    args = request.args.to_dict()
    found, problem = None, None
    if args.get("q", "").strip():
        try:
            found = _find(_read(args))
        except BadRequest as error:
            problem = error
    rows = {} if found is None else _rows(found)
    page = render_template(
        "search.html",
        args=args,
        agents=services().settings.agents,
        groups=[group for group in found.groups if group.session_id in rows] if found else None,
        rows=rows,
        link=_link,
        problem=problem.message if problem else None,
        to_do=found.to_do if found else 0,
        next_args=None
        if found is None or found.next_before is None
        else args | {"cursor": str(found.next_before)},
    )
    return page, 200 if problem is None else problem.status


def _read(args: Mapping[str, str]) -> Search:
    given = convert_args(args, _SearchArgs)
    return Search(
        parse_query(given.q or ""),
        agent=given.agent or None,
        since_ms=_since_ms(given.since) if given.since else 0,
        session_id=given.session_id or None,
        limit=given.limit or DEFAULT_LIMIT,
        before=given.cursor,
    )


def _since_ms(text: str) -> int:
    """`24h` and the like: so long ago; or a day, or a time as RFC 3339 has it."""
    span = _SPAN.fullmatch(text)
    if span is not None:
        return max(0, int((time.time() - int(span[1]) * _SPAN_SECONDS[span[2]]) * 1000))
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        text = f"{text}T00:00:00Z"
    try:
        return parse_time(view_options.read_time(text, "since").decode()) // 1_000_000
    except (BadRequest, ValueError):
        raise BadRequest(
            f"since is {text[:80]!r}, expected 24h, 7d (ago), a day such as 2026-11-23, or a time "
            "such as 2026-11-23T21:04:00Z.",
            field="since",
        ) from None


def _find(wanted: Search) -> Found:
    if not services().settings.search:
        raise ServiceUnavailable("There is no search here: AGENT_STREAM_SEARCH is off.")
    var = services().launcher.var
    return run_aside(lambda: find(var, wanted, lambda id_: new_session_files(var, id_).log))


def _rows(found: Found) -> dict[str, Session]:
    with services().database.read() as orm:
        return sessions.sessions_by_id(orm, [group.session_id for group in found.groups])


def _cursor(found: Found) -> str | None:
    return None if found.next_before is None else str(found.next_before)


def _result(group: Group, row: Session) -> dict[str, Any]:
    return {
        "sessionId": row.id,
        "workflowId": row.workflow_id,
        "stageIndex": row.stage_index,
        "agent": row.agent,
        "status": row.status,
        "createdAt": row.created_at,
        "hits": [_hit(row, hit) for hit in group.hits],
        "hasMore": group.has_more,
    }


def _hit(row: Session, hit: Hit) -> dict[str, Any]:
    return {
        "id": str(hit.end),
        "offset": hit.offset,
        "time": hit.time,
        "stream": hit.stream,
        "snippet": [{"text": part.text, "match": part.is_match} for part in hit.snippet],
        "url": _link(row.id, hit.end),
    }


def _link(session_id: str, event_id: int) -> str:
    """A session's page, opened at an event."""
    return url_for("pages.session", session_id=session_id, at=event_id)
