"""The web ends, or its workers are replaced, under live viewers: nobody waits for a timeout."""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.server import Server, python_agent, running_server, wait_for

VIEWERS = 100
SOON_SECONDS = 3.5
"""Streams end within 2 s and workers within 3; gunicorn's graceful timeout is 5."""
TICKING = python_agent("n = 0\nwhile True:\n    print(n)\n    n += 1\n    time.sleep(0.1)")


@contextmanager
def open_streams(server: Server, session_id: str, count: int) -> Iterator[list[socket.socket]]:
    """Viewers who have got their first event."""
    with ExitStack() as stack:
        viewers = []
        for _ in range(count):
            viewer = socket.create_connection(("127.0.0.1", server.port), timeout=30)
            stack.enter_context(viewer)
            viewer.sendall(
                f"GET /api/agent-stream?sessionId={session_id} HTTP/1.1\r\n"
                f"Host: 127.0.0.1:{server.port}\r\n\r\n".encode()
            )
            viewers.append(viewer)
        for viewer in viewers:
            received = b""
            while b"event: message" not in received:
                received += viewer.recv(65536)
        yield viewers


def read_to_the_end(viewer: socket.socket) -> bytes:
    """The last bytes of a stream, until the server has closed it."""
    last = b""
    while data := viewer.recv(65536):
        last = (last + data)[-64:]
    return last


@pytest.mark.parametrize("worker_class", ["gevent", "gthread"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_streams_end_properly_and_at_once_and_the_agent_does_not_notice(
    folder: Path, worker_class: str, number: signal.Signals
) -> None:
    agents = {"ticking": TICKING}
    count = VIEWERS if worker_class == "gevent" else 20
    with running_server(folder, agents, worker_class=worker_class) as server:
        session_id = server.invoke("ticking")
        pid = wait_for(lambda: server.session(session_id)["pid"])
        before = server.worker_pids()
        assert server.process is not None
        with open_streams(server, session_id, count) as viewers:
            told_at = time.monotonic()
            server.process.send_signal(number)
            ends = [read_to_the_end(viewer) for viewer in viewers]
            assert time.monotonic() - told_at < SOON_SECONDS
        bad = [end for end in ends if not end.endswith(b"0\r\n\r\n")]
        assert bad == []

        for worker in before:
            wait_for(lambda worker=worker: not Path(f"/proc/{worker}").exists(), SOON_SECONDS)  # type: ignore[misc]
        if number == signal.SIGTERM:
            assert server.process.wait(SOON_SECONDS) == 0
            server.start()
        assert server.session(session_id)["status"] == "running"
        assert server.session(session_id)["pid"] == pid
        with open_streams(server, session_id, 1):
            pass
