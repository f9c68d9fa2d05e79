"""gunicorn's settings: `gunicorn -c python:webapp.gunicorn_conf 'webapp.app:create_app()'`.

`agent-stream serve` starts gunicorn with these too. Settings: https://docs.gunicorn.org/
"""

import gc
import sys
from typing import Any

from webapp.errors import SetupError
from webapp.settings import load_settings

try:
    _settings = load_settings()
except SetupError as error:
    print(f"agent-stream: {error}", file=sys.stderr)
    raise SystemExit(2) from None

_host = f"[{_settings.host}]" if ":" in _settings.host else _settings.host
bind = f"{_host}:{_settings.port}"
workers = _settings.workers
worker_class = _settings.worker_class
threads = _settings.threads if worker_class == "gthread" else 1
worker_connections = 20_000
backlog = 4096
timeout = 30
graceful_timeout = 5
keepalive = 75
proc_name = "agent-stream"

control_socket_disable = True
"""It would lie in the home folder, where every agent of this user could drive it."""


def on_starting(server: Any) -> None:
    """Before the first worker: refuse what cannot work, end what a crash left behind."""
    from webapp.agents.reconcile import reconcile_all
    from webapp.store import in_use
    from webapp.store.engine import check_whole, open_migrated

    try:
        if server.cfg.preload_app:
            raise SetupError("--preload does not work here: leave it out.")
        if _settings.var.is_dir():
            server.agent_stream_lock = in_use.hold(_settings.var)
        database = open_migrated(_settings.var)
        check_whole(database)
    except SetupError as error:
        server.log.error("agent-stream: %s", error)
        raise SystemExit(2) from None
    ended = reconcile_all(database, _settings.var.resolve())
    database.close()
    if ended:
        server.log.warning("%d session(s) had lost their runner and were ended", len(ended))


def post_worker_init(worker: Any) -> None:
    """Let the worker's streams end when it is told to, and scale where it can.

    What was loaded by now stays: the garbage collector need not look at it ever again.
    """
    hub = _hub(worker)
    hub.should_stop = lambda: not worker.alive
    if worker_class == "gevent" and not worker.cfg.is_ssl and worker.cfg.protocol == "http":
        from webapp.stream.kept_frames import KeptFrames
        from webapp.stream.push import Push

        most = _settings.frame_cache_bytes
        hub.push = Push(
            hub,
            ping_seconds=_settings.ping_seconds,
            send_timeout_seconds=_settings.send_timeout_seconds,
            kept=KeptFrames(_settings.var, most) if most else None,
        )
    gc.collect()
    gc.freeze()


def worker_exit(_server: Any, worker: Any) -> None:
    """End the streams that are still open, so that their viewers come back at once."""
    if getattr(worker, "wsgi", None) is not None and _hub(worker).push is not None:
        _hub(worker).push.stop()


def _hub(worker: Any) -> Any:
    from webapp.http.services import EXTENSION

    return worker.wsgi.extensions[EXTENSION].hub
