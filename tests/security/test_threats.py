"""The threats, one by one, against a real server."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.cli.command import refused, run
from tests.clients.viewer import watch
from tests.faults.surroundings import folders, needs_root, row, row_count
from tests.http.conftest import MakeClient
from tests.server import HTTP, Server, python_agent, running_server, wait_for
from webapp.agents.profiles import BUILT_IN

MOST, MOST_PER_WORKFLOW = 6, 4
AGENTS = {
    "arguments": {
        "command": [
            sys.executable,
            "-I",
            "-S",
            "-c",
            "import sys; print(repr(sys.argv[1:]))",
            "--message={message}",
        ]
    },
    "stdin": python_agent("print(repr(sys.stdin.read()))"),
    "forever": python_agent("print('up')\nwhile True: time.sleep(0.05)"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Four workers with little room."""
    settings = {
        "max_sessions": MOST,
        "max_sessions_per_workflow": MOST_PER_WORKFLOW,
        "grace_seconds": 1,
    }
    folder = tmp_path_factory.mktemp("threats")
    with running_server(folder, AGENTS, workers=4, settings=settings) as started:
        yield started


def printed(server: Server, session_id: str) -> str:
    """What the agent said."""
    server.wait_until_ended(session_id)
    events = watch(server.url, session_id)
    return "\n".join(e.json()["content"] for e in events if e.type == "message")


# --- who may listen, who may ask ------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_listening_beyond_loopback_without_a_token_is_refused(folder: Path, host: str) -> None:
    assert "AGENT_STREAM_TOKEN" in refused(run(folder, "serve", "--host", host))
    command = [sys.executable, "-m", "gunicorn", "-c", "python:webapp.gunicorn_conf"]
    started = subprocess.run(
        [*command, "webapp.app:create_app()"],
        cwd=folder,
        env={**os.environ, "AGENT_STREAM_HOST": host, "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert started.returncode == 2
    assert "AGENT_STREAM_TOKEN" in started.stderr


def test_route_that_forgets_to_ask_is_closed_all_the_same(make_client: MakeClient) -> None:
    client = make_client(token="s3cret-token-of-tests")
    client.app.add_url_rule("/forgetful", view_func=lambda: "inside")
    assert client.get("/forgetful").status_code == 401
    assert client.get("/forgetful", Authorization="Bearer s3cret-token-of-tests").text == "inside"


# --- what a client can make run -------------------------------------------------------


@pytest.mark.parametrize("agent", ["arguments", "stdin"])
@pytest.mark.parametrize(
    "message",
    [
        "; touch hacked",
        "$(touch hacked)`touch hacked`",
        "--help",
        "-c import os",
        "a b  c",
        "'\"\\",
        "line\nbreak",
        "{workflowId}{message}",
        "%s %(x)s ${HOME}",
    ],
)
def test_message_is_never_a_command_or_an_option(server: Server, agent: str, message: str) -> None:
    said = printed(server, server.invoke(agent, message))
    assert said == repr([f"--message={message}"] if agent == "arguments" else message)
    assert not list(server.folder.rglob("hacked"))


@pytest.mark.parametrize("profile", BUILT_IN.values(), ids=lambda profile: profile.name)
def test_no_built_in_profile_takes_a_message_as_a_free_argument(profile: object) -> None:
    command = profile.command  # type: ignore[attr-defined]
    assert not any(element.startswith("{message}") for element in command)


@pytest.mark.parametrize(
    "fields",
    [
        {"agent": "/bin/sh"},
        {"agent": "sh -c 'touch hacked'"},
        {"agent": "../../bin/sh"},
        {"agent": ""},
        {"command": ["sh"]},
        {"argv": ["sh"]},
        {"env": {"LD_PRELOAD": "x"}},
        {"cwd": "/"},
    ],
    ids=str,
)
def test_client_cannot_pick_the_command(server: Server, fields: dict[str, object]) -> None:
    before = row_count(server), len(folders(server))
    value = {"workflowId": server.create_workflow(), "message": "x"} | fields
    assert server.call("workflow.invokeAgent", value).status_code == 400
    assert (row_count(server), len(folders(server))) == before


@pytest.mark.parametrize(
    "session_id",
    [
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/etc/passwd",
        "/etc/passwd",
        "session-1795467840123-0123456789ab%2f..%2f..",
        "session-1795467840123-0123456789ab%00",
        "%ff%fe",
        "x" * 5000,
    ],
)
def test_nothing_but_an_id_finds_a_file(server: Server, session_id: str) -> None:
    for path in (
        f"/api/sessions/{session_id}",
        f"/api/sessions/{session_id}/log",
        f"/api/agent-stream?sessionId={session_id}",
        f"/static/{session_id}",
    ):
        response = HTTP.get(server.url + path)
        assert 300 <= response.status_code < 500, path
        assert "root:" not in response.text


def test_link_instead_of_a_log_is_never_followed(server: Server) -> None:
    session_id = server.invoke("stdin", "x")
    server.wait_until_ended(session_id)
    log = server.log_path(session_id)
    log.unlink()
    log.symlink_to("/etc/passwd")
    answer = HTTP.get(f"{server.url}/api/sessions/{session_id}/log")
    assert answer.status_code != 200
    assert "root:" not in answer.text
    streamed = b""
    with (
        contextlib.suppress(httpx.RemoteProtocolError),
        HTTP.stream("GET", f"{server.url}/api/agent-stream?sessionId={session_id}") as stream,
    ):
        for chunk in stream.iter_bytes():
            streamed += chunk
    assert b"root:" not in streamed


# --- caps -----------------------------------------------------------------------------


def cancel_all(server: Server, sessions: list[str]) -> None:
    for session_id in sessions:
        HTTP.post(f"{server.url}/api/sessions/{session_id}/cancel", json={})
    for session_id in sessions:
        server.wait_until_ended(session_id)


def start_many(server: Server, workflows: list[str]) -> tuple[list[str], list[httpx.Response]]:
    """Ask all workers at once; the sessions that started, and the refusals."""

    def start(workflow_id: str) -> httpx.Response:
        value = {"workflowId": workflow_id, "agent": "forever"}
        return server.call("workflow.invokeAgent", value)

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(start, workflows))
    started = [
        answer.json()["result"]["data"]["sessionId"]
        for answer in answers
        if answer.status_code == 200
    ]
    return started, [answer for answer in answers if answer.status_code != 200]


def test_sessions_of_a_workflow_are_capped_across_workers(server: Server) -> None:
    workflow_id = server.create_workflow()
    started, refusals = start_many(server, [workflow_id] * 12)
    try:
        assert len(started) == MOST_PER_WORKFLOW
        assert {answer.status_code for answer in refusals} == {429}
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in refusals)
    finally:
        cancel_all(server, started)
    assert len(folders(server)) == row_count(server)


