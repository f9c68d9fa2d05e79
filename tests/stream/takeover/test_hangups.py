"""Viewers that hang up together let the others go on in between."""

import socket
import time

import gevent

from webapp.stream.fairness import HANGUPS_AT_ONCE, HANGUPS_PAUSE_SECONDS
from webapp.stream.takeover.hangups import Hangups

PAUSES = 3


def test_of_a_crowd_that_goes_only_some_are_noticed_at_once() -> None:
    noticed: list[float] = []
    pairs = [socket.socketpair() for _ in range(PAUSES * HANGUPS_AT_ONCE + 1)]
    watched = Hangups(lambda fd: None, lambda fd: noticed.append(time.monotonic()))
    for ours, viewer in pairs:
        watched.add(ours.fileno())
        viewer.close()
    with gevent.Timeout(10):
        while len(noticed) < len(pairs):
            gevent.sleep(0.001)
    for ours, _viewer in pairs:
        watched.remove(ours.fileno())
        ours.close()
    assert noticed[-1] - noticed[0] >= PAUSES * HANGUPS_PAUSE_SECONDS
