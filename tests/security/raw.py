"""Requests as no library sends them: byte by byte, half a head, a body that never comes."""

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.server import PATIENCE_SECONDS, Server

TOKEN = "s3cret-token-of-this-test"


class Answer(NamedTuple):
    """What came back until the server closed the connection."""

    status: int
    """0: nothing at all."""
    headers: dict[str, str]
    """Their names in lower case."""
    seconds: float


def head(server: Server, start: str, **headers: str) -> bytes:
    """A request's head: `start` is its method and path."""
    fields = {"Host": f"127.0.0.1:{server.port}"} | headers
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join([f"{start} HTTP/1.1", *lines, "", ""]).encode("latin-1")


@contextmanager
def connect(server: Server) -> Iterator[socket.socket]:
    """A client's connection."""
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE_SECONDS) as client:
        yield client


@contextmanager
def connect_many(server: Server, count: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """As many clients, each of which sends this and then nothing."""
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(server)) for _ in range(count)]
        for client in clients:
            client.sendall(sent)
        yield clients


def ask(server: Server, sent: bytes) -> Answer:
    """Send this and no more; the answer, once the server has closed the connection."""
    with connect(server) as client:
        client.sendall(sent)
        return read_answer(client)


def drip(server: Server, parts: Sequence[bytes], pause_seconds: float) -> Answer:
    """Send one part after the other; the answer, as soon as the server has closed."""
    with connect(server) as client:
        began = time.monotonic()
        client.settimeout(pause_seconds)
        received = b""
        for part in parts:
            try:
                client.sendall(part)
                data = client.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                return parse(received, began)
            if not data:
                return parse(received, began)
            received += data
        client.settimeout(PATIENCE_SECONDS)
        return parse(received + read_to_end(client), began)


def read_answer(client: socket.socket) -> Answer:
    """The answer, once the server has closed the connection."""
    began = time.monotonic()
    return parse(read_to_end(client), began)


def read_to_end(client: socket.socket) -> bytes:
    """All that comes until the server closes the connection."""
    received = b""
    try:
        while data := client.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received


def parse(received: bytes, began: float) -> Answer:
    """The first response in these bytes."""
    seconds = time.monotonic() - began
    start, *lines = received.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    fields = (line.split(": ", 1) for line in lines)
    headers = {name.lower(): value for name, value in fields}
    return Answer(int(start.split()[1]) if start else 0, headers, seconds)


def held_by(server: Server, clients: Sequence[socket.socket]) -> int:
    """How many of these connections the workers still have: proc_net_tcp(5)."""
    ports = {client.getsockname()[1] for client in clients}
    held = set()  # the table has one twice where it changes while it is read
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        here, there = (int(address.rpartition(":")[2], 16) for address in fields[1:3])
        if here == server.port and there in ports and fields[9] != "0":  # its inode
            held.add(there)
    return len(held)