def test_sessions_are_capped_across_workers_and_lost_ones_do_not_count(server: Server) -> None:
    workflows = [server.create_workflow() for _ in range(12)]
    started, refusals = start_many(server, workflows)
    try:
        assert len(started) == MOST
        assert {answer.status_code for answer in refusals} == {503}
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in refusals)

        runner = wait_for(lambda: row(server, started[0])["runner_pid"])
        os.kill(runner, 9)
        value = {"workflowId": workflows[0], "agent": "forever"}
        answers: list[httpx.Response] = []

        def gets_its_place() -> bool:
            answers.append(server.call("workflow.invokeAgent", value))
            return answers[-1].status_code == 200

        wait_for(gets_its_place)
        started.append(answers[-1].json()["result"]["data"]["sessionId"])
    finally:
        cancel_all(server, started)


# --- another user of this machine -----------------------------------------------------

CONNECT = """
import os, socket, sys
os.setgid(65534); os.setuid(65534)
connection = socket.socket(socket.AF_UNIX)
try:
    connection.connect(f"/proc/self/fd/{sys.argv[1]}/control.sock")
    connection.sendall(b'{"type":"cancel"}\\n')
    print("answer", connection.recv(100))
except OSError as error:
    print("refused", error.strerror)
"""


def ask_as_nobody(directory: Path) -> str:
    """What a runner says to a user who is neither its own nor root."""
    fd = os.open(directory, os.O_PATH)
    try:
        return subprocess.run(
            [sys.executable, "-I", "-S", "-c", CONNECT, str(fd)],
            pass_fds=[fd],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    finally:
        os.close(fd)


@needs_root
def test_another_user_cannot_read_a_session_or_speak_to_its_runner(server: Server) -> None:
    server.wait_until_ended(server.invoke("stdin"))  # the folder of the day is there by now
    session_id = server.invoke("forever")
    wait_for(lambda: row(server, session_id)["status"] == "running")
    directory = server.log_path(session_id).parent
    for place in (server.var, directory, directory.parent):
        assert place.stat().st_mode & 0o077 == 0
    for place in (*directory.iterdir(), *server.var.glob("*.db*"), server.var / "rates"):
        assert place.stat().st_mode & 0o077 == 0, place

    assert ask_as_nobody(directory).startswith("refused")
    (directory / "control.sock").chmod(0o666)  # a slip of the operator's: the peer is asked for
    directory.chmod(0o711)
    # Which of them depends on whether the runner was quicker than the request.
    hung_up = ("answer b''", "refused Connection reset by peer", "refused Broken pipe")
    assert ask_as_nobody(directory).strip() in hung_up
    time.sleep(0.2)
    assert server.session(session_id)["status"] == "running"
    cancel_all(server, [session_id])


def test_control_socket_that_says_nonsense_hurts_nobody(server: Server) -> None:
    session_id = server.invoke("forever")
    wait_for(lambda: row(server, session_id)["status"] == "running")
    directory = os.open(server.log_path(session_id).parent, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"/proc/self/fd/{directory}/control.sock")
        connection.sendall(b'{"type":"exec","argv":["touch","hacked"]}\n')
        assert b"unknown request" in connection.recv(1000)
    os.close(directory)
    assert server.session(session_id)["status"] == "running"
    cancel_all(server, [session_id])
