"""What is no HTTP, or bad HTTP: an error with the headers of every other, and no traceback."""

import socket
from collections.abc import Iterator

import pytest

from tests.security.raw import TOKEN, ask, head
from tests.server import HTTP, Server
from webapp.connections.security_headers import SECURITY_HEADERS

EVERY_PAGE = {name.lower(): value for name, value in SECURITY_HEADERS.items()}
GARBAGE = {
    b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n": 400,
    b"GET\r\n\r\n": 400,
    b"get / HTTP/1.1\r\n\r\n": 400,
    b"GET / HTTP/9\r\n\r\n": 400,
    b"GET /\x1b[2J HTTP/1.1\r\n\r\n": 400,
    b"GET / HTTP/1.1\nHost: x\n\n": 400,
    b"GET / HTTP/1.1\r\nHost : x\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nX: \x00\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nX: y\r\n z\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\n<script>: x\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nExpect: a miracle\r\n\r\n": 417,
    b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n": 414,
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n": 431,
    b"GET / HTTP/1.1\r\nX: " + b"y" * 9000 + b"\r\n\r\n": 431,
    b"GET / HTTP/1.1\r\n" + b"X: %b\r\n" % (b"y" * 8000) * 20 + b"\r\n": 431,
    b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n": 400,
    b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n": 400,
    b"POST / HTTP/1.1\r\nTransfer-Encoding: nonsense\r\n\r\n": 501,
    b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n": 400,
}
BAD_CHUNKS = [
    b"zz\r\n{}\r\n0\r\n\r\n",
    b"-1\r\n",
    b"2\r\n{}garbage",
    b"2;\x00\r\n{}\r\n0\r\n\r\n",
    b"x" * 9000,
    b"2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n",
    b"2\r\n{}\r\n0\r\nno field\r\n\r\n",
]


LOGIN = {"Authorization": f"Bearer {TOKEN}"}
CALL = "POST /api/trpc/workflow.create"
JSON = {"Content_Type": "application/json"}


@pytest.fixture(name="server")
def _server(guarded_server: Server) -> Iterator[Server]:
    """In whose log nothing says that it was its fault."""
    before = len(guarded_server.output.read_text())
    yield guarded_server
    assert HTTP.get(f"{guarded_server.url}/healthz").status_code == 200
    said = guarded_server.output.read_text()[before:]
    assert "Traceback" not in said
    assert "[ERROR]" not in said


def test_garbage_is_refused_with_the_headers_of_every_page(server: Server) -> None:
    for sent, status in GARBAGE.items():
        answer = ask(server, sent)
        assert answer.status == status, sent[:80]
        assert answer.headers["connection"] == "close", sent[:80]
        assert answer.headers.items() >= EVERY_PAGE.items(), sent[:80]


def test_log_holds_nothing_of_what_cannot_be_read(server: Server) -> None:
    for sent in (
        b"GET /api/agent-stream?message=to my-dear-friend HTTP/1.1\r\n\r\n",
        b"my-dear-friend, I wrote too short a length\r\n\r\n",
        b"GET /?message='my-dear-friend' HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nmy-dear-friend\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: my-dear-friend\r\n\r\n",
    ):
        assert ask(server, sent).status in (400, 501), sent
    assert "Invalid request from ip=127.0.0.1: Invalid HTTP" in server.output.read_text()
    assert "friend" not in server.output.read_text()


def test_client_of_this_machine_does_not_say_where_the_application_is(server: Server) -> None:
    start = head(server, "GET /api/sessions").replace(b"\r\n\r\n", b"\r\nSCRIPT_NAME: /x\r\n\r\n")
    assert ask(server, start).status == 401


def test_bad_chunk_is_the_clients_fault(server: Server) -> None:
    for login, status in ((LOGIN, 400), ({}, 401)):
        start = head(server, CALL, **JSON, **login, Transfer_Encoding="chunked")
        for chunks in BAD_CHUNKS:
            answer = ask(server, start + chunks)
            assert answer.status == status, chunks[:80]
            assert answer.headers["x-frame-options"] == "DENY", chunks[:80]


def test_chunks_that_break_off_are_the_clients_fault(server: Server) -> None:
    start = head(server, CALL, **JSON, **LOGIN, Transfer_Encoding="chunked")
    for body in (b"", b"1", b"1\r\n{", b"1\r\n{\r\n", b"2\r\n{}\r\n0\r\n"):
        with socket.create_connection(("127.0.0.1", server.port), 30) as client:
            client.sendall(start + body)
            client.shutdown(socket.SHUT_WR)
            assert client.recv(65536).startswith(b"HTTP/1.1 400"), body
