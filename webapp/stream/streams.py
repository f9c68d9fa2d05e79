"""All streams of one worker: each takes the fastest way that the server offers."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from webapp.compat.gunicorn import SOCKET
from webapp.stream import wsgi
from webapp.stream.feed import Feed
from webapp.stream.hub import Hub
from webapp.stream.takeover.connection import can_be_taken, set_limits
from webapp.stream.view import View

if TYPE_CHECKING:
    from webapp.stream.takeover.takeover import Takeover  # imports gevent


class Joined(NamedTuple):
    """What a viewer that joins others asked for, and the head of its response."""

    head: bytes
    view: View


class Streams:
    """What answers a request for a stream."""

    def __init__(self, hub: Hub, takeover: "Takeover | None", send_timeout_seconds: float) -> None:
        """`takeover` is None where the server has no sockets to give."""
        self._hub = hub
        self._takeover = takeover
        self._send_timeout_seconds = send_timeout_seconds

    @property
    def viewers(self) -> int:
        """How many streams are open."""
        return self._hub.viewers

    @property
    def owns_sockets(self) -> bool:
        """Whether the server is gunicorn with gevent, and nothing but TCP is below its sockets."""
        return self._takeover is not None

    def may_go_on(self, login: str | None) -> bool:
        """Whether a stream goes on: its worker does not end, nor has its login ended."""
        return self._hub.may_go_on(login)

    def respond(self, view: View, environ: dict[str, Any]) -> Iterator[bytes]:
        """The body of the response, for the WSGI server.

        Raises HandedOver, which is for the server, where the connection was taken over.
        """
        set_limits(environ, self._send_timeout_seconds)
        yield view.prelude()
        if self._takeover is not None and can_be_taken(environ):
            self._takeover.take_over(environ, view)
        yield from wsgi.body(self._hub, view)

    def yield_to_live(self) -> None:
        """Let live viewers get what is due, between two steps of answering a new one."""
        if self._takeover is not None:
            self._takeover.yield_to_live()

    def join(self, connection: Any, session_id: str, make: Callable[[Feed], Joined | None]) -> bool:
        """Take over a plain socket as that of a viewer of a log that is watched here already.

        `make` gets the feed of it; None: do not. Nothing may have been sent before.
        """
        feed = self._hub.join(session_id) if self._takeover is not None else None
        if feed is None or self._takeover is None:
            return False
        try:
            joined = make(feed)
        except BaseException:
            self._hub.release(feed)
            raise
        if joined is None:
            self._hub.release(feed)
            return False
        connection.setblocking(False)
        set_limits({SOCKET: connection}, self._send_timeout_seconds)
        self._takeover.join(connection.detach(), joined.head, joined.view, feed)
        return True

    def stop(self) -> None:
        """End the streams that are parked; their viewers resume on another worker."""
        if self._takeover is not None:
            self._takeover.stop()
