"""New connections one after another, with room between them for the live viewers.

To answer a new viewer takes a worker most of a millisecond. Of a thousand that come back at
once each worker would be busy without a breath, on every core, and what the agents print would
wait for a turn. So where there are live viewers a crowd is let in at a pace that leaves them
three quarters of the time; the others wait in the kernel. Nobody is refused, and who comes
alone does not wait.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from gevent.server import StreamServer

GAP_SECONDS = 0.003
"""Between one of a crowd and the next."""
BURST = 4
"""So many may come at once before it is a crowd."""


class Pace:
    """How fast a worker takes new connections: a token bucket."""

    def __init__(self, are_live: Callable[[], bool]) -> None:
        """`are_live` tells whether anybody has to be thought of."""
        self._are_live = are_live
        self._next_at = 0.0

    def take(self, now: float) -> float:
        """Take a connection now; how many seconds the next one has to wait."""
        if not self._are_live():
            return 0.0
        self._next_at = max(self._next_at, now - BURST * GAP_SECONDS) + GAP_SECONDS
        return max(0.0, self._next_at - now)


class PacedServer(StreamServer):  # type: ignore[misc]
    """gevent's server, which accepts at a pace."""

    max_accept = 1
    """In a turn of the event loop."""
    pace: Pace

    def do_handle(self, *args: Any) -> None:
        """See to a connection that was accepted, and to when the next one will be."""
        super().do_handle(*args)
        seconds = self.pace.take(time.monotonic())
        if seconds > 0:
            self.stop_accepting()
            self._timer = self.loop.timer(seconds)
            self._timer.start(self._start_accepting_if_started)


def pace(worker: Any, are_live: Callable[[], bool]) -> None:
    """Have a gunicorn gevent worker accept at a pace; before it begins to."""
    pace = Pace(are_live)

    def make_server(listener: Any, *, spawn: Any, **_for_pywsgi: Any) -> PacedServer:
        server = PacedServer(listener, handle=partial(worker.handle, listener), spawn=spawn)
        server.pace = pace
        return server

    worker.server_class = make_server
