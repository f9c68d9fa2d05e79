"""`/healthz`, `/readyz` and `/metrics`: for whoever watches over the server."""

import logging
import os

from flask import Blueprint, Flask, Response, jsonify, request

from webapp.errors import AgentStreamError
from webapp.http.services import services
from webapp.metrics.exposition import expose
from webapp.store import sessions
from webapp.store.engine import REVISION

blueprint = Blueprint("ops", __name__)

_METHODS = {"GET", "HEAD", "POST", "OPTIONS"}
"""Those that a label may hold: what a client makes up must not become one."""

logger = logging.getLogger(__name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """This worker answers."""
    return jsonify({"status": "ok", "pid": os.getpid()})


@blueprint.get("/readyz")
def readyz() -> Response:
    """This worker can do its work: the database is migrated, var can be written. Else 503."""
    problems = []
    try:
        revision = services().database.revision()
        if revision != REVISION:
            problems.append(f"the database is at revision {revision}, expected {REVISION}")
    except AgentStreamError as error:
        problems.append(error.message)
    if not os.access(services().launcher.var / "sessions", os.W_OK):
        problems.append("var/sessions cannot be written")
    response = jsonify({"status": "unready" if problems else "ready", "problems": problems})
    response.status_code = 503 if problems else 200
    return response


@blueprint.get("/metrics")
def metrics() -> Response:
    """What all workers have counted, and the sessions by status, for Prometheus."""
    by_status = None
    try:
        with services().database.read() as orm:
            by_status = sessions.count_by_status(orm)
    except AgentStreamError:
        logger.exception("cannot count the sessions")
    services().publish_streams()
    totals = services().meter.totals()
    body, content_type = expose(totals, by_status, request.headers.get("Accept", ""))
    return Response(body, content_type=content_type)


def register(app: Flask) -> None:
    """Count every request of the app."""
    app.after_request(_count)


def _count(response: Response) -> Response:
    rule = request.url_rule
    route = "(none)" if rule is None else rule.rule
    method = request.method if request.method in _METHODS else "(other)"
    services().meter.count_request(method, route, response.status_code)
    return response
