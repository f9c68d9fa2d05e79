"""Speak to a live runner through its control socket.

A connection that is accepted proves that the runner lives: no pid is ever trusted.
"""

import json
import os
import socket
import time
from collections.abc import Mapping

from webapp.errors import BadRequest, ServiceUnavailable
from webapp.log import folder, lock
from webapp.sessions.layout import SessionFiles

CONTROL_TIMEOUT_SECONDS = 5.0
MAX_ANSWER_BYTES = 1 << 18
MAX_REQUEST_BYTES = 1 << 19
"""A runner reads no more: webapp/runner/control.py."""


class RunnerGone(Exception):
    """Nobody listens: the runner has ended."""


def cancel(files: SessionFiles) -> None:
    """Ask the runner to terminate its agent. RunnerGone, ServiceUnavailable."""
    ask(files, {"type": "cancel"})


def kill(files: SessionFiles) -> None:
    """Ask the runner to kill its agent without more ado. RunnerGone, ServiceUnavailable."""
    ask(files, {"type": "kill"})


def send_input(
    files: SessionFiles, content: str, *, key: str | None = None, is_last: bool = False
) -> str | None:
    """Send a live agent what it is to read; None, or the runner's word for why not.

    The same key again is done already. RunnerGone, ServiceUnavailable.
    """
    request = {"type": "input", "content": content, "key": key, "end": is_last}
    error = ask(files, request).get("error")
    return None if error is None else str(error)


def is_listening(files: SessionFiles) -> bool:
    """Whether the runner lives, where its log cannot be asked."""
    try:
        _connect(files).close()
    except OSError:
        return False
    return True


def ask(files: SessionFiles, request: Mapping[str, object]) -> dict[str, object]:
    """The runner's answer to a request. RunnerGone, ServiceUnavailable; BadRequest: too long."""
    line = json.dumps(request, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
    if len(line) > MAX_REQUEST_BYTES:
        raise BadRequest(
            f"{len(line)} bytes cannot be sent to a live agent, expected at most "
            f"{MAX_REQUEST_BYTES}, names and escapes included."
        )
    try:
        with _connect_patiently(files) as connection:
            connection.sendall(line)
            answer = _read_line(connection)
    except ConnectionError:
        raise RunnerGone from None
    except OSError as error:
        raise ServiceUnavailable(f"The runner does not answer: {error}.", retry_after=2) from error
    if not answer:
        raise RunnerGone
    try:
        reply = json.loads(answer)
    except ValueError:
        reply = None
    if not isinstance(reply, dict):
        raise ServiceUnavailable(f"The runner answers {answer[:100]!r}.", retry_after=2)
    return reply


def _read_line(connection: socket.socket) -> bytes:
    """An answer, whole in time: what listens there may be another than the runner. OSError."""
    give_up_at = time.monotonic() + CONTROL_TIMEOUT_SECONDS
    line = b""
    while not line.endswith(b"\n") and len(line) < MAX_ANSWER_BYTES:
        connection.settimeout(max(0.001, give_up_at - time.monotonic()))
        data = connection.recv(MAX_ANSWER_BYTES)
        if not data:
            break
        line += data
    return line


def _connect_patiently(files: SessionFiles) -> socket.socket:
    """Connect; a runner that has just been started may need a moment. RunnerGone."""
    give_up_at = time.monotonic() + CONTROL_TIMEOUT_SECONDS
    while True:
        try:
            return _connect(files)
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() >= give_up_at or not is_locked(files):
                raise RunnerGone from None
        time.sleep(0.005)


def is_locked(files: SessionFiles) -> bool:
    """Whether a runner holds the lock on the log."""
    try:
        log_fd = lock.open_log(files.log)
    except (FileNotFoundError, folder.NotRegular):
        return False
    try:
        return lock.is_held(log_fd)
    finally:
        lock.close_log(log_fd)


def _connect(files: SessionFiles) -> socket.socket:
    """Connect by way of the socket's descriptor: its path may be longer than 107 bytes."""
    socket_fd = folder.open_socket(files.control_socket)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(CONTROL_TIMEOUT_SECONDS)
        connection.connect(f"/proc/self/fd/{socket_fd}")
    except BaseException:
        connection.close()
        raise
    finally:
        os.close(socket_fd)
    return connection
