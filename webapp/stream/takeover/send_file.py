"""Part of a log as a response's body, by the fastest way that the server offers."""

import errno
import os
from collections.abc import Iterator
from typing import Any

from webapp.compat.gunicorn import SOCKET
from webapp.log.opened import OpenLog
from webapp.stream import fairness
from webapp.stream.fairness import FILE_PIECE_BYTES
from webapp.stream.takeover.connection import can_be_taken, set_limits


class CutOff(BrokenPipeError):
    """The rest of a body cannot be sent, though its length was announced.

    A server that gets this closes the connection, by which the client learns of it.
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

    `is_green`: the server is gunicorn with gevent, and nothing is between its sockets and the
    network but TCP. Then the kernel moves the bytes (sendfile(2)), and this yields nothing;
    but not those of a compressed log, whose file has other bytes.
    """
    set_limits(environ, send_timeout_seconds)
    if is_green and log.is_plain and can_be_taken(environ):
        yield b""  # the server sends the head of the response before it
        socket_fd = environ[SOCKET].fileno()
        _send_by_kernel(socket_fd, log.fd, start, stop, send_timeout_seconds)
    else:
        yield from _read(log, start, stop)


def _send_by_kernel(
    socket_fd: int, file_fd: int, start: int, stop: int, timeout_seconds: float
) -> None:
    """Part of a file over a socket that never blocks. CutOff, or another OSError.

    gevent's own `socket.sendfile` reads and sends 8 KB at a time in Python.
    """
    from gevent.socket import wait_write

    from webapp.stream.takeover.turn import end_turn

    while start < stop:
        try:
            sent = os.sendfile(socket_fd, file_fd, start, min(stop - start, FILE_PIECE_BYTES))
        except BlockingIOError:
            timed_out = CutOff("the client does not read")
            wait_write(socket_fd, timeout_seconds, timed_out)
            continue
        if sent == 0:
            raise CutOff("the file was cut")
        start += sent
        end_turn()


def _read(log: OpenLog, start: int, stop: int) -> Iterator[bytes]:
    while start < stop:
        piece = log.read(min(stop - start, FILE_PIECE_BYTES), start)
        if not piece:
            raise CutOff("the file was cut")
        yield piece
        start += len(piece)
        fairness.pause()
