"""Each text that a client can hand in, with a secret in it: the secret is stored nowhere.

A new field is covered by a row in `TEXTS`; one of the documented calls without a row fails.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pysqlite3
import pytest

from tests.server import HTTP, PATIENCE_SECONDS, ROOT, Server, running_server, wait_for
from webapp.log.record import FULL, format_record

PLAIN = "zebraquartzsecretvalue0123"
QUOTED = 'corr"ect/horsebatterystaple+<0>'
KEY = "sk-ant-api03-" + "Qx7_" * 20
FORBIDDEN = (b"quartzsecretvalue", b"horsebatterystaple", b"Qx7_Qx7_")
TEXT = f"before {PLAIN} between {QUOTED} and {KEY} after"
TOKEN = "token-of-the-server-0123456789"

ECHO = "import sys\nfor line in sys.stdin: sys.stdout.write(line); sys.stdout.flush()"
PYTHON = [sys.executable, "-u", "-I", "-S", "-c"]
AGENTS: dict[str, dict[str, Any]] = {
    "echo": {"command": [*PYTHON, ECHO], "message": "stdin", "input": True},
    "argument": {"command": ["/bin/echo", "--message={message}"]},
    "missing": {"command": ["./no-such-agent-{message}"]},
    "errors": {"command": [*PYTHON, "import sys; sys.exit(sys.stdin.read())"], "message": "stdin"},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One with two secrets, whose log has all that it may have."""
    with running_server(
        tmp_path_factory.mktemp("texts"),
        AGENTS,
        settings={"default_agent": "argument"},
        AGENT_STREAM_TOKEN=TOKEN,
        AGENT_STREAM_SECRETS="FIRST,SECOND",
        FIRST=PLAIN,
        SECOND=QUOTED,
        AGENT_STREAM_ACCESS_LOG="1",
        AGENT_STREAM_LOG_FORMAT="json",
    ) as started:
        yield started


