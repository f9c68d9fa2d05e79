"""What clients without the token cost: nothing of a body, little time, a bounded number."""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.security.raw import (
    TOKEN,
    Answer,
    ask,
    connect,
    connect_many,
    drip,
    head,
    held_by,
    read_to_end,
)
from tests.server import HTTP, Server, running_server, wait_for
from webapp.connections.client_socket import GRACE_SECONDS
from webapp.connections.waiting_room import MOST_OF_AN_ADDRESS
from webapp.http.security import MAX_CALL_BYTES

BIG = 8 << 20
SOON_SECONDS = GRACE_SECONDS / 2
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
JSON = {"Content_Type": "application/json"}
LOGIN = {"Authorization": f"Bearer {TOKEN}"}
CALL = "POST /api/trpc/workflow.create"


@pytest.fixture(name="server")
def _server(guarded_server: Server) -> Server:
    return guarded_server


# --- bodies ---------------------------------------------------------------------------


REFUSED_BODIES = [
    ("POST /login", FORM | {"Content_Length": str(BIG)}, 413),
    ("POST /login", FORM | {"Content_Length": "4097"}, 413),
    ("POST /login", FORM | {"Transfer_Encoding": "chunked"}, 411),
    ("POST /logout", FORM | {"Transfer_Encoding": "chunked"}, 411),
    ("POST /login", {"Content_Type": "multipart/form-data", "Content_Length": "99"}, 415),
    (CALL, JSON | {"Content_Length": str(BIG)}, 401),
    (CALL, JSON | {"Content_Length": "2"}, 401),
    (CALL, JSON | {"Transfer_Encoding": "chunked"}, 401),
    ("GET /api/sessions", JSON | {"Content_Length": "2"}, 401),
    ("GET /healthz", JSON | {"Content_Length": str(BIG)}, 413),
    (CALL, JSON | LOGIN | {"Content_Length": str(MAX_CALL_BYTES + 1)}, 413),
    ("POST /api/sessions/x/cancel", JSON | LOGIN | {"Content_Length": "4097"}, 413),
]


def test_body_is_refused_before_it_is_read(server: Server) -> None:
    for start, headers, status in REFUSED_BODIES:
        answer = ask(server, head(server, start, **headers))  # the body never comes
        assert answer.status == status, (start, headers)
        assert answer.headers["connection"] == "close", (start, headers)
        assert answer.seconds < SOON_SECONDS, (start, headers)


def test_big_form_is_refused_from_an_address_that_has_to_wait_too(folder: Path) -> None:
    with running_server(
        folder, workers=1, AGENT_STREAM_TOKEN=TOKEN, AGENT_STREAM_PROXIES="1"
    ) as server:
        other = {"X-Forwarded-For": "192.0.2.7"}
        wrong, url = other | {"Authorization": "Bearer wrong"}, f"{server.url}/api/sessions"
        wait_for(lambda: HTTP.get(url, headers=wrong).status_code == 429)
        form = FORM | other | {"Content_Length": str(BIG)}
        answer = ask(server, head(server, "POST /login", **form))
        assert (answer.status, answer.headers["connection"]) == (413, "close")


def test_refused_body_is_not_read_to_its_end(server: Server) -> None:
    with connect(server) as client:
        client.sendall(head(server, "POST /login", **FORM, Content_Length=str(1 << 30)))
        sent = 0
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            while sent < 1 << 30:
                sent += client.send(bytes(1 << 20))
    assert sent < 64 << 20  # what the kernel took meanwhile


def test_answer_to_a_body_that_was_sent_arrives(server: Server) -> None:
    sent = head(server, "POST /login", **FORM, Content_Length="20000") + b"x" * 20000
    assert ask(server, sent).status == 413


