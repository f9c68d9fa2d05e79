"""`GET /api/sessions/<id>/log`: the file, parts of it, and the agent's own bytes."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.http.client import Client, plain_error
from tests.server import HTTP, Server, python_agent, running_server, wait_for
from webapp.http.byte_range import byte_range


@pytest.fixture(scope="module")
def finished(client: Client) -> str:
    """A session that has ended."""
    return client.finished()


def log_of(client: Client, session_id: str) -> bytes:
    """The file."""
    return client.machine.log(client.machine.find(session_id))


# --- the file -------------------------------------------------------------------------


def test_log_is_the_file_itself(client: Client, finished: str) -> None:
    response = client.download(finished)
    content = log_of(client, finished)
    assert response.data == content
    assert response.mimetype == "text/plain"
    assert response.content_length == len(content)
    assert f"{finished}.log" in response.headers["Content-Disposition"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    ("range_", "start", "stop"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=5-", 5, None),
        ("bytes=-7", -7, None),
        ("bytes=3-3", 3, 4),
        ("bytes=-999999", 0, None),
        ("bytes=2-999999", 2, None),
    ],
)
def test_part_of_the_log_can_be_asked_for(
    client: Client, finished: str, range_: str, start: int, stop: int | None
) -> None:
    content = log_of(client, finished)
    response = client.download(finished, Range=range_)
    assert response.status_code == 206
    assert response.data == content[start:stop]
    assert response.content_length == len(response.data)
    first = start % len(content)
    last = first + len(response.data) - 1
    assert response.headers["Content-Range"] == f"bytes {first}-{last}/{len(content)}"


@pytest.mark.parametrize("range_", ["bytes=999999-", "bytes=999999-1000000", "bytes=-0"])
def test_part_that_the_log_does_not_have_is_refused(
    client: Client, finished: str, range_: str
) -> None:
    response = client.download(finished, Range=range_)
    assert response.status_code == 416
    assert response.headers["Content-Range"] == f"bytes */{len(log_of(client, finished))}"


@pytest.mark.parametrize(
    "range_",
    ["", "x", "bytes", "bytes=", "bytes=-", "bytes=x-", "bytes=5-2", "bytes=0-1,3-4", "lines=1-2"],
)
def test_range_that_says_nothing_is_left_unheard(
    client: Client, finished: str, range_: str
) -> None:
    response = client.download(finished, Range=range_)
    assert (response.status_code, response.data) == (200, log_of(client, finished))


def test_empty_file_has_no_part_but_is_a_whole() -> None:
    assert byte_range(None, 0, None, None) is None
    with pytest.raises(Exception, match="range"):
        byte_range("bytes=0-", 0, None, None)


def test_head_says_the_size_and_sends_nothing(client: Client, finished: str) -> None:
    response = client.head(f"/api/sessions/{finished}/log", Range="bytes=0-1")
    assert (response.status_code, response.data) == (200, b"")
    assert response.content_length == len(log_of(client, finished))


# --- the copy that a client has -------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?stream=stdout"])
def test_copy_of_a_finished_log_can_be_used_again(
    client: Client, finished: str, query: str
) -> None:
    url = f"/api/sessions/{finished}/log{query}"
    response = client.get(url)
    etag = response.headers["ETag"]
    assert etag.startswith('"')
    assert response.headers["Cache-Control"] == "private, no-cache"
    again = client.get(url, If_None_Match=etag)
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == etag
    assert client.get(url, If_None_Match=etag, Range="bytes=0-1").status_code == 304
    assert client.get(url, If_None_Match='"other"').status_code == 200
    assert client.get(url, If_Match='"other"').status_code == 412


def test_each_stream_and_the_file_have_tags_of_their_own(client: Client, finished: str) -> None:
    url = f"/api/sessions/{finished}/log"
    queries = ("", "?stream=stdout", "?stream=stderr")
    assert len({client.get(url + query).headers["ETag"] for query in queries}) == 3


def test_tag_changes_with_the_file(client: Client) -> None:
    session_id = client.finished()
    log = client.machine.files(client.machine.find(session_id)).log
    before = client.download(session_id).headers["ETag"]
    content = log.read_bytes()
    log.write_bytes(content.replace(b"succeeded", b"succeedeD"))
    assert client.download(session_id).headers["ETag"] != before


def test_part_is_only_of_the_copy_that_the_client_has(client: Client, finished: str) -> None:
    content = log_of(client, finished)
    etag = client.download(finished).headers["ETag"]
    same = client.download(finished, Range="bytes=0-9", If_Range=etag)
    assert (same.status_code, same.data) == (206, content[:10])
    for other in ('"other"', f"W/{etag}", "Wed, 21 Oct 2015 07:28:00 GMT"):
        response = client.download(finished, Range="bytes=0-9", If_Range=other)
        assert (response.status_code, response.data) == (200, content)


def test_log_of_a_live_session_is_what_there_is_and_nobody_may_keep_it(client: Client) -> None:
    session_id = client.invoke("echo up; sleep 600")
    client.machine.wait_for_output(client.machine.find(session_id), b"up\n")
    response = client.download(session_id)
    assert b" stdout F up\n" in response.data
    assert "ETag" not in response.headers
    assert response.headers["Cache-Control"] == "no-store"
    assert client.download(session_id, Range="bytes=0-3").data == response.data[:4]
    stream = client.get(f"/api/sessions/{session_id}/log?stream=stdout")
    assert (stream.data, stream.headers.get("ETag")) == (b"up\n", None)


# --- a stream's own bytes -------------------------------------------------------------


def test_stream_is_exactly_what_the_agent_printed(client: Client) -> None:
    script = r"""printf 'one\ntwo \377\000\r\n{"type":"x"}\nno newline'; printf 'err\n' >&2"""
    session_id = client.invoke(script)
    client.machine.wait_until_gone(client.machine.find(session_id))
    url = f"/api/sessions/{session_id}/log?stream="
    out = client.get(f"{url}stdout")
    assert out.data == b'one\ntwo \xff\x00\r\n{"type":"x"}\nno newline'
    assert out.mimetype == "text/plain"
    assert out.headers["Accept-Ranges"] == "none"
    assert f"{session_id}.stdout.txt" in out.headers["Content-Disposition"]
    assert client.get(f"{url}stderr").data == b"err\n"
    assert client.get(f"{url}stdout", Range="bytes=0-1").data == out.data


@pytest.mark.parametrize("stream", ["", "stdin", "system", "STDOUT", "stdout,stderr"])
def test_unknown_stream_is_refused_with_those_available(
    client: Client, finished: str, stream: str
) -> None:
    response = client.get(f"/api/sessions/{finished}/log?stream={stream}")
    assert plain_error(response) == (400, "BAD_REQUEST", "stream")
    assert "stdout or stderr" in response.get_json()["error"]["message"]


# --- what goes wrong ------------------------------------------------------------------


def test_log_that_is_gone_is_not_found(client: Client) -> None:
    session_id = client.finished()
    client.machine.files(client.machine.find(session_id)).log.unlink()
    response = client.get(f"/api/sessions/{session_id}/log")
    assert plain_error(response) == (404, "NOT_FOUND", "sessionId")


def test_symbolic_link_instead_of_the_log_is_not_followed(client: Client) -> None:
    session_id = client.finished()
    log = client.machine.files(client.machine.find(session_id)).log
    log.unlink()
    log.symlink_to("/etc/passwd")
    for query in ("", "?stream=stdout"):
        response = client.get(f"/api/sessions/{session_id}/log{query}")
        assert response.status_code >= 400
        assert b"root:" not in response.data


def test_answers_that_nobody_reads_leave_no_file_open(client: Client, finished: str) -> None:
    url = f"/api/sessions/{finished}/log"
    etag = client.download(finished).headers["ETag"]
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        client.head(url).close()
        client.get(url, Range="bytes=999999-").close()
        client.get(url, If_None_Match=etag).close()
        client.get(f"{url}?stream=stdout").close()
        client.get(url).close()
    assert len(os.listdir("/proc/self/fd")) <= before


# --- through a server's sockets ---------------------------------------------------------


@pytest.fixture(scope="module", params=["gevent", "gthread"])
def one_worker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server of each kind that waits little for its viewers."""
    folder = tmp_path_factory.mktemp("log")
    with running_server(
        folder,
        {"quick": python_agent("print('x')")},
        workers=1,
        worker_class=request.param,
        settings={"send_timeout_seconds": 1.0},
    ) as server:
        yield server


