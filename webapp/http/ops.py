"""`/healthz` and `/readyz`: for whoever watches over the server."""

import os

from flask import Blueprint, Response, jsonify

from webapp.errors import AgentStreamError
from webapp.http.services import services
from webapp.store.engine import REVISION

blueprint = Blueprint("ops", __name__)


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
