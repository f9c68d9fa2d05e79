"""Behind a real nginx: streams at once, nothing lost, logs sent by nginx itself."""

import os
import signal
from collections.abc import Iterator

import httpx
import pytest

from tests.clients.event_source import events_of
from tests.nginx import LOGS, Proxy, running_nginx
from tests.server import Server, python_agent, running_server, wait_for

TOKEN = "behind-nginx-4711"
LINES = 400
AGENTS = {
    "lines": python_agent(f"for n in range({LINES}): print(n); time.sleep(0.005)"),
    "asks": python_agent("print('before'); sys.stdin.readline(); print('after')", input=True),
    "quick": python_agent("print('x' * 5000)"),
    "waits": python_agent("print('up'); time.sleep(600)"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server as the README puts it behind nginx."""
    settings = {
        "proxies": 1,
        "x_accel_redirect": LOGS,
        "allowed_hosts": ["localhost"],
        "ping_seconds": 600,
    }
    folder = tmp_path_factory.mktemp("server")
    with running_server(folder, AGENTS, settings=settings, AGENT_STREAM_TOKEN=TOKEN) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """nginx in front of it."""
    with running_nginx(server, tmp_path_factory.mktemp("nginx") / "it") as running:
        running.client.headers["Authorization"] = f"Bearer {TOKEN}"
        yield running


def test_each_event_comes_through_as_it_is_printed(server: Server, proxy: Proxy) -> None:
    session_id = server.invoke("asks")
    url = f"{proxy.url}/api/agent-stream?sessionId={session_id}"
    with proxy.client.stream("GET", url) as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        body, is_answered = b"", False
        for piece in response.iter_bytes():
            body += piece
            if b'"before"' in body and not is_answered:
                is_answered = True
                value = {"sessionId": session_id, "content": "go\n"}
                server.call("session.sendInput", value).raise_for_status()
    assert [event.type for event in events_of(body)][-1] == "done"
    assert b'"after"' in body


def test_viewer_who_leaves_a_silent_stream_behind_tls_is_noticed_without_a_ping(
    server: Server,
) -> None:
    def open_streams() -> float:
        metrics = httpx.get(f"{server.url}/metrics", headers=server.login).raise_for_status().text
        return float(metrics.partition('streams_open{kind="session"} ')[2].split()[0])

    url = f"{server.url}/api/agent-stream?sessionId={server.invoke('waits')}"
    headers = server.login | {"X-Forwarded-Proto": "https"}
    with httpx.stream("GET", url, headers=headers) as response:
        pieces = response.iter_bytes()  # closes the connection when it is let go of
        assert next(pieces)
        wait_for(open_streams)
    wait_for(lambda: open_streams() == 0)


def test_worker_that_is_killed_behind_it_loses_nothing(server: Server, proxy: Proxy) -> None:
    session_id = server.invoke("lines")
    url = f"{proxy.url}/api/agent-stream?sessionId={session_id}"
    seen: list[tuple[str | None, str]] = []
    breaks = 0
    while not seen or seen[-1][1] != "done":
        last_id = seen[-1][0] if seen else None
        headers = {} if last_id is None else {"Last-Event-ID": last_id}
        body = b""
        try:
            with proxy.client.stream("GET", url, headers=headers) as response:
                assert response.status_code == 200
                for piece in response.iter_bytes():
                    body += piece
                    if breaks < 3 and body.count(b"\n\n") > 60 * (breaks == 0) + 20:
                        breaks += 1
                        os.kill(int(response.headers["X-Worker-Pid"]), signal.SIGKILL)
        except httpx.TransportError:
            pass
        whole = body[: body.rfind(b"\n\n") + 2]
        seen += [
            (
                event.last_event_id,
                event.type if event.type != "message" else event.json()["content"],
            )
            for event in events_of(whole)
            if event.type != "ping"
        ]
    assert breaks == 3
    assert [text for _id, text in seen] == ["session", *map(str, range(LINES)), "done"]


def log_of(server: Server, session_id: str) -> bytes:
    return server.log_path(session_id).read_bytes()


def test_log_of_an_ended_session_is_sent_by_nginx_with_ranges_and_its_tag(
    server: Server, proxy: Proxy
) -> None:
    session_id = server.invoke("quick")
    server.wait_until_ended(session_id)
    content = log_of(server, session_id)
    url = f"{proxy.url}/api/sessions/{session_id}/log"
    whole = proxy.client.get(url)
    assert (whole.status_code, whole.content) == (200, content)
    assert whole.headers["Content-Type"].startswith("text/plain")
    assert f"{session_id}.log" in whole.headers["Content-Disposition"]
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Accel-Redirect" not in whole.headers

    etag = whole.headers["ETag"]
    part = proxy.client.get(url, headers={"Range": "bytes=10-19", "If-Range": etag})
    assert (part.status_code, part.content) == (206, content[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(content)}"
    assert proxy.client.get(url, headers={"If-None-Match": etag}).status_code == 304
    assert proxy.client.get(url, headers={"If-Match": etag}).status_code == 200
    assert proxy.client.get(url, headers={"Range": "bytes=9999999-"}).status_code == 416
    head = proxy.client.head(url)
    assert (head.headers["Content-Length"], head.content) == (str(len(content)), b"")


def test_server_sends_no_log_that_nginx_can_send(server: Server) -> None:
    session_id = server.invoke("quick")
    server.wait_until_ended(session_id)
    url = f"{server.url}/api/sessions/{session_id}/log"
    answer = httpx.get(url, headers=server.login)
    path = server.log_path(session_id).relative_to(server.var)
    assert (answer.headers["X-Accel-Redirect"], answer.content) == (f"{LOGS}/{path}", b"")
    stream = httpx.get(f"{url}?stream=stdout", headers=server.login)
    assert stream.content == b"x" * 5000 + b"\n"


def test_log_of_a_live_session_is_what_there_is(server: Server, proxy: Proxy) -> None:
    session_id = server.invoke("waits")
    wait_for(lambda: b" stdout F up\n" in log_of(server, session_id))
    answer = proxy.client.get(f"{proxy.url}/api/sessions/{session_id}/log")
    assert b" stdout F up\n" in answer.content
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", [f"{LOGS}/agent-stream.db", f"{LOGS}/"])
def test_nobody_gets_a_file_of_the_server_by_its_own_name(proxy: Proxy, path: str) -> None:
    answer = proxy.client.get(proxy.url + path)
    assert answer.status_code == 404
    assert b"SQLite" not in answer.content


def test_who_has_no_token_gets_nothing(server: Server, proxy: Proxy) -> None:
    session_id = server.invoke("quick")
    for path in (f"/api/sessions/{session_id}/log", "/metrics", "/api/sessions"):
        answer = proxy.client.get(proxy.url + path, headers={"Authorization": ""})
        assert answer.status_code == 401


def test_request_has_the_id_that_nginx_gave_it(proxy: Proxy) -> None:
    answer = proxy.client.get(f"{proxy.url}/healthz", headers={"X-Request-Id": "forged"})
    assert len(answer.headers["X-Request-Id"]) == 32
