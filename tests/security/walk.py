"""Every route of the application, with each of its methods."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from flask import Flask

from webapp.http.trpc.router import PROCEDURES

OPEN_PATHS = {"/healthz", "/readyz", "/login", "/logout"}
"""What answers without a token. A route that is not named here must ask for it."""


class Target(NamedTuple):
    """A request that would do something if it were let in."""

    method: str
    path: str
    body: str
    is_open: bool
    """Answers without a token, and tells nothing."""


def targets(app: Flask, session_id: str, workflow_id: str) -> Iterator[Target]:
    """What can be asked for, with values that exist."""
    invoke = json.dumps({"workflowId": workflow_id, "message": "true"})
    for rule in app.url_map.iter_rules():
        for path in _paths(rule.rule, session_id, workflow_id):
            for method in sorted(rule.methods or ()):
                yield Target(method, path, invoke, path in OPEN_PATHS)


def _paths(rule: str, session_id: str, workflow_id: str) -> Iterator[str]:
    if "<path:paths>" in rule:
        for procedure in (*PROCEDURES, "nothing"):
            yield rule.replace("<path:paths>", procedure)
    elif rule == "/api/agent-stream":
        yield f"{rule}?sessionId={session_id}"
        yield f"{rule}?workflowId={workflow_id}&message=true"
    elif rule.startswith("/static"):
        yield "/static/js/main.js"
    else:
        yield re.sub(r"<[^>]*>", session_id, rule)
