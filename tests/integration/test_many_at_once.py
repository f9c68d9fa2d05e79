"""A thousand clients come at the same moment: the kernel keeps who has not asked yet."""

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.server import Server, running_server, wait_for

CLIENTS = 50
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


def descriptors(server: Server) -> int:
    """Open descriptors of all workers."""
    return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in server.worker_pids())


def read_all(client: socket.socket) -> bytes:
    """The whole response."""
    received = b""
    while data := client.recv(65536):
        received += data
    return received


@pytest.mark.parametrize("worker_class", ["gevent", "gthread"])
def test_worker_takes_a_connection_only_when_its_request_has_come(
    folder: Path, worker_class: str
) -> None:
    with running_server(folder, worker_class=worker_class) as server, ExitStack() as stack:
        address = ("127.0.0.1", server.port)
        before = descriptors(server)
        clients = [
            stack.enter_context(socket.create_connection(address, timeout=30))
            for _ in range(CLIENTS)
        ]
        with socket.create_connection(address, timeout=30) as other:
            other.sendall(REQUEST)
            assert read_all(other).startswith(b"HTTP/1.1 200 ")
        wait_for(lambda: descriptors(server) < before + CLIENTS / 2, 5)  # they came before it
        for client in clients:
            client.sendall(REQUEST)
        for client in clients:
            assert read_all(client).startswith(b"HTTP/1.1 200 ")
