"""The control socket: nothing that is said to a runner ends it, or spoils its log."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import strategies as st

from tests.fuzz.budget import fuzz, mutated, mutations
from tests.fuzz.values import values
from tests.sessions.machine import Machine, machine, shell
from webapp.store.models import Session

READS_AND_STAYS = shell("cat >/dev/null; exec sleep 900")
MAX_LOG_BYTES = 20_000_000
"""Input that has no room is refused, in the end."""

inputs = st.fixed_dictionaries(
    {"type": st.just("input") | values},
    optional={
        "content": st.text(max_size=40) | values,
        "key": st.sampled_from(["a", "b"]) | values,
        "end": st.sampled_from([False, None, "yes"]),
    },
)
VALID = json.dumps({"type": "input", "content": "yes\n", "key": "a", "end": False}).encode()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Machine, Session]]:
    """A session that lives through it."""
    folder = tmp_path_factory.mktemp("control")
    with machine(folder, READS_AND_STAYS, input=True, max_log_bytes=MAX_LOG_BYTES) as started:
        yield started, started.wait_until_running(started.invoke())


def is_harmless(request: bytes) -> bool:
    """Whether this does not ask, rightly, for what ends the session or its input."""
    return b"cancel" not in request and b"true" not in request and b"\\u00" not in request


def test_nothing_that_is_said_to_a_runner_ends_it(live: tuple[Machine, Session]) -> None:
    started, session = live
    place = Path(started.files(session).directory)
    directory = os.open(place, os.O_PATH)
    objects = (inputs | values).map(lambda value: json.dumps(value).encode() + b"\n")
    requests = (
        st.binary(max_size=200) | objects | st.builds(mutated, st.just(VALID + b"\n"), mutations)
    ).filter(is_harmless)

    def check(request: bytes, half: int) -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(f"/proc/self/fd/{directory}/control.sock")
            try:
                connection.sendall(request[:half])
                connection.sendall(request[half:])
                connection.shutdown(socket.SHUT_WR)
                answer = connection.recv(100_000)
            except (BrokenPipeError, ConnectionResetError):
                answer = b""
        if answer:
            assert answer.endswith(b"\n")
            reply = json.loads(answer)
            assert reply["ok"] is (reply.keys() == {"ok"})

    fuzz(check, requests, st.integers(0, 60))
    os.close(directory)
    assert started.row(session).status == "running"
    assert started.is_locked(session)
    assert started.records(session)[0].stream == b"system"
    for record in started.records(session)[1:]:
        assert record.stream in (b"stdin", b"system")
