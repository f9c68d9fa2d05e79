"""What stands for a live runner: a row, a locked log, and a control socket that a test answers."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.http.client import Client
from tests.store.rows import add_session
from webapp.log import lock
from webapp.log.record import format_record
from webapp.sessions.layout import new_session_files
from webapp.store.ids import new_session_id

Answer = dict[str, Any]
TIME_NS = 1_795_467_840_123_000_000


@dataclass
class FakeRunner:
    """A live session of an agent that talks."""

    session_id: str
    workflow_id: str
    asked: list[dict[str, Any]] = field(default_factory=list)


def write_records(fd: int, *records: dict[str, Any]) -> None:
    """Append records of the runner's own to a log."""
    for record in records:
        os.write(fd, format_record(TIME_NS, b"system", json.dumps(record).encode()))


@contextmanager
def fake_runner(
    client: Client, answer: Callable[[dict[str, Any]], Answer], **columns: Any
) -> Iterator[FakeRunner]:
    """One that answers each request by a function; its lock is free at the end."""
    machine = client.machine
    session_id, workflow_id = new_session_id(), client.create_workflow()
    files = new_session_files(machine.var, session_id)
    files.directory.mkdir(parents=True)
    log_fd = os.open(files.log, os.O_RDWR | os.O_APPEND | os.O_CREAT)
    assert lock.acquire(log_fd)
    write_records(log_fd, {"type": "session", "sessionId": session_id})
    row = {"agent": "sh", "talk": "claude", "status": "running", "host": machine.launcher.host}
    path = str(files.log.relative_to(machine.var))
    add_session(machine.database, workflow_id, id=session_id, log_path=path, **row | columns)
    runner = FakeRunner(session_id, workflow_id)
    listener = socket.socket(socket.AF_UNIX)
    folder_fd = os.open(files.directory, os.O_PATH)
    listener.bind(f"/proc/self/fd/{folder_fd}/control.sock")  # the whole path would be too long
    os.close(folder_fd)
    listener.listen()
    thread = threading.Thread(target=_serve, args=(listener, runner, answer))
    thread.start()
    try:
        yield runner
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        listener.close()
        files.control_socket.unlink()
        os.close(log_fd)


def _serve(
    listener: socket.socket, runner: FakeRunner, answer: Callable[[dict[str, Any]], Answer]
) -> None:
    while True:
        try:
            connection, _address = listener.accept()
        except OSError:
            return
        with connection, connection.makefile("rb") as lines:
            line = lines.readline()
            if line:
                request = json.loads(line)
                runner.asked.append(request)
                connection.sendall(json.dumps(answer(request)).encode() + b"\n")
