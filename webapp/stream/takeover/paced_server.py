"""A server with a limit to how fast it accepts connections: see fairness.py."""

from functools import partial
from typing import Any

from webapp import clock
from webapp.compat import gunicorn
from webapp.compat.gevent import PausableServer
from webapp.stream.fairness import AcceptRate


class PacedServer(PausableServer):
    """Accepts at the rate of all servers of its worker together."""

    def __init__(self, listener: Any, *, rate: AcceptRate, **options: Any) -> None:
        super().__init__(listener, **options)
        self._rate = rate

    def on_accept(self) -> None:
        """Wait before the next connection if need be."""
        seconds = self._rate.take(clock.now())
        if seconds > 0:
            self.pause_accepting(seconds)


def accept_at_rate(worker: Any, rate: AcceptRate) -> None:
    """Have a gunicorn gevent worker accept at this rate; before it begins to."""

    def make_server(listener: Any, *, spawn: Any, **_for_pywsgi: Any) -> PacedServer:
        handle = partial(worker.handle, listener)
        return PacedServer(listener, rate=rate, handle=handle, spawn=spawn)

    gunicorn.serve_by(worker, make_server)
