"""A worker accepts all connections of a crowd, but not at once."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any

import gevent
import pytest
from gevent.pool import Pool

from webapp.stream.fairness import MAX_PAUSE_SECONDS, Arrivals
from webapp.stream.takeover.paced_server import TryServe, accept_in_slices

CROWD = 12


@contextmanager
def crowd_at(arrivals: Arrivals, try_serve: TryServe) -> Iterator[list[Any]]:
    """What a worker is given of a crowd that connects at once; by nobody so far."""
    accepted: list[Any] = []
    worker = SimpleNamespace(handle=lambda *about: accepted.append(about))
    accept_in_slices(worker, arrivals, try_serve)
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        listener.setblocking(False)
        for number in range(CROWD):
            one = stack.enter_context(socket.create_connection(listener.getsockname()))
            one.sendall(b"%d" % number)
        server = worker.server_class(listener, spawn=Pool(100), application=None)
        server.start()
        yield accepted
        server.stop()


def wait_until(condition: Any) -> None:
    """By the event loop of this thread."""
    with gevent.Timeout(10):
        while not condition():
            gevent.sleep(0.001)


def test_worker_accepts_all_of_a_crowd_but_slowly_while_live_events_are_late() -> None:
    arrivals = Arrivals(lambda: True)
    for seconds in (0.001, 5.0):
        arrivals.count_delay(seconds, time.monotonic())
    began_at = time.monotonic()
    with crowd_at(arrivals, lambda *_about: False) as accepted:
        for number in range(CROWD):
            wait_until(lambda number=number: len(accepted) > number)
            arrivals.count_delay(5.0, time.monotonic())
    assert time.monotonic() - began_at >= (CROWD - 2) * MAX_PAUSE_SECONDS


def test_those_who_are_served_by_themselves_never_reach_the_worker() -> None:
    handled = []

    def try_serve(connection: Any, address: Any, data: bytes) -> bool:
        assert address[0] == "127.0.0.1"
        if int(data) % 2:
            return False
        handled.append(connection.recv(10))
        connection.close()
        return True

    with crowd_at(Arrivals(lambda: True), try_serve) as accepted:
        wait_until(lambda: len(accepted) + len(handled) == CROWD)
    assert sorted(map(int, handled)) == [0, 2, 4, 6, 8, 10]
    assert len(accepted) == CROWD - len(handled)


@pytest.mark.parametrize("error", [ValueError("x"), OSError(24, "too many files")])
def test_error_while_one_is_served_does_not_end_the_server(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    errors = [error]

    def try_serve(*_about: Any) -> bool:
        if errors:
            raise errors.pop()
        return False

    with crowd_at(Arrivals(lambda: True), try_serve) as accepted:
        wait_until(lambda: len(accepted) == CROWD - 1)
    assert type(error).__name__ in capsys.readouterr().err
