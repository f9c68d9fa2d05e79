"""`GET /api/sessions/<id>/log`: the log file itself, or what the agent printed to a stream."""

import os
from collections.abc import Iterator
from typing import Literal

from flask import Blueprint, Response, request

from webapp.http.byte_range import byte_range
from webapp.http.inputs import Input, convert_args
from webapp.http.services import services
from webapp.log import reader
from webapp.log.opened import OpenLog
from webapp.log.output import read_output
from webapp.store.models import Session
from webapp.stream import fairness
from webapp.stream.takeover.connection import set_limits
from webapp.stream.takeover.send_file import send_file

blueprint = Blueprint("session_log", __name__, url_prefix="/api/sessions")


class _LogArgs(Input):
    stream: Literal["stdout", "stderr"] | None = None


@blueprint.get("/<session_id>/log")
def get_log(session_id: str) -> Response:
    """The log as it is now. `?stream=stdout|stderr`: that stream's own bytes.

    A log that has its end never changes: its ETag is strong, and the client's copy may be
    used again after asking. One that is still written to is served as far as it is, without
    an ETag. A part of it (`Range`) can be had of the file, not of a stream, whose length only
    reading all of it would tell.
    """
    stream = convert_args(request.args, _LogArgs).stream
    session = services().look_up(session_id)
    log = services().open_log(session)
    prefix = services().settings.x_accel_redirect
    if prefix is not None and stream is None and log.is_plain:
        log.close()
        return _leave_to_nginx(session, prefix)
    try:
        response = _head(session, log, stream)
        end = log.size()
        if stream is None:
            _set_file(response, log, end)
        else:
            _set_stream(response, log, stream, end)
    except BaseException:
        log.close()
        raise
    response.call_on_close(log.close)
    return response


def _leave_to_nginx(session: Session, prefix: str) -> Response:
    """nginx sends the file itself, and sees to ranges and an ETag of its own.

    https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ignore_headers
    """
    response = Response(mimetype="text/plain")
    response.headers["Content-Disposition"] = f'inline; filename="{session.id}.log"'
    is_kept = "no-store" if session.is_live else "private, no-cache"
    response.headers["Cache-Control"] = is_kept
    response.headers["X-Accel-Redirect"] = f"{prefix}/{session.log_path}"
    return response


def _head(session: Session, log: OpenLog, stream: str | None) -> Response:
    """The response without its body; 304 or 412 where the client's copy decides."""
    name = f"{session.id}.log" if stream is None else f"{session.id}.{stream}.txt"
    response = Response(mimetype="text/plain")
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    if not reader.is_complete(log):
        response.headers["Cache-Control"] = "no-store"
        return response
    response.headers["Cache-Control"] = "private, no-cache"
    # Compressing a log changes its inode, and neither its size as a log nor its time.
    tag = f"{log.size():x}-{os.fstat(log.fd).st_mtime_ns:x}"
    response.set_etag(tag if stream is None else f"{tag}-{stream}")
    response.make_conditional(request)
    return response


def _set_file(response: Response, log: OpenLog, end: int) -> None:
    response.headers["Accept-Ranges"] = "bytes"
    if response.status_code != 200:
        return
    start, stop = 0, end
    if request.method == "GET":
        if_range, etag = request.headers.get("If-Range"), response.headers.get("ETag")
        part = byte_range(request.headers.get("Range"), end, if_range, etag)
        if part is not None:
            start, stop = part
            response.status_code = 206
            response.content_range.set(start, stop, end)
    response.content_length = stop - start
    response.response = send_file(
        request.environ,
        log,
        start,
        stop,
        is_green=services().streams.owns_sockets,
        send_timeout_seconds=services().settings.send_timeout_seconds,
    )


def _set_stream(response: Response, log: OpenLog, stream: str, end: int) -> None:
    response.headers["Accept-Ranges"] = "none"
    if response.status_code != 200:
        return
    response.headers.pop("Content-Length", None)
    set_limits(request.environ, services().settings.send_timeout_seconds)
    response.response = _in_turn(read_output(log, stream, end))


def _in_turn(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Each piece that holds something; the streams of this worker go on between them."""
    for piece in pieces:
        if piece:
            yield piece
        fairness.pause()
