"""What this project uses of gunicorn that its documentation does not promise.

`tests/test_compat.py` names what has changed when a new version breaks one of these.
"""

from collections.abc import Callable
from typing import Any

from gunicorn import http, util
from gunicorn.http.errors import LimitRequestHeaders, ParseException

BadBody = ParseException
"""Reading a request's body raises it where its chunks are malformed."""
HeadTooLarge = LimitRequestHeaders
"""gunicorn answers it with 431, wherever it is raised while a request's head is read."""

SOCKET = "gunicorn.socket"
"""The key in a WSGI environment under which a request's connection is."""


def close_after_response(request: Any) -> None:
    """Have gunicorn close the connection after it has answered this request."""
    request.force_close()


def give_socket(connection: Any, client: Any) -> None:
    """Let a connection of a gthread worker read from `client`, at once and in a thread.

    gunicorn would have the thread wait for the first byte by itself, without a limit of ours.
    """
    connection.sock = client
    connection.parser = http.get_parser(connection.cfg, client, connection.client)
    connection.data_ready = True


def set_error_page(write: Callable[[Any, int, str, str], None]) -> None:
    """Answer with this what gunicorn refuses itself: `write(client, status, reason, message)`."""
    util.write_error = write
