"""gevent: a server that accepts in a greenlet, and that stops accepting for a while."""

import _socket
from typing import Any

import gevent
from gevent.server import StreamServer
from gevent.socket import socket as green_socket

HEAD_BYTES = 16 * 1024


class PausableServer(StreamServer):  # type: ignore[misc]
    """gevent's server, but that `try_serve` may deal with a connection by itself."""

    max_accept = 1
    """In a turn of the event loop, of those that `try_serve` leaves to others."""

    def try_serve(self, connection: Any, address: Any, data: bytes) -> bool:
        """Take over a connection, a plain socket, on which this has come so far; else False."""
        raise NotImplementedError

    def is_slice_over(self) -> bool:
        """Whether the event loop has to run before the next connection is accepted."""
        raise NotImplementedError

    def on_slice(self) -> None:
        """A slice begins."""

    def on_slice_over(self) -> None:
        """A slice has ended."""

    def pause_accepting(self, seconds: float) -> None:
        """Accept none for a while. The timer is the one that gevent uses after EMFILE."""
        self.stop_accepting()
        self._timer = self.loop.timer(seconds)
        self._timer.start(self._start_accepting_if_started)

    def _do_read(self) -> None:
        # gevent calls it in its hub, which must not wait for anything, such as a lock.
        self._watcher.stop()
        gevent.spawn(self._accept)

    def _accept(self) -> None:
        if self.closed or self._watcher is None:
            return
        self.on_slice()
        super()._do_read()
        if self._watcher is not None:
            self._watcher.start(self._do_read)
            self.on_slice_over()

    def do_read(self) -> Any:
        """The next connection that `try_serve` leaves, and its address; None if there is none."""
        listener = self.socket
        while not self.is_slice_over():
            try:
                fd, address = listener._accept()
            except BlockingIOError:
                return None
            family, kind, protocol = listener.family, listener.type, listener.proto
            plain = _socket.socket(family, kind, protocol, fileno=fd)
            try:
                is_handled = self.try_serve(plain, address, _peek(plain))
            except BaseException:
                plain.close()
                raise
            if not is_handled:
                return green_socket(family, kind, protocol, fileno=plain.detach()), address
        return None


def _peek(connection: Any) -> bytes:
    """What has come so far and is to be read."""
    try:
        return bytes(connection.recv(HEAD_BYTES, _socket.MSG_PEEK | _socket.MSG_DONTWAIT))
    except OSError:
        return b""
