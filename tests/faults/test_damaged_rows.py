"""Rows with nonsense that somebody edited in: each is shown as damaged, and costs no other."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pysqlite3
import pytest

from tests.cli.command import Output, run
from tests.server import HTTP, Server, python_agent, running_server, wait_for

AGENTS = {"say": python_agent("print('hello')")}
SORTS = ("newest", "oldest", "longest", "largest")
NONSENSE = {
    "no time": "created_at = 'nonsense', started_at = 'then', ended_at = ''",
    "no date": "started_at = '2026-02-30T00:00:00.000Z', ended_at = '2026-99-99T99:99:99.999Z'",
    "time without a zone": "started_at = '2026-11-23T21:04:00'",
    "huge numbers": "exit_code = 9223372036854775807, pid = -9223372036854775808,"
    " log_bytes = 9223372036854775807, stage_index = 9223372036854775807",
    "negative size": "log_bytes = -5",
    "half a surrogate": "agent = CAST(x'eda080' AS TEXT), error = CAST(x'edb08041' AS TEXT)",
    "no UTF-8": "error = CAST(x'ff1b5b324ac3' AS TEXT), exit_code = NULL,"
    " cwd = CAST(x'ff' AS TEXT), host = CAST(x'00ff' AS TEXT)",
    "controls": "agent = 'x' || char(27, 91, 50, 74, 7, 155, 8238, 10), exit_signal = char(27)",
    "no command": "argv = '{\"a\": [1]}'",
    "a path from elsewhere": "log_path = char(0) || '../../etc/passwd'",
    "deleted some time": "log_deleted_at = 'once'",
}
DAMAGED = {
    "no time": ["created_at", "started_at", "ended_at"],
    "no date": ["started_at", "ended_at"],
    "time without a zone": ["started_at"],
    "huge numbers": ["stage_index", "pid", "exit_code", "log_bytes"],
    "negative size": ["log_bytes"],
    "deleted some time": ["log_deleted_at"],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("rows"), AGENTS) as started:
        yield started


@pytest.fixture(scope="module")
def ids(server: Server) -> dict[str, str]:
    """The damaged sessions by what was done to each, and a sound one, `good`."""
    found = {name: server.invoke("say", name) for name in ("good", *NONSENSE)}
    for session_id in found.values():
        server.wait_until_ended(session_id)
    connection = pysqlite3.connect(str(server.var / "agent-stream.db"), timeout=5)
    for name, change in NONSENSE.items():
        connection.execute(f"UPDATE sessions SET {change} WHERE id = ?", (found[name],))
        connection.commit()
    connection.close()
    return found


def listed(server: Server, query: str) -> list[dict[str, Any]]:
    answer = HTTP.get(f"{server.url}/api/sessions?{query}")
    assert answer.status_code == 200, answer.text
    sessions: list[dict[str, Any]] = answer.json()["sessions"]
    return sessions


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_of_the_list_has_all_of_them(
    server: Server, ids: dict[str, str], sort: str
) -> None:
    for query in (f"sort={sort}&limit=100", f"sort={sort}&status=succeeded&limit=100"):
        assert {each["sessionId"] for each in listed(server, query)} == set(ids.values())
    by_pages = []
    cursor = ""
    while True:
        answer = HTTP.get(f"{server.url}/api/sessions?sort={sort}&limit=2{cursor}")
        assert answer.status_code == 200, answer.text
        by_pages += [each["sessionId"] for each in answer.json()["sessions"]]
        if answer.json()["nextCursor"] is None:
            break
        cursor = f"&cursor={answer.json()['nextCursor']}"
    assert sorted(by_pages) == sorted(ids.values())


def test_the_api_names_what_is_damaged_and_leaves_the_others_as_they_are(
    server: Server, ids: dict[str, str]
) -> None:
    found = {each["sessionId"]: each for each in listed(server, "limit=100")}
    for name, session_id in ids.items():
        session = found[session_id]
        assert session | {"workflowCostUsd": None} == server.session(session_id)
        assert session.get("damaged", []) == DAMAGED.get(name, []), name
        for column in session.get("damaged", []):
            first, *rest = column.split("_")
            key = first + "".join(map(str.capitalize, rest))
            assert session[key] is None or key == "createdAt"
        assert session["createdAt"].startswith("20"), name
    assert found[ids["half a surrogate"]]["agent"] == "\ufffd" * 3


def test_every_other_question_is_answered(server: Server, ids: dict[str, str]) -> None:
    for path in (
        "/sessions",
        "/api/sessions/counts",
        "/api/search?q=hello",
        "/metrics",
        '/api/trpc/session.list?input={"limit":50}',
        "/api/trpc/workflow.list?input={}",
        "/readyz",
    ):
        assert HTTP.get(server.url + path).status_code == 200, path
    for name, session_id in ids.items():
        for path in (f"/sessions/{session_id}", f"/api/sessions/{session_id}"):
            assert HTTP.get(server.url + path).status_code == 200, name
        for path in ("events", "timeline", "log"):
            answer = HTTP.get(f"{server.url}/api/sessions/{session_id}/{path}")
            assert answer.status_code < 500, (name, path, answer.text)
        stream = HTTP.get(f"{server.url}/api/agent-stream?sessionId={session_id}")
        assert stream.status_code < 500, (name, stream.text)


def clean(output: Output) -> str:
    """What a command prints, which is whole and holds nothing that drives a terminal."""
    assert output.returncode == 0, output
    assert not set("\x1b\x07\x9b\u202e\x00") & set(output.stdout + output.stderr), output
    assert "Traceback" not in output.stderr
    return output.stdout


def test_every_command_goes_on(server: Server, ids: dict[str, str]) -> None:
    for sort in SORTS:
        shown = clean(run(server, "ls", "--sort", sort))
        assert len(shown.splitlines()) == 1 + len(ids)
        assert "damaged: created_at, started_at" in shown
    as_json = [json.loads(line) for line in clean(run(server, "ls", "--json")).splitlines()]
    assert {each["sessionId"] for each in as_json} == set(ids.values())
    wait_for(lambda: run(server, "search", "hello").returncode == 0)  # the index follows
    for command in (["stats"], ["stats", "--json"], ["search", "hello"], ["doctor"]):
        clean(run(server, *command))


@pytest.mark.parametrize("name", NONSENSE)
def test_a_damaged_session_can_be_looked_at(
    server: Server, ids: dict[str, str], name: str, tmp_path: Path
) -> None:
    shown = clean(run(server, "show", ids[name]))
    if name in DAMAGED:
        assert "damaged: " in shown
    clean(run(server, "show", ids[name], "--json"))
    if name != "a path from elsewhere":
        assert "hello" in clean(run(server, "tail", ids[name]))
        for form in ("asciicast", "markdown", "html", "jsonl"):
            output = run(server, "export", ids[name], "--format", form)
            assert (output.returncode, output.stderr) == (0, ""), form