@pytest.fixture(scope="module")
def ended(one_worker: Server) -> tuple[str, Path, bytes]:
    """A session's id, its log, and more than any buffer holds to write there."""
    session_id = one_worker.invoke("quick")
    one_worker.wait_until_ended(session_id)
    log = one_worker.log_path(session_id)
    record = b"2026-11-23T21:04:00.123456789Z stdout F " + b"x" * 9_000 + b"\n"
    return session_id, log, record * 3_000 + log.read_bytes()


@pytest.fixture
def big(ended: tuple[str, Path, bytes]) -> tuple[str, Path]:
    """A finished session's id, and its log, which is whole at the start of each test."""
    session_id, log, content = ended
    log.write_bytes(content)
    return session_id, log


def test_big_log_arrives_whole_and_its_connection_goes_on(
    one_worker: Server, big: tuple[str, Path]
) -> None:
    session_id, log = big
    content = log.read_bytes()
    url = f"{one_worker.url}/api/sessions/{session_id}/log"
    with httpx.Client(verify=False, timeout=60) as client:
        assert client.get(url).content == content
        part = client.get(url, headers={"Range": "bytes=1000000-9000000"})
        assert (part.status_code, part.content) == (206, content[1_000_000:9_000_001])
        assert client.head(url).headers["Content-Length"] == str(len(content))
        assert client.get(f"{url}?stream=stderr").status_code == 200
        assert client.get(f"{one_worker.url}/healthz").status_code == 200


def request_log(server: Server, session_id: str) -> socket.socket:
    """A connection that has asked for a log and read nothing yet."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", server.port))
    head = f"GET /api/sessions/{session_id}/log HTTP/1.1\r\nHost: localhost\r\n\r\n"
    connection.sendall(head.encode())
    return connection


def open_logs(server: Server, log: Path) -> int:
    """How many descriptors of a log the workers have open."""
    found = 0
    for pid in server.worker_pids():
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                found += os.readlink(link) == str(log)
            except OSError:
                continue
    return found


def test_viewer_that_never_reads_is_dropped_and_others_are_unharmed(
    one_worker: Server, big: tuple[str, Path]
) -> None:
    session_id, log = big
    with request_log(one_worker, session_id):
        wait_for(lambda: open_logs(one_worker, log) == 1)
        assert HTTP.get(f"{one_worker.url}/healthz").status_code == 200
        wait_for(lambda: open_logs(one_worker, log) == 0)


def test_log_that_is_cut_while_it_is_sent_ends_the_connection(
    one_worker: Server, big: tuple[str, Path]
) -> None:
    session_id, log = big
    size = log.stat().st_size
    with request_log(one_worker, session_id) as connection:
        got = len(connection.recv(1024))
        os.truncate(log, 100)
        while piece := connection.recv(1 << 16):
            got += len(piece)
    assert got < size
    wait_for(lambda: open_logs(one_worker, log) == 0)
    assert HTTP.get(f"{one_worker.url}/healthz").status_code == 200
