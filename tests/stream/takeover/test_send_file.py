"""A file's bytes by the kernel's own way, over a connection that gunicorn would hold."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.log.random_logs import open_file
from webapp.log.opened import OpenLog
from webapp.stream.takeover.send_file import CutOff, send_file

CONTENT = bytes(range(256)) * 8192
TIMEOUT_SECONDS = 0.2


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The server's end of a connection, which never blocks, and the viewer's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.settimeout(20)
        yield ours, theirs


def sent(
    ours: socket.socket, opened: OpenLog, start: int, stop: int, **options: Any
) -> list[bytes]:
    """What is left for the server to send."""
    environ = {
        "gunicorn.socket": ours,
        "wsgi.url_scheme": "http",
        "SERVER_PROTOCOL": "HTTP/1.1",
    }
    settings = {"is_green": True, "send_timeout_seconds": TIMEOUT_SECONDS} | options
    return list(send_file(environ, opened, start, stop, **settings))


@pytest.mark.parametrize(("start", "stop"), [(0, len(CONTENT)), (5, 6), (100_000, 900_000), (7, 7)])
def test_kernel_sends_just_the_part_and_the_server_nothing(
    ends: tuple[socket.socket, socket.socket], start: int, stop: int
) -> None:
    ours, theirs = ends
    got = bytearray()

    def read() -> None:
        while piece := theirs.recv(10_000):
            got.extend(piece)

    reader = threading.Thread(target=read)
    reader.start()
    with open_file(CONTENT) as opened:
        left = sent(ours, opened, start, stop)
    ours.shutdown(socket.SHUT_WR)
    reader.join()
    assert b"".join(left) == b""
    assert bytes(got) == CONTENT[start:stop]


def test_viewer_that_never_reads_is_given_up(ends: tuple[socket.socket, socket.socket]) -> None:
    with open_file(CONTENT) as opened, pytest.raises(CutOff, match="does not read"):
        sent(ends[0], opened, 0, len(CONTENT))


@pytest.mark.parametrize("is_green", [True, False])
def test_file_that_is_shorter_than_announced_ends_the_connection(
    ends: tuple[socket.socket, socket.socket], is_green: bool
) -> None:
    with open_file(b"short") as opened, pytest.raises(CutOff, match="cut"):
        sent(ends[0], opened, 0, 100, is_green=is_green)


def test_other_servers_get_the_bytes_to_send(ends: tuple[socket.socket, socket.socket]) -> None:
    with open_file(CONTENT) as opened:
        pieces = sent(ends[0], opened, 3, len(CONTENT), is_green=False)
        environ: dict[str, Any] = {}
        assert list(
            send_file(environ, opened, 3, 9, is_green=True, send_timeout_seconds=TIMEOUT_SECONDS)
        ) == [CONTENT[3:9]]
    assert b"".join(pieces) == CONTENT[3:]
    assert len(pieces) > 1
