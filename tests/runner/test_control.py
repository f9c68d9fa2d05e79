"""The control socket: nothing that a client does may end the runner."""

import json
import os
import socket
from collections.abc import Iterator

import pytest

from tests.server import wait_for
from tests.sessions.machine import Machine, machine, shell
from webapp.store.models import Session

PATIENCE_SECONDS = 10.0


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Machine, Session]]:
    """A session that lives through all of these tests."""
    with machine(tmp_path_factory.mktemp("control"), shell("sleep 600")) as started:
        yield started, started.wait_until_running(started.invoke())


def connect(live: tuple[Machine, Session]) -> socket.socket:
    """A connection to the runner."""
    started, session = live
    folder = os.open(started.files(session).directory, os.O_PATH)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE_SECONDS)
    connection.connect(f"/proc/self/fd/{folder}/control.sock")  # a path holds 107 bytes only
    os.close(folder)
    return connection


def ask(live: tuple[Machine, Session], request: bytes) -> bytes:
    """What the runner answers."""
    with connect(live) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as answer:
                return answer.read()
        except (BrokenPipeError, ConnectionResetError):
            return b""


def is_well(live: tuple[Machine, Session]) -> bool:
    """Whether the runner still answers."""
    return b"unknown request" in ask(live, b'{"type":"how-are-you"}\n')


def test_unknown_request_is_answered_with_an_error(live: tuple[Machine, Session]) -> None:
    reply = json.loads(ask(live, b'{"type":"reboot"}\n'))
    assert reply == {"ok": False, "error": "unknown request 'reboot'"}


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"\n",
        b"{\n",
        b"cancel\n",
        b"[]\n",
        b"null\n",
        b"7\n",
        b'"cancel"\n',
        b"{}\n",
        b'{"type":["cancel"]}\n',
        b'{"type":{"a":1}}\n',
        b'{"type":null}\n',
        b"\xff\xfe\n",
        b"\0" * 100 + b"\n",
        b"[" * 60_000 + b"\n",
        b'{"a":' * 10_000 + b"\n",
        b"x" * 1_000_000,
    ],
    ids=lambda request: repr(request[:24]),
)
def test_runner_survives_a_request_that_breaks_the_rules(
    live: tuple[Machine, Session], request_: bytes
) -> None:
    ask(live, request_)
    assert is_well(live)
    started, session = live
    assert started.row(session).status == "running"
    assert started.is_locked(session)


def test_runner_survives_clients_that_say_nothing(live: tuple[Machine, Session]) -> None:
    silent = [connect(live) for _ in range(5)]
    assert is_well(live)
    for connection in silent:
        connection.close()
    assert is_well(live)


def test_runner_survives_a_client_that_does_not_read(live: tuple[Machine, Session]) -> None:
    with connect(live) as connection:
        connection.sendall(b'{"type":"x"}\n')
    wait_for(lambda: is_well(live))
