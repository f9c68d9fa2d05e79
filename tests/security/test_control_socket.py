"""Clients that hold the control socket, and something else in its place, delay nobody."""

import itertools
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.server import wait_for
from tests.sessions.machine import Machine, machine, shell
from webapp.errors import ServiceUnavailable
from webapp.log.record import parse_time
from webapp.sessions import control
from webapp.store.models import Session

DRIP_SECONDS = 0.05
CLOCK = "while :; do echo tick; sleep 0.05; done"


@pytest.fixture
def live(tmp_path: Path) -> Iterator[tuple[Machine, Session]]:
    with machine(tmp_path, shell(CLOCK)) as started:
        session = started.wait_until_running(started.invoke())
        started.wait_for_output(session, b"tick\n")
        yield started, session


def connect(live: tuple[Machine, Session]) -> socket.socket:
    folder = os.open(live[0].files(live[1]).directory, os.O_PATH)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(f"/proc/self/fd/{folder}/control.sock")
    os.close(folder)
    return connection


@contextmanager
def dripping(connections: list[socket.socket]) -> Iterator[None]:
    """Each gets a byte of a request that never ends, again and again."""
    is_over = threading.Event()

    def drip() -> None:
        while not is_over.wait(DRIP_SECONDS):
            for connection in connections:
                try:
                    connection.send(b" ")
                except OSError:
                    continue

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def longest_silence(machine: Machine, session: Session) -> float:
    """Seconds between two records of the agent's output."""
    times = [parse_time(r.time) for r in machine.records(session) if r.stream == b"stdout"]
    return max(late - early for early, late in itertools.pairwise(times)) / 1e9


def test_clients_that_drip_delay_neither_output_nor_another_client(
    live: tuple[Machine, Session],
) -> None:
    started, session = live
    with ExitStack() as stack:
        drippers = [stack.enter_context(connect(live)) for _ in range(5)]
        stack.enter_context(dripping(drippers))
        count = started.output(session).count(b"\n")
        wait_for(lambda: started.output(session).count(b"\n") >= count + 20)
        began = time.monotonic()
        control.cancel(started.files(session))
        assert time.monotonic() - began < 1.0
    assert started.wait_until_ended(session).status == "cancelled"
    assert longest_silence(started, session) < 1.0


def test_client_whose_request_is_not_whole_in_time_is_dropped(
    live: tuple[Machine, Session],
) -> None:
    with connect(live) as dripper, dripping([dripper]):
        dripper.settimeout(10)
        began = time.monotonic()
        with suppress(ConnectionResetError):
            assert dripper.recv(1) == b""
        assert 0.5 < time.monotonic() - began < 5.0


def test_crowd_of_idle_clients_locks_nobody_out(live: tuple[Machine, Session]) -> None:
    started, session = live
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(connect(live))
        open_files = len(os.listdir(f"/proc/{session.runner_pid}/fd"))
        assert open_files < 30
        began = time.monotonic()
        control.cancel(started.files(session))
        assert time.monotonic() - began < 2.0
    assert started.wait_until_ended(session).status == "cancelled"


def test_worker_waits_for_a_dripping_answer_no_longer_than_for_none(
    live: tuple[Machine, Session],
) -> None:
    started, session = live
    files = started.files(session)
    files.control_socket.unlink()
    fake = socket.socket(socket.AF_UNIX)
    folder = os.open(files.directory, os.O_PATH)
    fake.bind(f"/proc/self/fd/{folder}/control.sock")
    os.close(folder)
    fake.listen(1)
    accepted: list[socket.socket] = []
    thread = threading.Thread(target=lambda: accepted.append(fake.accept()[0]))
    thread.start()
    with fake, dripping(accepted):
        began = time.monotonic()
        with pytest.raises(ServiceUnavailable):
            control.cancel(files)
        assert time.monotonic() - began < control.CONTROL_TIMEOUT_SECONDS + 3
    thread.join()
    for connection in accepted:
        connection.close()
