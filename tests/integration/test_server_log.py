"""What a real server says of itself, line by line."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.viewer import Viewer
from tests.server import HTTP, Server, python_agent, running_server, wait_for

TOKEN = "sesame-open-4711"
AGENTS = {"quick": python_agent("print(sys.stdin.read())")}


def lines(server: Server) -> list[dict[str, Any]]:
    """Each line of JSON in the server's log."""
    found = server.output.read_text().splitlines()
    return [json.loads(line) for line in found if line.startswith("{")]


def access(server: Server, path: str) -> list[dict[str, Any]]:
    """The access log's lines of one path."""
    return [line for line in lines(server) if line.get("path") == path]


@pytest.mark.parametrize("worker_class", ["gevent", "gthread"])
def test_each_request_is_a_line_with_its_id_and_session_and_without_secrets(
    folder: Path, worker_class: str
) -> None:
    settings = {"log_format": "json", "access_log": True}
    with running_server(
        folder, AGENTS, worker_class=worker_class, settings=settings, AGENT_STREAM_TOKEN=TOKEN
    ) as server:
        session_id = server.invoke("quick", "tell nobody")
        server.wait_until_ended(session_id)
        headers = server.login | {"X-Request-Id": "mine-1"}
        url = f"{server.url}/api/agent-stream?sessionId={session_id}"
        answer = HTTP.get(url, headers=headers)
        assert answer.headers["X-Request-Id"] == "mine-1"
        refused = HTTP.get(f"{server.url}/api/sessions/{TOKEN}?message=tell+nobody")
        assert refused.status_code == 401

        (stream,) = wait_for(lambda: access(server, "/api/agent-stream"))
        assert (stream["request"], stream["session"]) == ("mine-1", session_id)
        assert (stream["method"], stream["status"]) == ("GET", 200)
        (invoked,) = access(server, "/api/trpc/workflow.invokeAgent")
        assert invoked["session"] == session_id
        (denied,) = [line for line in lines(server) if line.get("status") == 401]
        assert denied["request"] == refused.headers["X-Request-Id"] != "mine-1"
        assert "session" not in denied

        said = server.output.read_text()
        assert TOKEN not in said
        assert "nobody" not in said


def test_what_a_stream_logs_names_its_request(folder: Path) -> None:
    """It does so from a greenlet of its own, after the request."""
    with running_server(folder, AGENTS, settings={"log_format": "json"}) as server:
        session_id = server.invoke("quick")
        server.wait_until_ended(session_id)
        log = server.log_path(session_id)
        log.unlink()
        log.symlink_to("elsewhere")  # is not followed
        with Viewer(server.url, session_id) as viewer:
            request_id = viewer.response.headers["X-Request-Id"]
            with pytest.raises(httpx.RemoteProtocolError):
                list(viewer)
        about = wait_for(lambda: [line for line in lines(server) if line["level"] == "error"])
        assert {line["request"] for line in about} == {request_id}
        assert {line["session"] for line in about} == {session_id}


def test_without_being_asked_for_there_is_no_access_log(folder: Path) -> None:
    with running_server(folder, workers=1) as server:
        assert HTTP.get(f"{server.url}/healthz").status_code == 200
        assert "/healthz" not in server.output.read_text()
