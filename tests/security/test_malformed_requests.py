"""What is no HTTP, or bad HTTP: an error with the headers of every other, and no traceback."""

import socket
from collections.abc import Iterator

import pytest

from tests.security.raw import ask, head
from tests.server import HTTP, Server, running_server
from webapp.connections.security_headers import SECURITY_HEADERS

TOKEN = "s3cret-token-of-this-test"


@pytest.fixture(scope="module", params=["gevent", "gthread"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp(request.param)
    with running_server(
        folder, workers=1, worker_class=request.param, AGENT_STREAM_TOKEN=TOKEN
    ) as started:
        yield started


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


@pytest.fixture(autouse=True)
def nothing_was_our_fault(server: Server) -> Iterator[None]:
    before = len(server.output.read_text())
    yield
    assert HTTP.get(f"{server.url}/healthz").status_code == 200
    said = server.output.read_text()[before:]
    assert "Traceback" not in said
    assert "[ERROR]" not in said


@pytest.mark.parametrize(("sent", "status"), GARBAGE.items(), ids=lambda value: repr(value)[:40])
def test_garbage_is_refused_with_the_headers_of_every_page(
    server: Server, sent: bytes, status: int
) -> None:
    answer = ask(server, sent)
    assert answer.status == status
    assert answer.headers["connection"] == "close"
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name.lower()] == value


def test_client_of_this_machine_does_not_say_where_the_application_is(server: Server) -> None:
    start = head(server, "GET /api/sessions").replace(b"\r\n\r\n", b"\r\nSCRIPT_NAME: /x\r\n\r\n")
    assert ask(server, start).status == 401


@pytest.mark.parametrize("chunks", BAD_CHUNKS, ids=lambda chunks: repr(chunks)[:40])
@pytest.mark.parametrize("login", [{"Authorization": f"Bearer {TOKEN}"}, {}], ids=["in", "out"])
def test_bad_chunk_is_the_clients_fault(
    server: Server, chunks: bytes, login: dict[str, str]
) -> None:
    headers = {"Content_Type": "application/json", "Transfer_Encoding": "chunked"} | login
    answer = ask(server, head(server, "POST /api/trpc/workflow.create", **headers) + chunks)
    assert answer.status == (400 if login else 401)
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("body", [b"", b"1", b"1\r\n{", b"1\r\n{\r\n", b"2\r\n{}\r\n0\r\n"])
def test_chunks_that_break_off_are_the_clients_fault(server: Server, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content_Type": "application/json"}
    start = head(server, "POST /api/trpc/workflow.create", **headers, Transfer_Encoding="chunked")
    with socket.create_connection(("127.0.0.1", server.port), 30) as client:
        client.sendall(start + body)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(65536).startswith(b"HTTP/1.1 400")
