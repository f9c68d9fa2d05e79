"""The control socket: how a worker, whichever it is, speaks to a live runner.

One request a connection, one JSON object each way: `{"type":"cancel"}` → `{"ok":true}`;
`{"type":"kill"}`, which leaves the agent no time; `{"type":"input","content":"yes\\n","key":"…"}`
→ `{"ok":true}` or `{"ok":false,"error":"full"}`.
Whoever comes before the socket is there finds the lock held and tries again.
"""

import os
from _socket import AF_UNIX, SOCK_STREAM, socket

SOCKET_NAME = "control.sock"

MAX_REQUEST_BYTES = 1 << 19
PATIENCE_SECONDS = 0.2
"""How long a client that has connected may take; it holds up the agent's output."""


class listening:  # noqa: N801  (contextlib would cost every runner 0.3 MB)
    """The listening socket in the current directory, removed at the end: a descriptor."""

    def __enter__(self) -> int:
        self._socket = socket(AF_UNIX, SOCK_STREAM)
        umask = os.umask(0o177)
        try:
            self._socket.bind(SOCKET_NAME)
        finally:
            os.umask(umask)
        self._socket.listen(16)
        self._directory_fd = os.open(".", os.O_PATH | os.O_DIRECTORY)
        return self._socket.fileno()

    def __exit__(self, *_exception: object) -> None:
        try:
            os.unlink(SOCKET_NAME, dir_fd=self._directory_fd)
        except OSError:
            pass


def answer(listener_fd: int, handle: dict[str, object]) -> None:
    """Serve one connection. `handle` maps a request's type to a function of the request.

    What that returns is why it was refused, or None. A client that breaks the rules gets
    an error; nothing that it does ends the runner.
    """
    import json
    import socket
    import struct

    listener = socket.socket(fileno=os.dup(listener_fd))
    with listener:
        try:
            connection, _address = listener.accept()
        except OSError:
            return
    with connection:
        connection.settimeout(PATIENCE_SECONDS)
        try:
            credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            _pid, uid, _gid = struct.unpack("3i", credentials)
            if uid not in (0, os.getuid()):
                return
            request = json.loads(_read_line(connection))
            action = handle.get(request["type"])
            unknown = f"unknown request {request['type']!r}"
            error = action(request) if callable(action) else unknown
            reply = {"ok": True} if error is None else {"ok": False, "error": error}
            connection.sendall(json.dumps(reply).encode() + b"\n")
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return


def _read_line(connection) -> bytes:  # type: ignore[no-untyped-def]
    request = b""
    while not request.endswith(b"\n") and len(request) < MAX_REQUEST_BYTES:
        data = connection.recv(1 << 16)
        if not data:
            break
        request += data
    return request