def command(server: Server, *arguments: str, data: str = "", folder: Path | None = None) -> str:
    """What `agent-stream` prints in the server's environment."""
    finished = subprocess.run(
        [sys.executable, "-m", "webapp.cli", *arguments],
        cwd=folder or server.folder,
        env=server.environment | {"NO_COLOR": "1"},
        input=data,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def invoke(server: Server, **fields: Any) -> None:
    """Start a session and wait for its end; it may be refused."""
    answer = server.call("workflow.invokeAgent", {"workflowId": server.create_workflow()} | fields)
    if answer.status_code == 200:
        session_id = answer.json()["result"]["data"]["sessionId"]
        if fields.get("agent") == "demo-talk":
            server.call("session.cancel", {"sessionId": session_id}).raise_for_status()
        server.wait_until_ended(session_id)


def invoke_with_header(server: Server, text: str) -> None:
    value = {"workflowId": server.create_workflow(), "message": "x"}
    assert server.call("workflow.invokeAgent", value, **{"Idempotency-Key": text}).is_success


def create(server: Server, **fields: Any) -> None:
    """Create a workflow and run a session in it: its log tells of the workflow."""
    answer = server.call("workflow.create", fields)
    if answer.status_code == 200:
        workflow_id = answer.json()["result"]["data"]["id"]
        server.wait_until_ended(server.invoke("argument", "x", workflow_id))


def rename(server: Server, text: str) -> None:
    """Give a conversation a title."""
    server.call("workflow.rename", {"workflowId": server.create_workflow(), "title": text})


def mark_heard(server: Server, text: str) -> None:
    server.call("notice.markHeard", {"keys": [text]})


def send_message(server: Server, **fields: Any) -> None:
    value = {"workflowId": server.create_workflow(), "content": "x"} | fields
    server.call("workflow.sendMessage", value).raise_for_status()


def send_input(server: Server, **fields: Any) -> None:
    session_id = server.invoke("echo", "x")
    value = {"sessionId": session_id, "content": "x\n"} | fields
    server.call("session.sendInput", value).raise_for_status()
    server.call("session.sendInput", {"sessionId": session_id, "end": True}).raise_for_status()
    server.wait_until_ended(session_id)


def in_conversation(server: Server, procedure: str, **fields: Any) -> None:
    """Call with these fields while an agent waits for an answer; the call may be refused."""
    session_id = server.invoke("demo-talk", "approve")

    def approvals() -> list[dict[str, Any]]:
        answer = HTTP.get(f"{server.url}/api/approvals", headers=server.login)
        return [one for one in answer.json()["approvals"] if one["sessionId"] == session_id]

    (approval,) = wait_for(approvals)
    value = {"sessionId": session_id} | fields
    if procedure == "session.answer":
        option = approval["options"][0]["id"]
        value = {"approvalId": approval["id"], "option": option} | value
    server.call(procedure, value)
    server.call("session.cancel", {"sessionId": session_id}).raise_for_status()
    server.wait_until_ended(session_id)


def field_of_conversation(procedure: str, field: str) -> Callable[[Server, str], None]:
    """A row of `TEXTS`."""
    is_object = field in ("input", "answers")

    def call(server: Server, text: str) -> None:
        needed = {"session.setMode": {"mode": "default"}, "session.sendInput": {"content": "x"}}
        value: object = {text: text} if is_object else text
        in_conversation(server, procedure, **needed.get(procedure, {}) | {field: value})

    return call


def start_by_get(server: Server, **fields: str) -> None:
    query = urlencode({"workflowId": server.create_workflow()} | fields)
    HTTP.get(f"{server.url}/api/agent-stream?{query}", headers=server.login)


def ask(server: Server, path: str, **headers: str) -> None:
    HTTP.get(f"{server.url}{path}", headers=server.login | headers)


def run(server: Server, *arguments: str, folder: Path | None = None) -> None:
    command(server, "run", "--var", str(server.var), *arguments, folder=folder)


def run_in_folder(server: Server, _text: str) -> None:
    folder = server.folder / f"{PLAIN} {KEY}"
    folder.mkdir()
    run(server, "--", "/bin/pwd", folder=folder)


def update_status(server: Server, status: str) -> None:
    value = {"workflowId": server.create_workflow(), "status": status}
    assert server.call("workflow.updateStatus", value).status_code == 400


def take_in(server: Server, text: str) -> None:
    """Import a log whose every text has the secret."""
    session_id = "session-1700000000000-abcabcabcabc"
    when = "2026-11-23T21:04:00.123Z"
    workflow = {"template": text, "requestId": text, "createdAt": when, "stages": [
        {"name": text, "type": text, "gate": {"type": "auto"}}]}  # fmt: skip
    begin = {"type": "session", "sessionId": session_id, "stageIndex": 0, "agent": text}
    begin |= {"workflowId": "workflow-1700000000000-abcabcabcabc", "pid": 1, "startedAt": when}
    begin |= {"runnerPid": 1, "host": text, "argv": [text], "cwd": text, "createdAt": when}
    end = {"type": "done", "exitCode": 1, "signal": None, "status": "failed", "error": text}
    records = [
        (b"system", json.dumps(begin | {"workflow": workflow}).encode()),
        (b"stdout", text.encode()),
        (b"stdout", json.dumps({"type": "message", "content": text}).encode()),
        (b"stderr", text.encode()),
        (b"stdin", text.encode()),
        (b"system", json.dumps(end).encode()),
    ]
    log = b"".join(format_record(1700000000000000000, *record, FULL) for record in records)
    command(server, "import", "-", "--var", str(server.var), data=log.decode())


CONVERSATION_FIELDS = {
    "session.answer": ("approvalId", "option", "message", "input", "answers", "by"),
    "session.interrupt": ("by",),
    "session.cancelMessage": ("messageId",),
    "session.setMode": ("mode", "by"),
    "session.setModel": ("model", "by"),
    "session.sendInput": ("by",),
}
TEXTS: dict[str, Callable[[Server, str], None]] = {
    f"{procedure} {field}": field_of_conversation(procedure, field)
    for procedure, fields in CONVERSATION_FIELDS.items()
    for field in fields
} | {
    "workflow.invokeAgent by": lambda server, text: invoke(server, agent="demo-talk", by=text),
    "workflow.invokeAgent mode": lambda server, text: invoke(server, agent="demo-talk", mode=text),
    "workflow.invokeAgent model": lambda server, text: invoke(
        server, agent="demo-talk", model=text
    ),
    "workflow.create requestId": lambda server, text: create(server, requestId=text),
    "workflow.create template": lambda server, text: create(server, template=text),
    "notice.markHeard keys": lambda server, text: mark_heard(server, text),
    "workflow.rename title": lambda server, text: rename(server, text),
    "workflow.create project": lambda server, text: create(server, project=text),
    "workflow.create initialMessage": lambda server, text: create(server, initialMessage=text),
    "workflow.invokeAgent message": lambda server, text: invoke(server, message=text),
    "workflow.invokeAgent agent": lambda server, text: invoke(server, agent=text),
    "workflow.invokeAgent idempotencyKey": lambda server, text: invoke(server, idempotencyKey=text),
    "workflow.sendMessage content": lambda server, text: send_message(server, content=text),
    "workflow.sendMessage idempotencyKey": (
        lambda server, text: send_message(server, idempotencyKey=text)
    ),
    "workflow.updateStatus status": update_status,
    "session.sendInput content": lambda server, text: send_input(server, content=text + "\n"),
    "session.sendInput idempotencyKey": lambda server, text: send_input(
        server, idempotencyKey=text
    ),
    "Idempotency-Key": invoke_with_header,
    "message on stdin": lambda server, text: invoke(server, agent="errors", message=text),
    "message in the name of a program": lambda server, text: invoke(
        server, agent="missing", message=text
    ),
    "message of a start by GET": lambda server, text: start_by_get(server, message=text),
    "agent of a start by GET": lambda server, text: start_by_get(server, agent=text),
    "path": lambda server, text: ask(server, f"/{PLAIN}/{KEY}?{urlencode({'q': text})}"),
    "search": lambda server, text: ask(server, f"/api/search?{urlencode({'q': text})}"),
    "list": lambda server, text: ask(server, f"/api/sessions?{urlencode({'text': text})}"),
    "X-Request-Id": lambda server, _text: ask(server, "/api/sessions", **{"X-Request-Id": PLAIN}),
    "User-Agent": lambda server, text: ask(server, "/api/sessions", **{"User-Agent": text}),
    "Last-Event-ID": lambda server, text: ask(
        server,
        f"/api/agent-stream?workflowId={server.create_workflow()}",
        **{"Last-Event-ID": text},
    ),
    "run --name": lambda server, text: run(server, "--name", text, "--", "true"),
    "run --message": lambda server, text: run(server, "--message", text, "--", "cat"),
    "run COMMAND": lambda server, text: run(server, "--", "echo", text),
    "run in a folder": run_in_folder,
    "import": take_in,
}
NO_TEXTS = {
    *("workflowId", "sessionId", "stageIndex", "limit", "cursor", "end", "lastEventId"),
    *("worktree", "evenUntaken", "pinned", "archived"),
}
"""Ids that must be known, numbers and switches."""
READS = ("list", "get", "onMessage", "changes", "diff")


def leaks(server: Server) -> dict[str, int]:
    """The files that hold a secret, and how often."""
    paths = [*server.var.rglob("*"), server.output]
    contents = {str(path): path.read_bytes() for path in paths if path.is_file()}
    counts = {path: sum(map(content.count, FORBIDDEN)) for path, content in contents.items()}
    return {path: count for path, count in counts.items() if count}


@pytest.mark.parametrize("name", TEXTS)
def test_text_leaves_no_secret(server: Server, name: str) -> None:
    before = leaks(server)
    TEXTS[name](server, f"{name}: {TEXT}")
    after = leaks(server)
    assert {path: count for path, count in after.items() if count > before.get(path, 0)} == {}


def test_no_field_of_a_documented_call_is_forgotten() -> None:
    table = (ROOT / "webapp" / "docs" / "trpc.md").read_text(encoding="utf-8")
    found = re.findall(r"\| `(\w+)\.(\w+)`[^|]*\| `\{([^}]*)\}`", table)
    assert len(found) > 8
    for room, procedure, fields in found:
        if not procedure.startswith(READS):
            for field in re.findall(r"\w+", fields):
                name = f"{room}.{procedure} {field}"
                assert field in NO_TEXTS or name in TEXTS, name


def test_rows_say_where_something_was_taken_out(server: Server) -> None:
    create(server, requestId=TEXT)
    database = pysqlite3.connect(f"file:{server.var / 'agent-stream.db'}?mode=ro", uri=True)
    try:
        found = database.execute("SELECT request_id FROM workflows").fetchall()
    finally:
        database.close()
    assert ("before [redacted] between [redacted] and [redacted] after",) in found


def test_exports_and_search_hold_no_secret(server: Server) -> None:
    session_id = server.invoke("argument", f"findable {TEXT}")
    server.wait_until_ended(session_id)
    for form in ("jsonl", "markdown", "html", "asciicast"):
        exported = command(
            server, "export", "--format", form, "--var", str(server.var), session_id
        ).encode()
        assert b"findable" in exported
        assert not any(secret in exported for secret in FORBIDDEN), form

    def search(words: str) -> dict[str, Any]:
        answer = HTTP.get(f"{server.url}/api/search?q={words}", headers=server.login)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    wait_for(lambda: search("findable")["results"])
    assert search(PLAIN)["results"] == []
    assert search("horsebatterystaple")["results"] == []


def test_agent_gets_its_message_unchanged(server: Server, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    write = f"import sys; open({str(copy)!r}, 'w').write(sys.stdin.read())"
    argv = [*PYTHON, write]
    run(server, "--message", TEXT, "--", *argv)
    assert copy.read_text() == TEXT


def test_key_that_holds_a_secret_works_as_any_other(server: Server) -> None:
    value = {"workflowId": server.create_workflow(), "message": "x", "idempotencyKey": TEXT + "2"}
    first, second = (server.call("workflow.invokeAgent", value).json() for _ in range(2))
    assert first["result"]["data"]["sessionId"] == second["result"]["data"]["sessionId"]
    other = server.call("workflow.invokeAgent", value | {"message": "y"})
    assert other.status_code == 409
