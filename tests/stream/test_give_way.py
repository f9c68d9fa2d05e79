"""Between the steps of answering a newcomer the live viewers hear what is due."""

import socket
from contextlib import closing

import gevent
import pytest

from tests.stream.theatre import PullTheatre
from webapp.stream.connection import HandedOver
from webapp.stream.format import Format
from webapp.stream.push import Push
from webapp.stream.view import View


@pytest.fixture
def push(stage: PullTheatre) -> Push:
    """A worker's connections, none yet."""
    return Push(stage.hub, ping_seconds=600, send_timeout_seconds=30)


def hears_what_is_due(push: Push) -> bool:
    """Whether who waits for a descriptor that is readable has it read by whoever gives way."""
    ours, other = socket.socketpair()
    with closing(ours), closing(other):
        heard = gevent.spawn(gevent.socket.wait_read, ours.fileno(), 5)
        gevent.sleep(0.01)
        other.send(b"x")
        push.give_way()
        is_heard = heard.dead
        heard.join()
        return bool(is_heard)


def test_who_is_parked_hears_what_is_due_first(stage: PullTheatre, push: Push) -> None:
    stage.log.say("here")
    ours, viewer = socket.socketpair()
    environ = {"gunicorn.socket": ours, "SERVER_PROTOCOL": "HTTP/1.0"}
    with closing(ours), closing(viewer):
        with pytest.raises(HandedOver):
            push.take_over(environ, View("s", stage.log.path, Format(), 600, lambda: None))
        gevent.sleep(0.05)
        assert b"here" in viewer.recv(1000)
        assert hears_what_is_due(push)
        push.stop()


def test_where_nobody_is_parked_nobody_is_waited_for(push: Push) -> None:
    assert not hears_what_is_due(push)
