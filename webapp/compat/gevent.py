"""gevent: a server that stops accepting for a while."""

from typing import Any

from gevent.server import StreamServer


class PausableServer(StreamServer):  # type: ignore[misc]
    """gevent's server; `on_accept` runs after each connection that it accepts."""

    max_accept = 1
    """In a turn of the event loop."""

    def do_handle(self, *args: Any) -> None:
        """Handle a connection in a greenlet of its own."""
        super().do_handle(*args)
        self.on_accept()

    def on_accept(self) -> None:
        """A connection was accepted."""

    def pause_accepting(self, seconds: float) -> None:
        """Accept none for a while. The timer is the one that gevent uses after EMFILE."""
        self.stop_accepting()
        self._timer = self.loop.timer(seconds)
        self._timer.start(self._start_accepting_if_started)
