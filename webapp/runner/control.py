"""The control socket: how a worker, whichever it is, speaks to a live runner.

One request per connection, one JSON object each way: `{"type":"cancel"}` → `{"ok":true}`, or
`{"ok":false,"error":"full"}`. The types are `cancel`, `kill` (which leaves the agent no time) and
`input` (`content`, `key`, `end`); of a conversation also those of `runner/talk/requests.py`.
Whoever comes before the socket is there finds the lock held and tries again.

The runner waits for no client: what has come is read when the poll says so, and a client
whose request is not whole in time is dropped. So is the oldest where there are too many;
a worker sends its request in one piece, and has its answer before that.
"""

import json
import os
import select
import socket
from collections.abc import Callable, Mapping
from time import monotonic

SOCKET_NAME = "control.sock"

MAX_REQUEST_BYTES = 1 << 19
MAX_CLIENTS = 8
REQUEST_SECONDS = 1.0
"""From the connection to the end of the request."""
_MAX_READ_BYTES = 1 << 16
_CREDENTIALS_BYTES = 12


class ControlSocket:
    """The listening socket in the current directory, and the clients that have connected."""

    def __init__(self, poll: select.poll) -> None:
        self._poll = poll
        self._directory_fd = os.open(".", os.O_PATH | os.O_DIRECTORY)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        umask = os.umask(0o177)
        try:
            self._listener.bind(SOCKET_NAME)
        finally:
            os.umask(umask)
        self._listener.listen(16)
        self._listener.setblocking(False)
        self._clients: dict[int, _Client] = {}
        poll.register(self._listener.fileno(), select.POLLIN)

    def close(self) -> None:
        """Remove it from the directory; the process's end closes the rest."""
        try:
            os.unlink(SOCKET_NAME, dir_fd=self._directory_fd)
        except OSError:
            pass

    def has(self, fd: int) -> bool:
        """Whether a descriptor that the poll names is one of these."""
        return fd == self._listener.fileno() or fd in self._clients

    def serve(self, fd: int, handle: Mapping[str, Callable[[dict[str, object]], object]]) -> None:
        """Take what has come on a descriptor, and answer a request that is whole.

        `handle` maps a request's type to a function of the request. What that returns is the
        reply, or why it was refused, or None. Nothing that a client does ends the runner.
        """
        if fd == self._listener.fileno():
            client = self._accept()
            if client is None:
                return
            fd = client.fd
        client = self._clients[fd]
        if client.read():
            client.answer(handle)
            self._drop(fd)

    @property
    def drop_at(self) -> float | None:
        """When the first client will have had its time."""
        return min((client.give_up_at for client in self._clients.values()), default=None)

    def drop_late(self, now: float) -> None:
        """Drop those whose time is over."""
        for fd, client in list(self._clients.items()):
            if now >= client.give_up_at:
                self._drop(fd)

    def _accept(self) -> "_Client | None":
        try:
            connection, _address = self._listener.accept()
        except OSError:
            return None
        client = _Client(connection)
        if not client.is_ours():
            client.close()
            return None
        if len(self._clients) >= MAX_CLIENTS:
            self._drop(next(iter(self._clients)))
        self._clients[client.fd] = client
        self._poll.register(client.fd, select.POLLIN)
        return client

    def _drop(self, fd: int) -> None:
        self._poll.unregister(fd)
        self._clients.pop(fd).close()


class _Client:
    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._request = b""
        self.fd = connection.fileno()
        self.give_up_at = monotonic() + REQUEST_SECONDS

    def is_ours(self) -> bool:
        """Whether root or the runner's own user has connected: unix(7), SO_PEERCRED."""
        try:
            credentials = self._connection.getsockopt(
                socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS_BYTES
            )
        except OSError:
            return False
        _pid, uid, _gid = memoryview(credentials).cast("i")
        return uid in (0, os.getuid())

    def read(self) -> bool:
        """Read what is there; whether all has come that will."""
        try:
            while len(self._request) < MAX_REQUEST_BYTES and not self._request.endswith(b"\n"):
                data = self._connection.recv(_MAX_READ_BYTES)
                if not data:
                    return True
                self._request += data
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def answer(self, handle: Mapping[str, Callable[[dict[str, object]], object]]) -> None:
        """Do what is asked; one that breaks the rules gets an error, or nothing."""
        try:
            request = json.loads(self._request)
            action = handle.get(request["type"])
            unknown = f"unknown request {request['type']!r}"
            reply = action(request) if callable(action) else unknown
            if not isinstance(reply, dict):
                reply = {"ok": True} if reply is None else {"ok": False, "error": reply}
            self._connection.sendall(json.dumps(reply).encode() + b"\n")
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return

    def close(self) -> None:
        self._connection.close()
