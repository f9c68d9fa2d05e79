"""A client's socket that reads with limits, whatever the server does above it."""

import errno
import socket
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from webapp.compat.gunicorn import HeadTooLarge, close_after_response
from webapp.connections.address import network_of
from webapp.connections.waiting_room import WaitingRoom

GRACE_SECONDS = 10
"""For the head of a request, and again for its body."""
BYTES_A_SECOND = 16 * 1024
"""A second more for each of these: a slow line may take as long as it needs for a long body."""
MAX_HEAD_BYTES = 64 * 1024
PAUSE_SECONDS = 0.01
MAX_DOUBLINGS = 6
"""Between two reads from an unknown client, twice as long each time: a client that sends single
bytes does not get a turn of the event loop for each."""
TURN_BYTES = 16 * 1024
TURN_SECONDS = 0.001
"""After these bytes of a body everybody else has a turn, however fast it comes."""
LINGER_SECONDS = 1
LINGER_BYTES = 16 * 1024
"""What is read of a refused body, and thrown away."""
ANSWER_SECONDS = 0.1
"""For the answer to get through to a client that has sent more."""


class ClientSocket:
    """What gunicorn takes for the client's socket.

    A client is unknown until a request on this connection was let in. Between two requests a
    known one may wait as long as the server lets it; what is said here holds for the rest.
    """

    __slots__ = (
        "_has_unread_body",
        "_is_over",
        "_reads",
        "_received",
        "_request",
        "_room",
        "_socket",
        "address",
        "began_at",
        "is_handed_over",
        "is_known",
    )

    def __init__(self, connection: Any, address: Any, room: WaitingRoom) -> None:
        """`address` as accept() gives it: a Unix socket's says nothing."""
        self._socket = connection
        self._room = room
        self.address = network_of(address[0]) if isinstance(address, tuple) else ""
        self.is_known = False
        self.is_handed_over = False
        """Somebody else answers on this connection, and closes it."""
        self._is_over = False
        self._has_unread_body = False
        self._request: Any = None
        self._await_request()

    def __getattr__(self, name: str) -> Any:
        """Everything but reading and closing is as ever."""
        return getattr(self._socket, name)

    # --- a request ----------------------------------------------------------------------

    def begin(self, request: Any) -> None:
        """The head of a request is there; its body may follow."""
        self._request = request
        self.began_at = time.monotonic()
        self._received = self._reads = 0

    def close_after_response(self, *, has_unread_body: bool) -> None:
        """Take no other request on this connection. Before the response begins."""
        self._has_unread_body = has_unread_body
        if self._request is not None:
            close_after_response(self._request)

    def end(self) -> None:
        """The request was answered."""
        self._await_request()

    def _await_request(self) -> None:
        self._request = None
        self.began_at = 0.0
        self._received = self._reads = 0

    # --- reading ------------------------------------------------------------------------

    def recv(self, size: int) -> bytes:
        """What is there, as soon as there is something; nothing where time is over.

        HeadTooLarge. ConnectionResetError: the body breaks off, or takes too long.
        """
        data = b"" if self._is_over else self._recv(size)
        if not data and self._request is not None:
            raise ConnectionResetError(errno.ECONNRESET, "the body breaks off")
        return data

    def _recv(self, size: int) -> bytes:
        if not self.began_at and not self.is_known:
            self.began_at = time.monotonic()
        if self.began_at:
            data = self._recv_in_time(size)
        else:
            data = bytes(self._socket.recv(size))
            self.began_at = time.monotonic()

        turns = self._received // TURN_BYTES
        self._received += len(data)
        self._reads += 1
        if self._request is not None:
            if self._received // TURN_BYTES > turns:
                time.sleep(TURN_SECONDS)
        elif self._received > MAX_HEAD_BYTES:
            raise HeadTooLarge(f"more than {MAX_HEAD_BYTES} bytes")
        return data

    def _recv_in_time(self, size: int) -> bytes:
        with self._in_room():
            if self._reads and not self.is_known:
                time.sleep(PAUSE_SECONDS * 2 ** min(self._reads - 1, MAX_DOUBLINGS))
            due_at = self.began_at + GRACE_SECONDS + self._received / BYTES_A_SECOND
            return self._recv_until(due_at, size)

    def _in_room(self) -> AbstractContextManager[None]:
        return nullcontext() if self.is_known else self._room.wait(self)

    def _recv_until(self, due_at: float, size: int) -> bytes:
        seconds = due_at - time.monotonic()
        if seconds <= 0 or self._is_over:
            return b""
        self._socket.settimeout(seconds)
        try:
            return bytes(self._socket.recv(size))
        except TimeoutError:
            return b""
        finally:
            self._socket.settimeout(None)

    # --- the end ------------------------------------------------------------------------

    def hang_up(self) -> None:
        """End the connection at once; whoever reads from it gets nothing."""
        self._is_over = True
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def linger(self) -> None:
        """Say that there is no more, and let the client read the answer before it is cut off.

        To close a socket in which something is unread makes the kernel reset the connection,
        which may cost the client the answer:
        https://datatracker.ietf.org/doc/html/rfc9112#section-9.6
        """
        if self._is_over or self.is_handed_over:
            return
        due_at = self.began_at = time.monotonic()
        due_at += LINGER_SECONDS
        left = LINGER_BYTES
        try:
            self._socket.shutdown(socket.SHUT_WR)
            with self._in_room():
                while left > 0 and (data := self._recv_until(due_at, left)):
                    left -= len(data)
                if left <= 0:
                    time.sleep(ANSWER_SECONDS)
        except OSError:
            pass
        self._is_over = True

    def close(self) -> None:
        """Let go of the descriptor."""
        if self._has_unread_body:
            self.linger()
        self._socket.close()
