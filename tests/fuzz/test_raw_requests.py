"""Bytes that are nearly HTTP, to a real server: no error of ours, and its event loop goes on."""

import errno
import os
import re
import socket
from collections.abc import Iterator

import pytest
from hypothesis import strategies as st

from tests.fuzz.budget import fuzz, mutated, mutations
from tests.server import HTTP, Server, running_server

TOKEN = "s3cret-token-of-the-fuzz"
MAX_LOOP_SECONDS = 0.1 if "FUZZ_SECONDS" in os.environ else 5.0
"""In `make test` other tests take the processor."""
HUNG_UP = {errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN}
LATER = {501, 503}
"""A transfer coding that nobody knows (RFC 9112, section 6.1); too busy."""

starts = st.sampled_from(
    [
        b"GET / HTTP/1.1",
        b"GET /login?next=/x HTTP/1.1",
        b"POST /login HTTP/1.1",
        b"POST /logout HTTP/1.1",
        b"GET /api/sessions?limit=1 HTTP/1.1",
        b"GET /api/agent-stream?sessionId=session-1-0 HTTP/1.1",
        b"POST /api/sessions/session-1-0/cancel HTTP/1.1",
        b"POST /api/trpc/workflow.create HTTP/1.1",
        b"POST /api/trpc/workflow.create,nothing?batch=1 HTTP/1.1",
        b"GET /static/js/login.js HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"HEAD /healthz HTTP/1.0",
    ]
)
fields = st.sampled_from(
    [
        b"Host: 127.0.0.1",
        b"Host: evil.example",
        b"Authorization: Bearer " + TOKEN.encode(),
        b"Authorization: Bearer wrong",
        b"Content-Type: application/json",
        b"Content-Type: application/x-www-form-urlencoded",
        b"Content-Length: 2",
        b"Content-Length: 99999999",
        b"Transfer-Encoding: chunked",
        b"Transfer-Encoding: gzip, chunked",
        b"Expect: 100-continue",
        b"Connection: keep-alive",
        b"Range: bytes=0-1",
        b"Last-Event-ID: 5",
        b"Cookie: agent-stream-8000=x; agent-stream-8000=y",
        b"Accept: text/html",
        b"Sec-Purpose: prefetch",
        b"X-Forwarded-For: 1.2.3.4",
        b"X-Forwarded-Proto: https",
        b"SCRIPT_NAME: /x",
        b"PATH_INFO: /x",
        b"X-Request-Id: \x1b[2J",
    ]
)
BODIES = {
    "nothing": b"",
    "json": b"{}",
    "form": b"token=x&next=//y",
    "call": b'{"initialMessage":"x"}',
    "chunks": b"2\r\n{}\r\n0\r\n\r\n",
    "chunks with more": b"2;x=y\r\n{}\r\n0\r\nA: b\r\n\r\n",
    "deep": b"[" * 5000,
    "quotes": b'"' * 70_000,
    "lists": b'{"message":[' + b"[]," * 70_000,
}
requests = st.tuples(starts, st.lists(fields, max_size=8), st.sampled_from([*BODIES]))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One whose event loop says when it is held up: gevent.util.

    https://www.gevent.org/monitoring.html
    """
    with running_server(
        tmp_path_factory.mktemp("raw"),
        workers=1,
        AGENT_STREAM_TOKEN=TOKEN,
        AGENT_STREAM_MAX_SENT_BYTES_PER_MINUTE="1000000000",
        AGENT_STREAM_MAX_CHANGES_PER_MINUTE="10000000",
        GEVENT_MONITOR_THREAD_ENABLE="1",
        GEVENT_MAX_BLOCKING_TIME=str(MAX_LOOP_SECONDS),
    ) as started:
        yield started


def ask(server: Server, sent: bytes) -> bytes:
    """All that comes back after nothing more is sent."""
    received = b""
    with socket.create_connection(("127.0.0.1", server.port), 30) as client:
        try:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            while data := client.recv(65536):
                received += data
        except OSError as error:
            if error.errno not in HUNG_UP:
                raise
    return received


def test_nearly_http_is_never_our_fault_and_takes_no_time(server: Server) -> None:
    def check(
        request: tuple[bytes, list[bytes], str], changes: list[tuple[int, int, bytes]]
    ) -> None:
        start, given, body = request
        sent = b"\r\n".join([start, *given, b"", BODIES[body]])
        received = ask(server, mutated(sent, changes))
        for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", received):
            assert int(status) < 500 or int(status) in LATER, received

    before = server.worker_pids()
    fuzz(check, requests, mutations | st.just([]))
    assert HTTP.get(f"{server.url}/healthz").status_code == 200
    assert server.worker_pids() == before
    said = server.output.read_text(errors="replace")
    assert "Traceback" not in said
    assert "appears to be blocked" not in said
