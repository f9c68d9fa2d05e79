"""gevent's server with a limit to how fast it accepts connections: see fairness.py."""

from functools import partial
from typing import Any

from gevent.server import StreamServer

from webapp import clock
from webapp.stream.fairness import AcceptRate


class PacedServer(StreamServer):  # type: ignore[misc]
    """Accepts at the rate of all servers of its worker together."""

    max_accept = 1
    """In a turn of the event loop."""

    def __init__(self, listener: Any, *, rate: AcceptRate, **options: Any) -> None:
        super().__init__(listener, **options)
        self._rate = rate

    def do_handle(self, *args: Any) -> None:
        """Handle a connection that was accepted, and wait before the next one if need be."""
        super().do_handle(*args)
        seconds = self._rate.take(clock.now())
        if seconds > 0:
            self.stop_accepting()
            self._timer = self.loop.timer(seconds)
            self._timer.start(self._start_accepting_if_started)


def accept_at_rate(worker: Any, rate: AcceptRate) -> None:
    """Have a gunicorn gevent worker accept at this rate; before it begins to."""

    def make_server(listener: Any, *, spawn: Any, **_for_pywsgi: Any) -> PacedServer:
        handle = partial(worker.handle, listener)
        return PacedServer(listener, rate=rate, handle=handle, spawn=spawn)

    worker.server_class = make_server
