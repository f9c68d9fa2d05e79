"""`create_app(settings)`: the WSGI application of one worker."""

import os

from flask import Flask, Response

from webapp import host as hosts
from webapp.host import Host
from webapp.http import (
    agent_stream,
    approvals,
    colours,
    docs,
    errors,
    login,
    ops,
    overview,
    pages,
    projects,
    request_log,
    search,
    security,
    session_changes,
    session_events,
    session_log,
    session_media,
    session_timeline,
    sessions,
    trpc,
)
from webapp.http.proxies import behind_proxies
from webapp.http.services import EXTENSION
from webapp.server_settings import load_server_settings
from webapp.settings import Settings
from webapp.worker import Worker

WORKER = "agent-stream worker"
"""The worker's key among the extensions of its application."""


def create_app(settings: Settings | None = None, host: Host | None = None) -> Flask:
    """Build a worker and register what answers its requests. SetupError if it cannot run."""
    settings = load_server_settings() if settings is None else settings
    worker = Worker(settings, hosts.current() if host is None else host)

    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions[EXTENSION] = worker.services
    app.extensions[WORKER] = worker
    request_log.register(app)
    errors.register(app)
    ops.register(app)
    security.register(app)
    rooms = (
        agent_stream,
        approvals,
        colours,
        docs,
        login,
        ops,
        overview,
        pages,
        projects,
        search,
        session_changes,
        session_events,
        session_log,
        session_media,
        session_timeline,
        sessions,
        trpc,
    )
    for room in rooms:
        app.register_blueprint(room.blueprint)
    app.wsgi_app = behind_proxies(settings, app.wsgi_app)  # type: ignore[method-assign]
    if settings.debug_headers:
        app.after_request(_name_worker)
    return app


def _name_worker(response: Response) -> Response:
    response.headers["X-Worker-Pid"] = str(os.getpid())
    return response
