"""Viewers of a log that is watched already take the fast path, where nothing may be different."""

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.clients.event_source import Dispatched, events_of, texts_of
from tests.server import HTTP, Server, python_agent, running_server, wait_for
from webapp.store.engine import FILE_NAME

TOKEN = "the-token-of-the-tests"
AGENT = python_agent("print('one')\nprint('two')\nsys.stdin.read()\ntime.sleep(600)")
ENVIRONMENT: dict[str, Any] = {"AGENT_STREAM_TOKEN": TOKEN, "AGENT_STREAM_ACCESS_LOG": "1"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One worker, so that all viewers meet."""
    folder = tmp_path_factory.mktemp("server")
    with running_server(folder, {"quiet": AGENT}, workers=1, **ENVIRONMENT) as opened:
        yield opened


def start(server: Server) -> str:
    """A session that has said its two lines."""
    session_id = server.invoke("quiet")
    wait_for(lambda: b"two" in server.log_path(session_id).read_bytes())
    return session_id


@pytest.fixture(scope="module")
def first(server: Server) -> Iterator["Viewer"]:
    """The first viewer of a session, whom all others join."""
    with ExitStack() as stack:
        yield Viewer(stack, server, start(server))


class Viewer:
    """The head of a response, and the events that are there."""

    def __init__(
        self, stack: ExitStack, server: Server, session_id: str, query: str = "", **headers: str
    ) -> None:
        fields = {"Host": f"127.0.0.1:{server.port}", **server.login}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{name}: {value}\r\n" for name, value in fields.items() if value]
        start = f"GET /api/agent-stream?sessionId={session_id}{query} HTTP/1.1\r\n"
        self.session_id = session_id
        self.socket = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 30))
        self.socket.sendall((start + "".join(lines) + "\r\n").encode())
        self.data = self.socket.recv(65536)
        head, _, self.body = self.data.partition(b"\r\n\r\n")
        self.head = head.decode().split("\r\n")

    @property
    def headers(self) -> dict[str, str]:
        """What is the same in all responses."""
        fields = dict(line.split(": ", 1) for line in self.head[1:])
        return {name: fields[name] for name in fields if name not in ("Date", "X-Request-Id")}

    def read_texts(self, count: int) -> list[str]:
        """What the agent printed, as far as it has come, once there is that much."""
        while self.body.count(b"event: message") < count:
            self.body += self.socket.recv(65536)
        return texts_of(self.events)

    @property
    def events(self) -> list[Dispatched]:
        """All that have come, out of their chunks."""
        return events_of(b"".join(self.body.split(b"\r\n")[1::2]))


def test_who_joins_gets_the_same_head_and_the_same_events(server: Server, first: Viewer) -> None:
    with ExitStack() as stack:
        second = Viewer(stack, server, first.session_id, X_Request_Id="mine")
        assert second.headers == first.headers
        assert "X-Request-Id: mine" in second.head
        assert first.read_texts(2) == second.read_texts(2) == ["one", "two"]
        wrapped = Viewer(stack, server, first.session_id, "&format=envelope")
        assert wrapped.headers == first.headers
        assert b'"stream":"stdout"' in wrapped.body
    wait_for(lambda: server.output.read_text().count("GET /api/agent-stream 200") >= 2)


def test_who_joins_goes_on_after_the_last_event_that_it_had(server: Server, first: Viewer) -> None:
    with ExitStack() as stack:
        whole = Viewer(stack, server, first.session_id)
        whole.read_texts(2)
        after_one = next(event.last_event_id for event in whole.events if '"one"' in event.data)
        assert Viewer(stack, server, first.session_id, Last_Event_ID=after_one).read_texts(1) == [
            "two"
        ]
        assert Viewer(stack, server, first.session_id, f"&offset={after_one}").read_texts(1) == [
            "two"
        ]
        lost = Viewer(stack, server, first.session_id, Last_Event_ID="garbage")
        assert lost.read_texts(2) == ["one", "two"]
        assert b'"type":"gap"' in lost.body


REFUSED = {
    "foreign host": ({"Host": "evil.example"}, 421),
    "foreign origin": ({"Origin": "http://evil.example"}, 403),
    "foreign site": ({"Sec_Fetch_Site": "cross-site"}, 403),
    "prefetch": ({"Sec_Purpose": "prefetch"}, 403),
    "no token": ({"Authorization": ""}, 401),
    "wrong token": ({"Authorization": "Bearer wrong"}, 401),
    "ended cookie": ({"Authorization": "", "Cookie": f"agent-stream-1={'0' * 64}"}, 401),
}


@pytest.mark.parametrize("name", REFUSED)
def test_who_may_not_watch_does_not_join(server: Server, first: Viewer, name: str) -> None:
    headers, status = REFUSED[name]
    with ExitStack() as stack:
        refused = Viewer(stack, server, first.session_id, **headers)
        assert refused.head[0].split()[1] == str(status)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("&format=nonsense", 400),
        ("&workflowId=another", 400),
        ("&offset=1&tail=1", 400),
        ("&tail=1", 200),
        ("x", 404),
        ("&offset=99999999", 200),
    ],
)
def test_what_is_not_ordinary_is_answered_as_ever(
    server: Server, first: Viewer, query: str, status: int
) -> None:
    with ExitStack() as stack:
        answer = Viewer(stack, server, first.session_id, query)
        assert answer.head[0].split()[1] == str(status)


def test_who_joins_costs_no_query(server: Server) -> None:
    session_id, path = start(server), server.var / FILE_NAME
    with ExitStack() as stack:
        Viewer(stack, server, session_id)
        row = sqlite3.connect(path)
        try:
            row.execute("UPDATE sessions SET id = id || '0' WHERE id = ?", (session_id,))
            row.commit()
            assert Viewer(stack, server, session_id).read_texts(2) == ["one", "two"]
            assert Viewer(stack, server, session_id, "&tail=1").head[0].split()[1] == "404"
        finally:
            row.execute("UPDATE sessions SET id = ? WHERE id = ? || '0'", (session_id, session_id))
            row.commit()
            row.close()
    HTTP.post(f"{server.url}/api/sessions/{session_id}/cancel", json={}, headers=server.login)
    server.wait_until_ended(session_id)
    with ExitStack() as stack:
        ended = server.session(session_id)
        again = Viewer(stack, server, session_id, Last_Event_ID=str(ended["logBytes"]))
        assert again.head[0].split()[1] == "204"
