"""`GET /api/sessions/<id>/media/<name>`: a picture or a file out of an agent's line."""

import re
from collections.abc import Iterator

from flask import Blueprint, Response, request

from webapp.errors import NotFound
from webapp.http.services import services
from webapp.log.media_bytes import Found, find_media, read_media
from webapp.log.opened import OpenLog
from webapp.stream import fairness
from webapp.stream.takeover.connection import set_limits
from webapp.stream.takeover.send_file import CutOff

blueprint = Blueprint("session_media", __name__, url_prefix="/api/sessions")

_SHOWN = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}
"""Types that a browser may show; it is given all others as a download."""
_SAVED = {
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/gzip": "gz",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
}
_NAME = re.compile(r"([0-9]{1,18})\.([0-9]{1,9})")
"""The offset after the record that is the line's event, and the number in the line."""
_MAX_AGE_SECONDS = 365 * 24 * 3600


@blueprint.get("/<session_id>/media/<name>")
def get_media(session_id: str, name: str) -> Response:
    """The bytes that a reference in an event stands for: see Events in the docs.

    A log is only added to, so they never change. The type is that of the bytes, whatever the
    agent says, and nothing that a browser could run is shown by it.
    """
    asked = _NAME.fullmatch(name)
    log = services().open_log(services().look_up(session_id))
    try:
        found = asked and find_media(log, int(asked[1]), int(asked[2]), fairness.pause)
        if not found:
            raise NotFound(
                f"Session {session_id!r} has no media {name!r}; its events name what there is."
            )
        response = _respond(log, found, name)
    except BaseException:
        log.close()
        raise
    response.call_on_close(log.close)
    return response


def _respond(log: OpenLog, found: Found, name: str) -> Response:
    kind = found.media.media_type
    response = Response(mimetype=kind)
    is_shown = kind in _SHOWN
    suffix = _SHOWN.get(kind) or _SAVED.get(kind, "bin")
    disposition = "inline" if is_shown else "attachment"
    response.headers["Content-Disposition"] = f'{disposition}; filename="{name}.{suffix}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = f"private, max-age={_MAX_AGE_SECONDS}, immutable"
    response.set_etag(name)
    response.make_conditional(request)
    if response.status_code == 200:
        response.content_length = found.media.size
        set_limits(request.environ, services().settings.send_timeout_seconds)
        response.response = _body(log, found)
    return response


def _body(log: OpenLog, found: Found) -> Iterator[bytes]:
    try:
        yield from read_media(log, found, fairness.pause)
    except OSError as error:
        raise CutOff(str(error)) from error
