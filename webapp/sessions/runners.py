"""The worker's side of its fork server, which makes the runners."""

import json
import os
import socket
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

import pysqlite3

FORK_SERVER_TIMEOUT_SECONDS = 10.0
_FORK_SERVER = Path(__file__).resolve().parent.parent / "runner" / "__main__.py"
_SQLITE_PATH = Path(pysqlite3.__file__).resolve().parent.parent
_REQUEST_FD = 3


@dataclass(frozen=True)
class RunnerRequest:
    """What a runner has to know: see webapp/runner/forkserver.py."""

    directory: str
    spec: str
    """The text of `run.json`."""
    message: str | None
    """What the agent reads on its stdin; None: nothing."""
    environment: dict[str, str]
    secrets: list[str]
    """Values that must not reach the log; they are written nowhere."""


class Runners:
    """Starts runners. The fork server behind it is started with the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._pid: int | None = None

    def prepare(self) -> None:
        """See that there is a fork server, so that `start` needs no descriptor; OSError."""
        with self._lock:
            if self._connection is None:
                self._start_server()

    def start(self, request: RunnerRequest, log_fd: int, stdin_fd: int | None = None) -> None:
        """Have a runner forked; OSError if it can't be.

        The runner gets copies of the descriptors: of the log, and of what the agent reads
        instead of a message. It has been forked when this
        returns; it goes on to a session of its own, as a child of init.
        """
        payload = json.dumps(asdict(request)).encode()
        fds = [log_fd] if stdin_fd is None else [log_fd, stdin_fd]
        packet = len(payload).to_bytes(4, "big") + payload
        with self._lock:
            try:
                self._ask(packet, fds)
            except _NotTaken:
                # It was killed since the last time: nothing has been started yet.
                self._stop()
                self._ask(packet, fds)

    def stop(self) -> None:
        """End the fork server; the runners stay."""
        with self._lock:
            self._stop()

    def _ask(self, packet: bytes, fds: list[int]) -> None:
        connection = self._connection or self._start_server()
        try:
            sent = socket.send_fds(connection, [packet], fds)
            connection.sendall(packet[sent:])
        except (BrokenPipeError, ConnectionResetError):
            raise _NotTaken from None
        try:
            answer = connection.recv(1)
        except OSError:
            self._stop()
            raise
        if not answer:
            self._stop()
            raise OSError("the fork server ended in the middle of a request")

    def _start_server(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        ours.settimeout(FORK_SERVER_TIMEOUT_SECONDS)
        with theirs:
            high_fd = os.dup(theirs.fileno())
            try:
                self._pid = os.posix_spawn(
                    sys.executable,
                    [sys.executable, "-I", "-S", str(_FORK_SERVER), str(_SQLITE_PATH)],
                    {"AGENT_STREAM_RUNNER": "1"},  # not empty: see webapp/sessions/orphans.py
                    file_actions=[
                        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0),
                        (os.POSIX_SPAWN_DUP2, 0, 1),
                        (os.POSIX_SPAWN_DUP2, 0, 2),
                        (os.POSIX_SPAWN_DUP2, high_fd, _REQUEST_FD),
                    ],
                    setsid=True,
                    setsigmask=(),
                )
            except BaseException:
                ours.close()
                raise
            finally:
                os.close(high_fd)
        self._connection = ours
        return ours

    def _stop(self) -> None:
        connection, self._connection = self._connection, None
        pid, self._pid = self._pid, None
        if connection is not None:
            connection.close()
        if pid is not None:
            os.waitpid(pid, 0)


class _NotTaken(OSError):
    """The fork server was gone before it could take the request."""
