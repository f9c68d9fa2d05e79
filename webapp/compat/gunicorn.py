"""gunicorn: its sockets, its requests, its master."""

from collections.abc import Callable, Iterable
from typing import Any

from gunicorn import SERVER, http, util
from gunicorn.http.errors import LimitRequestHeaders, ParseException

BadBody = ParseException
"""Reading a request's body raises it where its chunks are malformed."""
HeadTooLarge = LimitRequestHeaders
"""gunicorn answers it with 431, wherever it is raised while a request's head is read."""

SERVER_NAME = SERVER
"""In the Server header of its responses."""
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


def serve_by(worker: Any, make_server: Callable[..., Any]) -> None:
    """Have a gevent worker accept connections by the servers that this makes.

    It gets a listener and `spawn`, and options for gevent's pywsgi.
    """
    worker.server_class = make_server


def listening_sockets(master: Any) -> Iterable[Any]:
    """The sockets on which the server accepts."""
    return (listener.sock for listener in master.LISTENERS)


def living_workers(master: Any) -> Iterable[Any]:
    """The workers that the master has started and that have not ended."""
    return list(master.WORKERS.values())


def set_restart_command(master: Any, command: list[str]) -> None:
    """What a new master is started by, on USR2."""
    master.START_CTX["args"] = command
