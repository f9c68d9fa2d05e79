"""A crowd of newcomers is let in at a pace."""

import socket
import time
from types import SimpleNamespace

import gevent
import pytest
from gevent.pool import Pool

from webapp.stream.newcomers import BURST, GAP_SECONDS, Pace, pace


def test_crowd_waits_in_line_and_who_comes_alone_does_not() -> None:
    crowd = Pace(lambda: True)
    waits = [crowd.take(100.0) for _ in range(BURST + 3)]
    assert waits == pytest.approx([0.0] * BURST + [n * GAP_SECONDS for n in (1, 2, 3)])
    assert crowd.take(101.0) == 0.0


def test_who_comes_during_the_wait_waits_behind_the_others() -> None:
    crowd = Pace(lambda: True)
    for _ in range(BURST + 10):
        crowd.take(100.0)
    assert crowd.take(100.0 + 5 * GAP_SECONDS) == pytest.approx(6 * GAP_SECONDS)


def test_nobody_waits_where_nobody_watches() -> None:
    crowd = Pace(lambda: False)
    assert {crowd.take(100.0) for _ in range(100)} == {0.0}


def test_worker_takes_all_of_a_crowd_but_not_at_once() -> None:
    taken: list[float] = []
    worker = SimpleNamespace(handle=lambda *_about: taken.append(time.monotonic()))
    pace(worker, lambda: True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        crowd = [socket.create_connection(listener.getsockname()) for _ in range(BURST + 10)]
        server = worker.server_class(listener, spawn=Pool(100), application=None)
        server.start()
        with gevent.Timeout(10):
            while len(taken) < len(crowd):
                gevent.sleep(0.001)
        server.stop()
    for one in crowd:
        one.close()
    assert taken[-1] - taken[0] >= 9 * GAP_SECONDS
