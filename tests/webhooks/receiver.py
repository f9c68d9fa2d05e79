"""A server that webhooks are sent to: it can be down, slow, or answer anything."""

import base64
import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from tests.server import free_port

KEY = b"k" * 32
SECRET = "whsec_" + base64.b64encode(KEY).decode()


class Received(NamedTuple):
    """A request, as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


def is_signed(request: Received, key: bytes = KEY) -> bool:
    """As a receiver checks it: the scheme of Standard Webhooks, written here once more."""
    headers = request.headers
    signed = b".".join(
        (headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), request.body)
    )
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    is_fresh = abs(time.time() - int(headers["webhook-timestamp"])) < 60
    return is_fresh and headers.get("webhook-signature") == f"v1,{expected}"


class Receiver:
    """Listens on one port whenever it is up."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self.received: list[Received] = []
        self.answer: Callable[[Received], int] = lambda request: 204
        self.location = ""
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Be up."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Received(self.path, headers, body)
                receiver.received.append(request)
                self.send_response(receiver.answer(request))
                if receiver.location:
                    self.send_header("Location", receiver.location)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Be down: connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver that is up."""
    one = Receiver()
    one.start()
    try:
        yield one
    finally:
        one.stop()
