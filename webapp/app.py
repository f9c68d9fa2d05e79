"""`create_app(settings)`: all wiring, nothing else."""

import os

from flask import Flask, Response
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp.http import (
    agent_stream,
    docs,
    errors,
    login,
    ops,
    pages,
    request_log,
    search,
    security,
    session_events,
    session_log,
    session_timeline,
    sessions,
    trpc,
)
from webapp.http.message_board import MessageBoard
from webapp.http.rates import Rates
from webapp.http.services import EXTENSION, Services, end_abandoned
from webapp.metrics.meter import Meter
from webapp.sessions.launch import Launcher
from webapp.settings import Settings, load_settings
from webapp.store.engine import open_migrated
from webapp.store.logins import Logins
from webapp.stream.hub import Hub


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application of one worker. SetupError if it cannot run."""
    settings = load_settings() if settings is None else settings
    database = open_migrated(settings.var)
    launcher = Launcher(settings, database)
    hub = Hub(
        lambda session_id: end_abandoned(database, launcher, session_id),
        settings.max_streams_of_worker,
    )
    board = MessageBoard(database, lambda: hub.should_stop())
    hub.other_streams = lambda: board.followers

    meter = Meter()
    meter.gauges = {"session": lambda: hub.viewers, "history": lambda: board.followers}
    hub.count_sent = meter.count_sent
    launcher.on_runner_failure = meter.count_runner_failure
    database.on_lock_wait = meter.count_lock_wait

    rates = Rates(settings.var)
    logins = None if settings.token is None else Logins(settings.var, settings.token)

    if logins is not None:
        hub.is_login_live = logins.is_live

    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions[EXTENSION] = Services(
        settings, database, launcher, hub, board, rates, meter, logins
    )
    request_log.register(app)
    errors.register(app)
    ops.register(app)
    security.register(app)
    rooms = (
        agent_stream,
        docs,
        login,
        ops,
        pages,
        search,
        session_events,
        session_log,
        session_timeline,
        sessions,
        trpc,
    )
    for room in rooms:
        app.register_blueprint(room.blueprint)
    if settings.proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=0
        )
    if settings.debug_headers:
        app.after_request(_name_worker)
    return app


def _name_worker(response: Response) -> Response:
    response.headers["X-Worker-Pid"] = str(os.getpid())
    return response
