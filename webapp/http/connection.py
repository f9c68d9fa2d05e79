"""What becomes of a request's connection."""

from flask import Response, g, request

from webapp.compat.gunicorn import SOCKET
from webapp.connections.client_socket import ClientSocket


def has_body() -> bool:
    """Whether the request has a body, which is unread as long as nobody has asked for it."""
    return bool(request.content_length) or "Transfer-Encoding" in request.headers


def let_in() -> None:
    """From now on this connection is a known client's."""
    client = _client()
    if client is not None:
        client.is_known = True


def body_was_read() -> None:
    """The whole body was read: another request may follow it on this connection."""
    g.body_was_read = True


def end_request(response: Response) -> Response:
    """After each request: close the connection of an unknown client, and of an unread body.

    The server would read it to its end, to find the next request behind it.
    """
    client = _client()
    has_unread_body = has_body() and "body_was_read" not in g
    if client is not None and (has_unread_body or not client.is_known):
        client.close_after_response(has_unread_body=has_unread_body)
    return response


def _client() -> ClientSocket | None:
    """None where another server, or a test, calls the application."""
    client = request.environ.get(SOCKET)
    return client if isinstance(client, ClientSocket) else None
