"""The viewers of the benchmarks must see what is wrong, or their figures mean nothing."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.bench.viewers import drain, exact_viewers, live_viewers

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")

HEAD = (
    b"HTTP/1.1 200 OK\r\nX-Worker-Pid: 4711\r\nContent-Type: text/event-stream\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
END = b"0\r\n\r\n"


def chunk(body: str) -> bytes:
    """One chunk of a body."""
    return b"%x\r\n%s\r\n" % (len(body.encode()), body.encode())


def line(number: int, event: str = "line") -> str:
    """A numbered event, its id the same number."""
    return f'id: {number}\nevent: {event}\ndata: {{"type":"line","n":{number}}}\n\n'


@contextmanager
def answering(*answers: list[bytes]) -> Iterator[tuple[int, list[str]]]:
    """A server that gives each connection the next answer, piece by piece, and hangs up.

    Its port, and the requests that it got.
    """
    requests: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for pieces in answers:
                connection, _ = listener.accept()
                with connection:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    requests.append(connection.recv(4096).decode())
                    for piece in pieces:
                        connection.sendall(piece)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1], requests
        thread.join()


def bytewise(content: bytes) -> list[bytes]:
    """The same in pieces of one byte."""
    return [content[i : i + 1] for i in range(len(content))]


def test_response_is_understood_however_it_is_split() -> None:
    body = "".join(map(line, range(1, 6)))
    halves = chunk(body[:70]) + chunk(body[70:]) + END
    for pieces in ([HEAD + halves], bytewise(HEAD + halves)):
        with answering(pieces) as (port, _requests):
            report = drain(port, "/")
        assert (report.events, report.bytes) == (5, len(HEAD + halves))
        assert report.workers == {"4711": 1}


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"zz\r\n", id="no size"),
        pytest.param(b"5\r\nabcdefgh\r\n", id="size too small"),
        pytest.param(chunk("data: 1\n\n") + b"data: 2\n\n", id="no chunk at all"),
        pytest.param(END + b"x", id="bytes after the end"),
    ],
)
def test_broken_chunks_are_no_figure(broken: bytes) -> None:
    with answering([HEAD + broken]) as (port, _requests), pytest.raises(AssertionError):
        drain(port, "/")


def test_response_that_breaks_off_is_no_figure() -> None:
    cut = HEAD + chunk(line(1))
    with answering([cut]) as (port, _requests), pytest.raises(AssertionError):
        drain(port, "/")


def test_exact_viewer_comes_back_after_its_last_whole_event() -> None:
    first = HEAD + chunk(line(1) + line(2) + "id: 3\nevent: line\n")
    second = HEAD + chunk(line(3) + line(4, event="done"))
    with (
        answering([first], [second]) as (port, requests),
        exact_viewers(port, 1, 3, "/stream") as viewers,
    ):
        report = viewers.report(20)
    assert (report.missing, report.twice, report.done, report.breaks) == (0, 0, 1, 1)
    assert "Last-Event-ID" not in requests[0]
    assert "Last-Event-ID: 2\r\n" in requests[1]


def test_exact_viewer_counts_what_is_missing_and_what_came_twice() -> None:
    numbers = [1, 2, 2, 5, 6]
    body = "".join(map(line, numbers)) + line(7, event="done")
    with (
        answering([HEAD + chunk(body)]) as (port, _requests),
        exact_viewers(port, 1, 8, "/") as viewers,
    ):
        report = viewers.report(20)
    assert (report.missing, report.twice, report.done) == (2 + 2, 1, 1)


def test_latency_counts_only_what_was_made_while_measuring() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=_tick_around_a_measurement, args=(listener,))
        thread.start()
        with live_viewers(port, 1, ["/"]) as live:
            report = live.measure(0.3)
        thread.join()
    assert report.latencies >= 1
    assert 0 < report.p50_ms <= report.p99_ms <= report.max_ms
    assert report.max_ms < 3_000_000  # the hour-old event that came first is not among them


def _tick_around_a_measurement(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(HEAD + chunk(line(time.time_ns() - 3600 * 10**9)))
        try:
            while True:
                connection.sendall(chunk(line(time.time_ns())))
                time.sleep(0.01)
        except OSError:
            return  # the viewer has gone
