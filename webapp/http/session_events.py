"""`GET /api/sessions/<id>/events`: the events of a session as JSON, page by page."""

from typing import Annotated, Literal

from flask import Blueprint, Response, request
from msgspec import Meta

from webapp.http import view_options
from webapp.http.inputs import Input, convert_args
from webapp.http.services import services
from webapp.log import reader, seek
from webapp.log.dialects.translate import Translate, read_dialect
from webapp.log.event_id import BEGINNING, EventId
from webapp.log.opened import OpenLog
from webapp.log.pages import Page, page_after, page_before
from webapp.stream.sse import envelope

blueprint = Blueprint("session_events", __name__, url_prefix="/api/sessions")

DEFAULT_LIMIT = 100


class _EventsArgs(Input):
    limit: Annotated[int, Meta(ge=1, le=1000)] | None = None
    order: Literal["asc", "desc"] = "asc"
    format: view_options.FormatName | None = None


@blueprint.get("/<session_id>/events")
def list_events(session_id: str) -> Response:
    """`{"events": […], "nextOffset": …}`: `?offset=…&limit=…&order=asc|desc&format=raw`

    The events are those of the stream, each as its envelope with its `id` before, as text, as
    `EventSource` has it. `asc`: those after `offset`; `nextOffset` is where to go on, for more
    or to ask again, and null when the session has its end and nothing follows. `desc`: those
    at or before `offset` (the end unless given), newest first; `nextOffset` is where the page
    before begins, and null at the beginning of the log. It is a number, or text as an id is
    where a page ends between events of one record. `at` may be a time (RFC 3339) instead of
    `offset`: what had been printed then.

    An offset that is no event's id never fails: the answer then says `"gap": true`.
    """
    args = request.args.to_dict()
    given = convert_args(args, _EventsArgs)
    limit = given.limit or DEFAULT_LIMIT

    session = services().look_up(session_id)
    log = services().open_log(session)
    try:
        is_raw = given.format == "raw"
        dialect = None if is_raw else read_dialect(log).translate
        if given.order == "asc":
            asked = view_options.read_id(args.get("offset"))
            page = page_after(log, asked, limit, dialect, as_printed=is_raw)
            next_offset = None if _is_over(log, page, session.is_live) else page.end
        else:
            page = _page_before(log, _offset_at(log, args), limit, dialect, as_printed=is_raw)
            next_offset = page.start if page.start > BEGINNING else None
    finally:
        log.close()
    return _respond(page, next_offset, is_newest_first=given.order == "desc")


def _offset_at(log: OpenLog, args: dict[str, str]) -> str | None:
    """`?offset=…`, or `?at=…`: an id or a time, whose own events are among those before it."""
    at = args.get("at")
    if at is None or not view_options.is_time(at):
        return args.get("offset") if at is None else at
    return str(seek.find_time(log, view_options.read_time(at, "at", plus_ns=1)))


def _page_before(
    log: OpenLog, offset: str | None, limit: int, dialect: Translate | None, *, as_printed: bool
) -> Page:
    asked = view_options.read_id(offset) if offset else None
    is_gap = bool(offset) and asked is None
    return page_before(log, asked, limit, dialect, is_gap=is_gap, as_printed=as_printed)


def _is_over(log: OpenLog, page: Page, is_live: bool) -> bool:
    """Whether nothing can follow a page: it ends where the log ends for ever."""
    if is_live and not reader.is_complete(log):
        return False
    return not page.end.seen and not reader.read_records(log, page.end.offset)


def _respond(page: Page, next_offset: EventId | None, *, is_newest_first: bool) -> Response:
    events = reversed(page.events) if is_newest_first else page.events
    shown = ",".join(f'{{"id":"{event.id}",{envelope(event)[1:]}' for event in events)
    following = "null" if next_offset is None else _next_offset(next_offset)
    gap = ',"gap":true' if page.is_gap else ""
    body = f'{{"events":[{shown}],"nextOffset":{following}{gap}}}\n'
    response = Response(body.encode("utf-8", "replace"), mimetype="application/json")
    response.headers["Cache-Control"] = "no-cache"
    return response


def _next_offset(place: EventId) -> str:
    return f'"{place}"' if place.seen else str(place)
