"""The body of a `text/event-stream` response, by the best way that the server offers."""

from collections.abc import Iterator
from typing import Any

from webapp.stream.connection import set_limits
from webapp.stream.hub import Hub
from webapp.stream.pull import pull
from webapp.stream.view import View


def respond(
    hub: Hub, view: View, environ: dict[str, Any], send_timeout_seconds: float
) -> Iterator[bytes]:
    """What to give to the WSGI server as the response's body.

    Raises HandedOver, which is for the server, where the connection was taken over.
    """
    set_limits(environ, send_timeout_seconds)
    yield view.prelude()
    if hub.push is not None and hub.push.takes(environ):
        hub.push.take_over(environ, view)
    yield from pull(hub, view)
