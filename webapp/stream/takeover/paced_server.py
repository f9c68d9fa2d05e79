"""A server with a limit to how fast it accepts connections: see fairness.py."""

from collections.abc import Callable
from functools import partial
from typing import Any

from webapp import clock
from webapp.compat import gunicorn
from webapp.compat.gevent import PausableServer
from webapp.stream.fairness import Arrivals

TryServe = Callable[[Any, Any, bytes], bool]
"""Gets a plain socket, the client's address and the first bytes that have come, which are still to
be read. Whether the connection is its own now."""


class PacedServer(PausableServer):
    """Accepts in slices, as all servers of its worker together may."""

    def __init__(
        self, listener: Any, *, arrivals: Arrivals, try_serve: TryServe, **options: Any
    ) -> None:
        super().__init__(listener, **options)
        self._try_serve = try_serve
        self._arrivals = arrivals
        self._slice_until = 0.0
        self._is_handled = True
        """The last one was: nothing of the slice is still to be done."""

    def try_serve(self, connection: Any, address: Any, data: bytes) -> bool:
        """Whether the connection is dealt with."""
        self._is_handled = self._try_serve(connection, address, data)
        return self._is_handled

    def on_slice(self) -> None:
        """Begin a slice."""
        self._slice_until = clock.now() + self._arrivals.slice_seconds()

    def is_slice_over(self) -> bool:
        """Whether it is time for the live viewers."""
        return clock.now() >= self._slice_until

    def on_slice_over(self) -> None:
        """Wait before the next slice if need be."""
        seconds = self._arrivals.pause_seconds(clock.now(), was_fast=self._is_handled)
        if seconds > 0:
            self.pause_accepting(seconds)


def accept_in_slices(worker: Any, arrivals: Arrivals, try_serve: TryServe) -> None:
    """Have a gunicorn gevent worker accept like this; before it begins to."""

    def make_server(listener: Any, *, spawn: Any, **_for_pywsgi: Any) -> PacedServer:
        handle = partial(worker.handle, listener)
        return PacedServer(
            listener, arrivals=arrivals, try_serve=try_serve, handle=handle, spawn=spawn
        )

    gunicorn.serve_by(worker, make_server)
