"""What we use of gunicorn beyond its documentation is there, and is what we take it for."""

import inspect
from collections.abc import Callable
from typing import Any

import gunicorn
import pytest
from gunicorn import http, util
from gunicorn.http import errors, message
from gunicorn.workers import base, base_async, ggevent, gthread

from webapp import compat

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
]


@pytest.mark.parametrize(("owner", "name", "parameters"), USED, ids=lambda value: str(value))
def test_gunicorn_still_has_what_we_build_on(owner: Any, name: str, parameters: list[str]) -> None:
    found: Callable[..., object] | None = getattr(owner, name, None)
    where = f"{owner.__name__}.{name} of gunicorn {gunicorn.__version__}"
    assert found is not None, f"{where} is gone"
    now = list(inspect.signature(found).parameters)
    assert now[: len(parameters)] == parameters, f"{where} takes {now}, expected {parameters}"


def test_gunicorn_still_tells_malformed_bodies_apart() -> None:
    kinds = (errors.InvalidChunkSize, errors.ChunkMissingTerminator, errors.InvalidChunkExtension)
    for kind in (*kinds, errors.LimitRequestHeaders, errors.InvalidHeaderName):
        assert issubclass(kind, compat.BadBody), f"{kind} of gunicorn {gunicorn.__version__}"


def test_gunicorn_still_writes_its_error_pages_by_one_function() -> None:
    source = inspect.getsource(base.Worker.handle_error)
    call = "util.write_error(client, status_int, reason, mesg)"
    assert hasattr(util, "write_error"), f"gunicorn {gunicorn.__version__} has no write_error"
    assert call in source, f"gunicorn {gunicorn.__version__} writes its error pages otherwise"
