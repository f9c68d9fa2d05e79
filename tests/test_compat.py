"""What we use of gunicorn, gevent and watchdog beyond their documentation is still there."""

import inspect
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gunicorn
import pytest
from gevent import baseserver, server
from gunicorn import arbiter, http, util
from gunicorn.http import errors, message
from gunicorn.workers import base, base_async, ggevent, gthread
from watchdog.observers import inotify_c

from webapp.compat import gunicorn as compat
from webapp.compat import watchdog

USED: list[tuple[Any, str, list[str]]] = [
    (base_async.AsyncWorker, "handle", ["self", "listener", "client", "addr"]),
    (ggevent.GeventWorker, "handle_request", ["self", "listener_name", "req", "sock", "addr"]),
    (base.Worker, "handle_error", ["self", "req", "client", "addr", "exc"]),
    (gthread.ThreadWorker, "enqueue_req", ["self", "conn"]),
    (gthread.ThreadWorker, "handle", ["self", "conn"]),
    (gthread.ThreadWorker, "handle_request", ["self", "req", "conn"]),
    (gthread.TConn, "__init__", ["self", "cfg", "sock", "client", "server"]),
    (message.Message, "force_close", ["self"]),
    (http, "get_parser", ["cfg", "source", "source_addr"]),
    (server.StreamServer, "do_handle", ["self"]),
    (server.StreamServer, "stop_accepting", ["self"]),
    (server.StreamServer, "_start_accepting_if_started", ["self", "_event"]),
    (inotify_c.InotifyFD, "add_callback", ["self", "path", "mask", "callback", "id_"]),
    (inotify_c.InotifyFD, "remove_callbacks", ["self", "callbacks"]),
    (inotify_c.InotifyFD, "handle_event", ["self", "event"]),
    (inotify_c.InotifyFD, "_parse_event_buffer", ["event_buffer"]),
]


@pytest.mark.parametrize(("owner", "name", "parameters"), USED, ids=lambda value: str(value))
def test_callable_that_we_build_on_is_still_there(
    owner: Any, name: str, parameters: list[str]
) -> None:
    package = getattr(owner, "__module__", owner.__name__).partition(".")[0]
    where = f"{owner.__name__}.{name} of {package} {version(package)}"
    found: Callable[..., object] | None = getattr(owner, name, None)
    assert found is not None, f"{where} is gone"
    now = list(inspect.signature(found).parameters)
    assert now[: len(parameters)] == parameters, f"{where} takes {now}, expected {parameters}"


@pytest.mark.parametrize(
    ("package", "owner", "uses"),
    [
        (
            "gunicorn",
            ggevent.GeventWorker.run,
            ["self.server_class(\n", "s, application="],
        ),
        ("gunicorn", arbiter.Arbiter, ["self.LISTENERS", "self.WORKERS", 'START_CTX["args"]']),
        ("gevent", baseserver.BaseServer, ["self._timer", "self.max_accept", "self.loop"]),
    ],
    ids=["server_class", "master", "server"],
)
def test_name_that_we_set_or_read_still_has_its_use(
    package: str, owner: Any, uses: list[str]
) -> None:
    source = inspect.getsource(owner).replace("'", '"')
    for use in uses:
        assert use in source, f"{package} {version(package)} has no {use!r} in {owner.__name__}"


def test_watchdog_still_hands_events_to_callbacks_by_descriptor(tmp_path: Path) -> None:
    """One event alone, which takes our short way, and several, which watchdog parses."""
    release = f"watchdog {version('watchdog')}"
    heard: list[object] = []
    callback = SimpleNamespace(on_event=heard.append, on_watch_deleted=lambda _wd: None)
    path = tmp_path / "file"
    path.touch()
    inotify = watchdog.make_inotify()
    fd = watchdog.fileno(inotify)
    descriptor = watchdog.add_callback(inotify, os.fsencode(path), callback)
    for texts in (["a"], ["b", "c"]):
        before = len(heard)
        for text in texts:
            path.write_text(text)
            os.truncate(path, 0)
        watchdog.handle_events(inotify, os.read(fd, 4096))
        assert len(heard) > before, f"{release} calls no callback"
    watchdog.remove_callback(inotify, descriptor, callback)
    os.close(fd)


def test_gunicorn_still_distinguishes_malformed_bodies() -> None:
    kinds = (errors.InvalidChunkSize, errors.ChunkMissingTerminator, errors.InvalidChunkExtension)
    for kind in (*kinds, errors.LimitRequestHeaders, errors.InvalidHeaderName):
        assert issubclass(kind, compat.BadBody), f"{kind} of gunicorn {gunicorn.__version__}"


def test_gunicorn_still_writes_its_error_pages_by_one_function() -> None:
    source = inspect.getsource(base.Worker.handle_error)
    call = "util.write_error(client, status_int, reason, mesg)"
    assert hasattr(util, "write_error"), f"gunicorn {gunicorn.__version__} has no write_error"
    assert call in source, f"gunicorn {gunicorn.__version__} writes its error pages otherwise"
