"""A worker accepts all connections of a crowd, but not at once."""

import socket
import time
from types import SimpleNamespace

import gevent
from gevent.pool import Pool

from webapp.stream.fairness import ACCEPT_BURST, ACCEPT_SECONDS, AcceptRate
from webapp.stream.takeover.paced_server import accept_at_rate


def test_worker_accepts_all_of_a_crowd_but_not_at_once() -> None:
    accepted: list[float] = []
    worker = SimpleNamespace(handle=lambda *_about: accepted.append(time.monotonic()))
    accept_at_rate(worker, AcceptRate(lambda: True))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        crowd = [socket.create_connection(listener.getsockname()) for _ in range(ACCEPT_BURST + 10)]
        server = worker.server_class(listener, spawn=Pool(100), application=None)
        server.start()
        with gevent.Timeout(10):
            while len(accepted) < len(crowd):
                gevent.sleep(0.001)
        server.stop()
    for one in crowd:
        one.close()
    assert accepted[-1] - accepted[0] >= 9 * ACCEPT_SECONDS
