"""Each request's id, and its line in the access log."""

import logging
import time

from flask import Flask, Response, g, request

from webapp.http.client_address import client_address
from webapp.server_log import context

HEADER = "X-Request-Id"

access = logging.getLogger("webapp.access")


def register(app: Flask) -> None:
    """Before everything else: what refuses a request should know its id."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.began_at = time.perf_counter()
    g.request_id = context.begin_request(request.headers.get(HEADER))


def _end(response: Response) -> Response:
    """A stream's line is written as it begins: it may go on for days."""
    response.headers[HEADER] = g.request_id
    if access.isEnabledFor(logging.INFO):
        milliseconds = round((time.perf_counter() - g.began_at) * 1000, 1)
        fields = {
            "client": client_address(),
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "ms": milliseconds,
        }
        access.info(
            "%s %s %d %s ms",
            request.method,
            request.path,
            response.status_code,
            milliseconds,
            extra={"fields": fields},
        )
    return response
