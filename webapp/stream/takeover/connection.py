"""A viewer's connection that is ours: a descriptor, and how what it carries is framed."""

import errno
import os
import socket
from collections.abc import Sequence
from typing import Any

from webapp.compat.gunicorn import SOCKET

NOT_SENT_BYTES = 256 * 1024
"""What waits unsent in the kernel at most: a viewer that never reads costs no more memory."""

CHUNK_END = b"\r\n"
LAST_CHUNK = b"0\r\n\r\n"


class HandedOver(BrokenPipeError):
    """Ends a WSGI response whose connection is now ours.

    To gunicorn it means that the viewer is gone, which is no error to it: it closes its
    descriptor, and ours, a duplicate, keeps the connection open.
    """

    def __init__(self) -> None:
        super().__init__(errno.EPIPE, "the connection was handed over")


class Connection:
    """One viewer. There are thousands, nearly all of them parked: this is all that one is."""

    __slots__ = ("fd", "is_chunked", "login")

    def __init__(self, fd: int, *, is_chunked: bool, login: str | None = None) -> None:
        """`fd` is a connected, non-blocking socket, and from now on belongs to this."""
        self.fd = fd
        self.is_chunked = is_chunked
        self.login = login

    def frame(self, piece: bytes) -> bytes:
        """A piece of the body as it goes over the wire."""
        return chunk(piece) if self.is_chunked else piece

    def parts(self, piece: bytes) -> list[bytes]:
        """As `frame`, without a copy of the piece: viewers that wait with the same one share it."""
        return [b"%x\r\n" % len(piece), piece, CHUNK_END] if self.is_chunked else [piece]

    def write(self, data: Sequence[bytes | memoryview]) -> int:
        """How many bytes were taken, without waiting; OSError if the viewer is gone."""
        try:
            return os.writev(self.fd, data)
        except BlockingIOError:
            return 0

    def finish(self) -> None:
        """End the response, if the viewer still reads it, and close."""
        try:
            if self.is_chunked:
                self.write([LAST_CHUNK])
        except OSError:
            pass
        self.close()

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.fd)


def chunk(piece: bytes) -> bytes:
    """A piece as one chunk of a chunked body.

    https://datatracker.ietf.org/doc/html/rfc9112#section-7.1
    """
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def drop_sent(parts: list[bytes | memoryview], sent: int) -> None:
    """Remove the first `sent` bytes from a list of parts, in place."""
    while parts and sent >= len(parts[0]):
        sent -= len(parts.pop(0))
    if sent:
        parts[0] = memoryview(parts[0])[sent:]


def can_be_taken(environ: dict[str, Any]) -> bool:
    """Whether a request's connection is a plain socket with HTTP/1 on it.

    Not HTTP/2, which frames otherwise. That the server itself speaks no TLS, whose state is not in
    the descriptor, is known before (`Host.has_sockets`): a proxy that does is none of its business.
    """
    connection = environ.get(SOCKET)
    return connection is not None and environ.get("SERVER_PROTOCOL") in ("HTTP/1.0", "HTTP/1.1")


def take(environ: dict[str, Any], login: str | None = None) -> Connection:
    """A duplicate of a request's connection; the server has to close its own."""
    fd = os.dup(environ[SOCKET].fileno())
    os.set_blocking(fd, False)
    return Connection(fd, is_chunked=environ["SERVER_PROTOCOL"] == "HTTP/1.1", login=login)


def set_limits(environ: dict[str, Any], send_timeout_seconds: float) -> None:
    """Bound what a viewer costs that does not read: its memory and its time. See tcp(7).

    The kernel ends a connection whose data nobody acknowledges, or whose window stays shut,
    for that long; the next write to it is an error. A server without a TCP socket must have
    limits of its own.
    """
    connection = environ.get(SOCKET)
    if connection is None:
        return
    timeout_ms = int(send_timeout_seconds * 1000)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, NOT_SENT_BYTES)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, timeout_ms)
    except OSError:
        pass