def test_connection_is_kept_for_known_clients_alone(server: Server) -> None:
    known = head(server, "GET /api/sessions", **LOGIN)
    unknown = head(server, "GET /healthz")
    with connect(server) as client:
        client.sendall(known * 2 + unknown.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert read_to_end(client).count(b"HTTP/1.1 200") == 3
    with connect(server) as client:
        client.sendall(unknown * 3)
        assert read_to_end(client).count(b"HTTP/1.1 200") == 1


# --- time -----------------------------------------------------------------------------


def slow_requests(server: Server) -> list[list[bytes]]:
    """A byte a second, as long as anybody listens."""
    form = head(server, "POST /login", **FORM, Content_Length="4000")
    call = head(server, CALL, **JSON, **LOGIN, Content_Length="4000")
    chunks = head(server, CALL, **JSON, **LOGIN, Transfer_Encoding="chunked")
    seconds = 4 * GRACE_SECONDS
    return [
        [b"G", *[b"x"] * seconds],
        [head(server, "GET /healthz")[:-2], *[b"x: y\r\n"] * seconds],
        [form, *[b"x"] * seconds],
        [form, *[b""] * seconds],
        [call, *[b" "] * seconds],
        [chunks, *[b"1\r\n \r\n"] * seconds],
    ]


def upload(server: Server) -> Answer:
    """A long message of a known client whose line is slow."""
    pieces, size = 14, 30_000
    body = b'{"initialMessage":"%b"}' % (b"x" * (pieces * size))
    request = head(server, CALL, **JSON, **LOGIN, Content_Length=str(len(body))).replace(
        b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"
    )
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return drip(server, [request, *parts], 1)


def test_slow_requests_are_dropped_and_slow_lines_are_not(server: Server) -> None:
    requests = slow_requests(server)
    with ThreadPoolExecutor(len(requests) + 1) as threads:
        uploaded = threads.submit(upload, server)
        answers = list(threads.map(lambda parts: drip(server, parts, 1), requests))
    for answer in answers:
        assert answer.status in (0, 400), answer
        assert GRACE_SECONDS - 1 < answer.seconds < 2 * GRACE_SECONDS, answer
    assert uploaded.result().status == 200
    assert uploaded.result().seconds > GRACE_SECONDS


# --- number ---------------------------------------------------------------------------


HALF = b"GET / HTTP/1.1\r\nHost: "


@pytest.mark.parametrize("sent", ["head", "body"])
def test_waiting_connections_of_an_address_are_bounded(server: Server, sent: str) -> None:
    form = head(server, "POST /login", **FORM, Content_Length="4000")
    stream = f"{server.url}/api/agent-stream?sessionId={quiet_session(server)}"
    with (
        httpx.Client(headers=LOGIN, timeout=30) as viewer,
        viewer.stream("GET", stream) as watched,
        connect_many(server, 3 * MOST_OF_AN_ADDRESS, HALF if sent == "head" else form) as clients,
    ):
        wait_for(lambda: held_by(server, clients) <= MOST_OF_AN_ADDRESS, SOON_SECONDS)
        began = time.monotonic()
        assert HTTP.get(f"{server.url}/api/sessions", headers=LOGIN).status_code == 200
        assert time.monotonic() - began < SOON_SECONDS
        assert next(watched.iter_lines())  # whoever watches does not count


def quiet_session(server: Server) -> str:
    """A session that has ended."""
    session_id = server.invoke("demo", "count 1 0")
    server.wait_until_ended(session_id)
    return session_id


def test_waiting_connections_of_a_proxy_are_bounded_in_all(folder: Path) -> None:
    few_files = ["prlimit", "--nofile=480:480"]
    with (
        running_server(folder, workers=1, within=few_files, AGENT_STREAM_PROXIES="1") as server,
        connect_many(server, 100, HALF) as clients,
    ):
        time.sleep(1)
        assert held_by(server, clients) == 100
        with connect_many(server, 200, HALF) as more:
            wait_for(lambda: held_by(server, clients) == 0, SOON_SECONDS)  # the oldest had to go
            wait_for(lambda: held_by(server, more) == 120, SOON_SECONDS)
            assert HTTP.get(f"{server.url}/healthz").status_code == 200


def test_slow_clients_leave_threads_to_others(folder: Path) -> None:
    with (
        running_server(
            folder, workers=1, worker_class="gthread", AGENT_STREAM_THREADS="8"
        ) as server,
        connect_many(server, 40, HALF),
    ):
        for _ in range(10):
            began = time.monotonic()
            assert HTTP.get(f"{server.url}/api/sessions").status_code == 200
            assert time.monotonic() - began < SOON_SECONDS
