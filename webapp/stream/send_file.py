"""Part of a log as a response's body, by the quickest way that the server offers."""

import errno
import os
import time
from collections.abc import Iterator
from typing import Any

from webapp.log.opened import OpenLog
from webapp.stream.connection import can_be_taken, set_limits
from webapp.stream.pull import YIELD_SECONDS

PIECE_BYTES = 256 * 1024
"""After so much others of this worker have their turn."""


class CutOff(BrokenPipeError):
    """The rest of a body cannot be sent, though its length was announced.

    A server that gets this closes the connection, which is how the viewer learns of it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(errno.EPIPE, reason)


def send_file(
    environ: dict[str, Any],
    log: OpenLog,
    start: int,
    stop: int,
    *,
    is_green: bool,
    send_timeout_seconds: float,
) -> Iterator[bytes]:
    """The bytes from `start` to `stop` of a log, as a body of just that announced length.

    `is_green`: the server is gunicorn with gevent, and nothing stands between its sockets and
    the network but TCP. Then the kernel moves the bytes (sendfile(2)), and this is empty;
    but for a compressed log, whose file has other bytes.
    """
    set_limits(environ, send_timeout_seconds)
    if is_green and log.is_plain and can_be_taken(environ):
        yield b""  # the server sends the head of the response before it
        connection_fd = environ["gunicorn.socket"].fileno()
        send_part(connection_fd, log.fd, start, stop, send_timeout_seconds)
    else:
        yield from _read(log, start, stop)


def send_part(connection_fd: int, fd: int, start: int, stop: int, timeout_seconds: float) -> None:
    """Part of a file over a connection that never blocks. CutOff, or another OSError.

    gevent's own `socket.sendfile` reads and sends 8 KB at a time in Python.
    """
    import gevent
    from gevent.socket import wait_write

    while start < stop:
        try:
            sent = os.sendfile(connection_fd, fd, start, min(stop - start, PIECE_BYTES))
        except BlockingIOError:
            timed_out = CutOff("the viewer does not read")
            wait_write(connection_fd, timeout_seconds, timed_out)
            continue
        if sent == 0:
            raise CutOff("the file was cut")
        start += sent
        gevent.idle()


def _read(log: OpenLog, start: int, stop: int) -> Iterator[bytes]:
    while start < stop:
        piece = log.read(min(stop - start, PIECE_BYTES), start)
        if not piece:
            raise CutOff("the file was cut")
        yield piece
        start += len(piece)
        time.sleep(YIELD_SECONDS)
