"""Viewers that are broken, slow or strange: they harm nobody, and get no error of ours."""

import ctypes
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.clients.crowd import crowd
from tests.clients.event_source import Dispatched
from tests.clients.viewer import Viewer, watch
from tests.faults.test_hearing import AGENTS, Echo
from tests.security.raw import held_by
from tests.server import Server, python_agent, running_server, wait_for

STUCK = 12
HEALTHY = 4
BIG_LINES = 4000
FLOOD = python_agent(
    "import os\ngo = sys.stdin.read()\n"
    "while not os.path.exists(go): time.sleep(0.02)\n"
    f"for n in range({BIG_LINES}): print('line', n, 'x' * 2000)"
)
SAY = python_agent("for n in range(20): print('line', n)")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers that are soon out of patience."""
    folder = tmp_path_factory.mktemp("viewers")
    settings = {"send_timeout_seconds": 1, "ping_seconds": 1}
    agents = AGENTS | {"flood": FLOOD, "say": SAY}
    with running_server(folder, agents, settings=settings) as started:
        yield started


@contextmanager
def stuck_viewers(server: Server, session_id: str) -> Iterator[list[socket.socket]]:
    """Viewers that have got the head of their response, and read no more."""
    with ExitStack() as stack:
        viewers = []
        for _ in range(STUCK):
            viewer = stack.enter_context(socket.socket())
            viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            viewer.settimeout(30)
            viewer.connect(("127.0.0.1", server.port))
            request = f"GET /api/agent-stream?sessionId={session_id} HTTP/1.1"
            viewer.sendall(f"{request}\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
            assert viewer.recv(16).startswith(b"HTTP/1.1 200")
            viewers.append(viewer)
        yield viewers


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


_SO_ATTACH_FILTER = 26
_KEEP_NOTHING = bytes((0x06, 0, 0, 0, 0, 0, 0, 0))


def vanish(viewer: socket.socket) -> None:
    """From now on it takes no packet, not even to refuse it: its machine lost the network.

    https://docs.kernel.org/networking/filter.html
    """
    program = bytes(_Filter(1, _KEEP_NOTHING))
    viewer.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def test_viewers_that_never_read_are_dropped_and_others_miss_nothing(server: Server) -> None:
    go = server.folder / "go"
    session_id = server.invoke("flood", str(go))
    with (
        stuck_viewers(server, session_id) as viewers,
        crowd(server.port, session_id, HEALTHY) as watching,
    ):
        wait_for(watching.are_watching)
        assert held_by(server, viewers) == STUCK
        go.touch()
        wait_for(watching.have_done)
        tail = "x" * 2000
        for viewer in watching.viewers:
            assert viewer.texts == [f"line {number} {tail}" for number in range(BIG_LINES)]
            assert len(viewer.connections) == 1
        wait_for(lambda: held_by(server, viewers) == 0)


def test_viewers_whose_machine_is_gone_are_dropped_though_nothing_happens(server: Server) -> None:
    echo = Echo(server, "half-open")
    with (
        stuck_viewers(server, echo.session_id) as viewers,
        crowd(server.port, echo.session_id, HEALTHY) as watching,
    ):
        wait_for(watching.are_watching)
        assert held_by(server, viewers) == STUCK
        for viewer in viewers:
            vanish(viewer)
        wait_for(lambda: held_by(server, viewers) == 0)
        echo.say(3)
        echo.end()
        wait_for(watching.have_done)
        watching.check_exact()
        assert len(watching.connections) == HEALTHY


# --- Last-Event-ID ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def told(server: Server) -> tuple[str, list[Dispatched]]:
    """A session that has ended, and all its events."""
    session_id = server.invoke("say")
    server.wait_until_ended(session_id)
    return session_id, watch(server.url, session_id)


GARBAGE = [
    "garbage",
    "-1",
    "-99999999999999999999",
    "1.5",
    "1e3",
    "0x10",
    "+5",
    "1",
    "9999999",
    "9" * 30,
    "9" * 4000,
    "NaN",
    "null",
    "session-1795467840123-0123456789ab/5",
    "../../etc/passwd",
    "%00",
    "<script>",
    "1;2",
    "5 6",
]
GARBAGE_BYTES = ["é".encode(), b"\xff\xfe", "٣".encode()]


@pytest.mark.parametrize("asked", [*(text.encode() for text in GARBAGE), *GARBAGE_BYTES], ids=str)
def test_last_event_id_that_is_no_position_is_a_gap_and_tears_nothing(
    server: Server, told: tuple[str, list[Dispatched]], asked: bytes
) -> None:
    session_id, events = told
    received = resume(server, session_id, asked)
    assert received[0].type == "notice"
    assert received[0].json()["type"] == "gap"
    rest = [(one.last_event_id, one.type, one.data) for one in received[1:]]
    whole = [(one.last_event_id, one.type, one.data) for one in events]
    assert rest == whole[len(whole) - len(rest) :]
    assert rest[-1][1] == "done"


def resume(server: Server, session_id: str, last_id: bytes) -> list[Dispatched]:
    """What a viewer gets that comes back with these very bytes for an id."""
    with Viewer(server.url, session_id, last_id=last_id) as viewer:
        assert viewer.response.status_code == 200
        return list(viewer)


def test_last_event_id_of_a_live_session_is_a_gap_too(server: Server) -> None:
    echo = Echo(server, "live")
    echo.say(3)
    for asked in ("garbage", "-1", "99999999", "3"):
        with Viewer(server.url, echo.session_id, last_id=asked) as viewer:
            assert viewer.response.status_code == 200
            assert next(iter(viewer)).json()["type"] == "gap"
    echo.end()
