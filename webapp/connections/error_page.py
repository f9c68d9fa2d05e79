"""What gunicorn refuses by itself, such as a malformed head, is answered as the app answers."""

from typing import Any

from webapp.connections.security_headers import SECURITY_HEADERS


def write_error(client: Any, status: int, reason: str, message: str) -> None:
    """The whole response; a client that does not take it at once does not get it."""
    body = f"{reason}\n{message}\n".encode(errors="replace")
    headers = {
        "Connection": "close",
        "Content-Length": str(len(body)),
        "Content-Type": "text/plain; charset=utf-8",
        **SECURITY_HEADERS,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    client.setblocking(False)
    try:
        client.sendall(f"HTTP/1.1 {status} {reason}\r\n{head}\r\n".encode() + body)
    finally:
        client.setblocking(True)
