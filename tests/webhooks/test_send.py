"""One request to a webhook: where it goes, and how long it may take."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.webhooks.receiver import Receiver, receiver
from webapp.webhooks.message import Message
from webapp.webhooks.send import NotSent, Refused, is_public, send

MESSAGE = Message({"Content-Type": "text/plain", "webhook-id": "msg_1"}, b"hello")


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


def test_message_arrives_whole(there: Receiver) -> None:
    send(f"{there.url}?topic=a", MESSAGE, allow_private=True)
    (request,) = there.received
    assert (request.path, request.body) == ("/hook?topic=a", b"hello")
    assert request.headers["host"] == f"127.0.0.1:{there.port}"
    assert request.headers["webhook-id"] == "msg_1"


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 410, 429, 500, 503])
def test_anything_but_success_is_a_failure(there: Receiver, status: int) -> None:
    there.answer = lambda request: status
    there.location = there.url
    with pytest.raises(NotSent, match=str(status)):
        send(there.url, MESSAGE, allow_private=True)
    assert len(there.received) == 1  # no redirect is followed


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433"])
def test_this_machine_is_refused_unless_it_is_allowed(there: Receiver, host: str) -> None:
    with pytest.raises(NotSent, match=r"no public address|cannot be looked up"):
        send(f"http://{host}:{there.port}/", MESSAGE, allow_private=False)
    assert there.received == []


def test_refusal_is_of_its_own_kind() -> None:
    with pytest.raises(Refused, match="allow_private = true"):
        send("http://127.0.0.1:1/", MESSAGE, allow_private=False)


@pytest.mark.parametrize(
    ("address", "is_good"),
    [
        ("1.1.1.1", True),
        ("2606:4700:4700::1111", True),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),  # the metadata of cloud machines
        ("100.64.0.1", False),
        ("127.1.2.3", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:1.1.1.1", True),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::", False),
        ("ff02::1", False),
    ],
)
def test_public_addresses(address: str, is_good: bool) -> None:
    assert is_public(address) is is_good


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does something else than HTTP with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            try:
                connection, _address = listening.accept()
                with connection:
                    answer(connection)
            except OSError:
                return

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


def _drip(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-A: b\r\n")
        time.sleep(0.05)


@pytest.mark.parametrize(
    "answer",
    [lambda connection: time.sleep(60), _drip, lambda connection: connection.recv(1)],
    ids=["never", "header by header", "closes"],
)
def test_receiver_that_does_not_answer_costs_a_limited_time(
    answer: Callable[[socket.socket], None],
) -> None:
    began_at = time.monotonic()
    with answering(answer) as url, pytest.raises(NotSent):
        send(url, MESSAGE, allow_private=True, max_seconds=1)
    assert time.monotonic() - began_at < 10


@pytest.mark.parametrize("content", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_answer_that_is_no_http_is_a_failure(content: bytes) -> None:
    def say(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(content)

    with answering(say) as url, pytest.raises(NotSent):
        send(url, MESSAGE, allow_private=True)


def test_name_that_there_is_not_is_a_failure() -> None:
    with pytest.raises(NotSent, match=r"nowhere\.invalid cannot be looked up"):
        send("https://nowhere.invalid/", MESSAGE, allow_private=False)
