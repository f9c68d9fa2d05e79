"""What the tests of this room share."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.servers.streams import GeventServer, StreamServer, WsgiServer


@pytest.fixture
def wsgi_server(tmp_path: Path) -> Iterator[WsgiServer]:
    """A log whose writer lives, and streams of it in this process."""
    with closing(WsgiServer(tmp_path)) as opened:
        yield opened


@pytest.fixture
def gevent_server(tmp_path: Path) -> Iterator[GeventServer]:
    """The same with streams that own their viewers' sockets, in a process of its own."""
    with closing(GeventServer(tmp_path)) as opened:
        yield opened


@pytest.fixture(params=["wsgi", "gevent"])
def either_server(request: pytest.FixtureRequest) -> StreamServer:
    """A server of either kind."""
    server: StreamServer = request.getfixturevalue(f"{request.param}_server")
    return server
