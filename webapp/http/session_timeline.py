"""`/api/sessions/<id>/timeline` and `/moments`: what a log holds when, and what comes next."""

from typing import Annotated

from flask import Blueprint, Response, jsonify, request
from msgspec import Meta

from webapp.http import view_options
from webapp.http.inputs import Input, convert_args
from webapp.http.services import services
from webapp.log import marks, reader
from webapp.log.event_id import BEGINNING, EventId
from webapp.log.marks import Kind
from webapp.log.opened import OpenLog
from webapp.log.timeline import Bucket, read_timeline
from webapp.stream import fairness

blueprint = Blueprint("session_timeline", __name__, url_prefix="/api/sessions")

DEFAULT_BUCKETS = 240


class _TimelineArgs(Input):
    buckets: Annotated[int, Meta(ge=1, le=1000)] | None = None


class _MomentArgs(Input):
    kind: Kind


@blueprint.get("/<session_id>/timeline")
def get_timeline(session_id: str) -> Response:
    """`{start, end, size, sampled, buckets}`.

    A bucket is `{time, offset, stdout, stderr, toolCalls, errors, approvals, turns}`.
    `?buckets=…` of the same length of time, each from its `time` and `offset` on. `stdout` and
    `stderr` are bytes of the log. `sampled`: it is long, and a part of it stands for the whole.
    """
    count = convert_args(request.args, _TimelineArgs).buckets or DEFAULT_BUCKETS
    log = services().open_log(services().look_up(session_id))
    try:
        timeline = read_timeline(log, count, fairness.pause)
    finally:
        log.close()
    return jsonify(
        {
            "start": timeline.start,
            "end": timeline.end,
            "size": timeline.size,
            "sampled": timeline.is_sampled,
            "buckets": [_shape(bucket) for bucket in timeline.buckets],
        }
    )


def _shape(bucket: Bucket) -> dict[str, object]:
    return {
        "time": bucket.time,
        "offset": bucket.offset,
        "stdout": bucket.stdout,
        "stderr": bucket.stderr,
        "toolCalls": bucket.tool_calls,
        "errors": bucket.errors,
        "approvals": bucket.approvals,
        "turns": bucket.turns,
    }


@blueprint.get("/<session_id>/moments")
def find_moment(session_id: str) -> Response:
    """`{moment: {id, time} | null, searchedTo}`: `?kind=error&after=…` or `before=…`

    `kind` is `error`, `tool_call`, `approval` or `turn`.
    The next (or last) event of that kind after (or before) the event with this id. Where a
    long log was not looked through to its end, `searchedTo` is where to ask again.
    """
    kind = convert_args(request.args, _MomentArgs).kind
    is_forward = "before" not in request.args
    asked = view_options.read_id(request.args.get("after" if is_forward else "before"))

    log = services().open_log(services().look_up(session_id))
    try:
        start = _event_before(log, asked or BEGINNING)
        find = marks.find_after if is_forward else marks.find_before
        found = find(log, start, kind, fairness.pause)
    finally:
        log.close()
    event = found.event
    moment = None if event is None else {"id": str(event.id), "time": event.time}
    return jsonify({"moment": moment, "searchedTo": found.searched_to})


def _event_before(log: OpenLog, asked: EventId) -> EventId:
    """The id itself, or for one that is no boundary the one before."""
    boundary = reader.find_end(log, min(asked.offset, log.size()))
    return asked if boundary == asked.offset else EventId(boundary)
