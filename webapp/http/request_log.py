"""Each request's id, and its line in the access log."""

import logging
import time

from flask import Flask, Request, Response, g, request

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
    log_request(request, response.status_code, g.began_at)
    return response


def log_request(request: Request, status: int, began_at: float) -> None:
    """The line of a request that is answered now."""
    if not access.isEnabledFor(logging.INFO):
        return
    milliseconds = round((time.perf_counter() - began_at) * 1000, 1)
    fields = {
        "client": client_address(request),
        "method": request.method,
        "path": request.path,
        "status": status,
        "ms": milliseconds,
    }
    access.info(
        "%s %s %d %s ms",
        request.method,
        request.path,
        status,
        milliseconds,
        extra={"fields": fields},
    )
