"""gunicorn's settings: `gunicorn -c python:webapp.gunicorn_conf 'webapp.app:create_app()'`.

`agent-stream serve` starts gunicorn with these too. Settings: https://docs.gunicorn.org/
"""

import os
import socket
import sys
from typing import Any

from webapp import prctl
from webapp.compat.gunicorn import listening_sockets, living_workers, set_restart_command
from webapp.errors import SetupError
from webapp.server_log.formats import LineFormatter
from webapp.server_log.gunicorn_logger import make_logger_class
from webapp.server_settings import (
    check_folders,
    files_open_to_others,
    load_server_settings,
)
from webapp.sessions.secrets import redactor_of

prctl.hide_process()  # the workers are forked from it

try:
    _settings = load_server_settings()
except SetupError as error:
    print(f"agent-stream: {error}", file=sys.stderr)
    raise SystemExit(2) from None

_host = f"[{_settings.host}]" if ":" in _settings.host else _settings.host
bind = f"{_host}:{_settings.port}"
workers = _settings.workers
worker_class = {
    "gevent": "webapp.connections.gevent_worker.GeventWorker",
    "gthread": "webapp.connections.thread_worker.ThreadWorker",
}[_settings.worker_class]
threads = _settings.threads if _settings.worker_class == "gthread" else 1
worker_connections = 20_000
backlog = 4096
timeout = 30
graceful_timeout = 5
keepalive = 75
forwarder_headers = ""
"""By default a client of this machine may set SCRIPT_NAME, and 500 is the answer to a wrong one."""
proc_name = "agent-stream"
logger_class = make_logger_class(
    LineFormatter(
        _settings.log_format,
        redactor_of(_settings, os.environ).redact,
    ),
    access_log=_settings.access_log,
)

REQUEST_WITHIN_SECONDS = 10
"""Who connects and then says nothing for longer costs a worker a descriptor: see `when_ready`."""

control_socket_disable = True
"""It would be in the home folder, where every agent of this user could use it."""


def on_starting(server: Any) -> None:
    """Before the first worker: refuse what cannot work, end what a crash left behind."""
    from webapp.metrics.memory import Memory
    from webapp.sessions.reconcile import reconcile_all
    from webapp.store import deliveries, in_use
    from webapp.store.engine import check_whole, open_migrated

    # Room for all workers of a reload beside the old ones; slot 0 is the master's.
    server.agent_stream_memory = Memory(2 * server.cfg.workers + 9)
    try:
        if server.cfg.preload_app:
            raise SetupError("--preload does not work here: leave it out.")
        check_folders(_settings)
        if _settings.var.is_dir():
            server.agent_stream_lock = in_use.hold(_settings.var)
        database = open_migrated(_settings.var)
        check_whole(database)
    except SetupError as error:
        server.log.error("agent-stream: %s", error)
        raise SystemExit(2) from None
    # Before what is found now: a session that was lost meanwhile concerns a new webhook too.
    database.write_sql(lambda connection: deliveries.register(connection, _settings.webhooks))
    ended = reconcile_all(database, _settings.var.resolve())
    database.close()
    for file in files_open_to_others(_settings, os.environ):
        server.log.warning("%s holds a secret, and every user may read it: chmod o-r", file)
    lost = sum(session.status == "lost" for session in ended)
    server.agent_stream_memory.slot(0).add("runner_failures\tlost", lost)
    if ended:
        server.log.warning("%d session(s) had lost their runner and were ended", len(ended))


def when_ready(server: Any) -> None:
    """Let a connection wait in the kernel until its request is there: tcp(7).

    A gevent worker accepts one connection in each turn of its event loop. Without this it has
    accepted all of a thousand that come at once by the time that their requests arrive, and
    answers these in a single turn, in which no live viewer gets anything.
    """
    for listening in listening_sockets(server):
        if listening.family in (socket.AF_INET, socket.AF_INET6):
            listening.setsockopt(
                socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, REQUEST_WITHIN_SECONDS
            )


def pre_fork(server: Any, worker: Any) -> None:
    """Give the worker a slot for its numbers that no other living one has."""
    used = {other.agent_stream_slot for other in living_workers(server)}
    memory = server.agent_stream_memory
    free = (index for index in range(1, memory.slots) if index not in used)
    worker.agent_stream_slot = next(free, None)
    worker.agent_stream_memory = memory


def child_exit(server: Any, worker: Any) -> None:
    """Forget how many streams it had; what it counted stays."""
    if worker.agent_stream_slot is not None:
        server.agent_stream_memory.slot(worker.agent_stream_slot).clear_gauges()


def pre_exec(server: Any) -> None:
    """On USR2: start the new master as this one was started.

    gunicorn would run its `__main__.py` as a script; in the folder of that is a `http`, which
    Python would then take for its own.
    """
    set_restart_command(server, [sys.executable, *sys.orig_argv[1:]])


def post_fork(_server: Any, worker: Any) -> None:
    """Say what the worker's application will run in."""
    from webapp import host

    is_plain = not worker.cfg.is_ssl and worker.cfg.protocol == "http"
    shared = {}
    if worker.agent_stream_slot is None:
        worker.log.warning("too many workers: this one is not in /metrics")
    else:
        shared = {"memory": worker.agent_stream_memory, "slot": worker.agent_stream_slot}
    host.enter(
        host.Host(
            should_stop=lambda: not worker.alive,
            gunicorn_worker=worker,
            has_sockets=is_plain and _settings.worker_class == "gevent",
            **shared,
        )
    )


def post_worker_init(worker: Any) -> None:
    """The application is there."""
    _worker(worker).start()


def worker_exit(_server: Any, worker: Any) -> None:
    """Its last request was answered."""
    if getattr(worker, "wsgi", None) is not None:
        _worker(worker).stop()


def _worker(worker: Any) -> Any:
    from webapp.app import WORKER

    return worker.wsgi.extensions[WORKER]
