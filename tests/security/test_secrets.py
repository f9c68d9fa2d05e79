"""Secrets reach neither the log, nor a row, nor a file, nor another process's view."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.surroundings import row
from tests.server import Server, running_server, wait_for

TOKEN = "s3cret-token-of-the-server"
NAMED = 'correct-"horse"-battery'
GIVEN = "given-to-the-agent-0123456789"
KEY = "sk-ant-api03-" + "Ab3_" * 12
HIDDEN = "never-passed-on-0123456789"

SPEAKER = """
import json, os, sys, time
def say(text, stream=sys.stdout):
    stream.write(text); stream.flush()
message = sys.stdin.read()
say(json.dumps(dict(os.environ)) + "\\n")
say("argv " + repr(sys.argv) + "\\n")
secret = os.environ["MY_API_KEY"]
for letter in secret: say(letter); time.sleep(0.06 if letter in "gd9" else 0)
say("\\n")
say("x" * (65536 - 10) + secret + "\\n")
say(secret + "\\n", sys.stderr)
say(json.dumps({"type": "message", "content": os.environ["NAMED"] + " " + message}) + "\\n")
say("prompt: " + message[:20]); time.sleep(0.2); say(message[20:] + " \\n")
say(message)
"""
ORDINARY = (
    "keys/id_rsa:1:-----BEGIN RSA PRIVATE KEY-----",
    "I will remove it from the repository and add it to the ignore file",
    "created task-3f2c1d9e8b7a6f5e4d3c2b1a0f9e8d7c",
    '{"type":"tool_call","id":"task-3f2c1d9e8b7a6f5e4d3c2b1a0f9e8d7c","name":"Task","args":{}}',
    "All 42 tests pass, and the key is gone.",
)
GREP = f"""
import sys, time
for line in {ORDINARY!r}:
    half = len(line) // 2
    for piece in (line[:half], line[half:] + "\\n"):
        sys.stdout.write(piece); sys.stdout.flush(); time.sleep(0.1)
"""
AGENTS: dict[str, dict[str, Any]] = {
    "speaker": {
        "command": [sys.executable, "-u", "-I", "-S", "-c", SPEAKER],
        "message": "stdin",
        "env": ["MY_API_KEY", "NAMED"],
        "secrets": ["NAMED"],
    },
    "grep": {"command": [sys.executable, "-u", "-I", "-S", "-c", GREP]},
    "argument": {"command": ["/bin/echo", "--message={message}"]},
    "missing": {"command": ["./no-such-agent-{message}"]},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with secrets in its environment."""
    folder = tmp_path_factory.mktemp("secrets")
    with running_server(
        folder,
        AGENTS,
        AGENT_STREAM_TOKEN=TOKEN,
        MY_API_KEY=GIVEN,
        NAMED=NAMED,
        UNRELATED_PASSWORD=HIDDEN,
    ) as started:
        yield started


def all_that_was_written(server: Server) -> bytes:
    """Every byte of the var folder."""
    return b"".join(path.read_bytes() for path in server.var.rglob("*") if path.is_file())


@pytest.mark.parametrize("agent", ["speaker", "argument", "missing"])
def test_no_secret_is_written_anywhere(server: Server, agent: str) -> None:
    session_id = server.invoke(agent, KEY)
    server.wait_until_ended(session_id)
    directory = server.log_path(session_id).parent
    wait_for((directory / "run.json").exists)
    written = all_that_was_written(server)
    for secret in (GIVEN, NAMED, json.dumps(NAMED)[1:-1], KEY, HIDDEN, TOKEN):
        assert secret.encode() not in written, secret
        assert secret[4:].encode() not in written, secret
    assert b"[redacted]" in (directory / "output.log").read_bytes()


def test_what_is_left_is_still_json_and_still_sent(server: Server) -> None:
    session_id = server.invoke("speaker", KEY)
    server.wait_until_ended(session_id)
    log = server.log_path(session_id).read_bytes()
    messages = [line[40:] for line in log.split(b"\n") if b'"type": "message"' in line]
    assert [json.loads(line)["content"] for line in messages] == ["[redacted] [redacted]"]
    assert log.count(b"x" * 1000) > 0


def test_ordinary_text_stays_whole_however_slowly_it_comes(server: Server) -> None:
    session_id = server.invoke("grep")
    server.wait_until_ended(session_id)
    records = [
        line.split(b" ", 3) for line in server.log_path(session_id).read_bytes().split(b"\n")
    ]
    printed = b"".join(
        record[3] + (b"\n" if record[2] == b"F" else b"")
        for record in records
        if record[1:2] == [b"stdout"]
    )
    assert printed.decode().splitlines() == list(ORDINARY)


def test_agent_sees_the_allow_list_and_its_exact_message(server: Server) -> None:
    session_id = server.invoke("speaker", KEY)
    server.wait_until_ended(session_id)
    log = server.log_path(session_id).read_bytes()
    (environment,) = (line for line in log.split(b"\n") if b'"AGENT_STREAM_SESSION_ID"' in line)
    names = set(json.loads(environment[environment.index(b"{") :]))
    assert {"MY_API_KEY", "NAMED"} <= names
    assert not {"UNRELATED_PASSWORD", "AGENT_STREAM_TOKEN"} & names


def test_argument_arrives_exact_though_its_row_is_redacted(tmp_path: Path, server: Server) -> None:
    session_id = server.invoke("argument", f"{KEY} and more")
    assert server.wait_until_ended(session_id)["exitCode"] == 0
    argv = json.loads(row(server, session_id)["argv"])
    assert argv == ["/bin/echo", "--message=[redacted] and more"]


def test_stream_holds_no_secret(server: Server) -> None:
    session_id = server.invoke("speaker", KEY)
    server.wait_until_ended(session_id)
    login = {"Authorization": f"Bearer {TOKEN}"}
    import httpx

    url = f"{server.url}/api/agent-stream?sessionId={session_id}"
    text = httpx.get(url, headers=login, verify=False).text
    assert "event: done" in text
    assert not any(secret in text for secret in (GIVEN, NAMED, KEY, HIDDEN, TOKEN))
