"""tRPC over HTTP: what it answers, and what each kind of bad input is told."""

import json
import os
import signal
import sys
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from tests.http.client import Client, data_of, trpc_error
from tests.http.conftest import MakeClient
from tests.server import wait_for
from tests.sessions.machine import kill_fork_server
from tests.store.locked import held
from tests.store.rows import execute
from webapp.sessions.new_session import MAX_MESSAGE_BYTES


def query(client: Client, procedure: str, value: object = None) -> TestResponse:
    """A tRPC query."""
    text = "" if value is None else "?input=" + quote(json.dumps(value))
    return client.get(f"/api/trpc/{procedure}{text}")


def invoke(client: Client, **value: object) -> TestResponse:
    """An invoke with this input."""
    return client.call("workflow.invokeAgent", value)


def invoke_in_workflow(client: Client, **value: object) -> TestResponse:
    """An invoke in a workflow that is there."""
    return invoke(client, **({"workflowId": client.create_workflow()} | value))


# --- what it answers ------------------------------------------------------------------


def test_new_workflow_is_answered_with_its_stages(client: Client) -> None:
    workflow = data_of(client.call("workflow.create", {"requestId": "r-1"}))
    assert set(workflow) == {
        "id",
        "requestId",
        "title",
        "project",
        "worktree",
        "pinnedAt",
        "archivedAt",
        "template",
        "status",
        "currentStage",
        "stages",
        "createdAt",
        "updatedAt",
    }
    assert (workflow["requestId"], workflow["status"]) == ("r-1", "active")
    assert [(stage["name"], stage["status"]) for stage in workflow["stages"]] == [
        ("chat", "active")
    ]


def test_a_workflow_is_called_as_its_first_message_begins(client: Client) -> None:
    empty = data_of(client.call("workflow.create", {}))
    assert empty["title"] is None
    for content in ("a" * 500, "later"):
        client.call("workflow.sendMessage", {"workflowId": empty["id"], "content": content})
    assert data_of(query(client, "workflow.get", empty["id"]))["title"] == "a" * 120


@pytest.mark.parametrize("value", [None, {}, {"requestId": None, "template": None}])
def test_workflow_can_be_created_without_any_input(client: Client, value: object) -> None:
    assert data_of(client.call("workflow.create", value))["template"] == "chat"


def test_workflow_is_got_by_its_plain_id(client: Client) -> None:
    workflow = data_of(client.call("workflow.create", {}))
    assert data_of(query(client, "workflow.get", workflow["id"])) == workflow


def test_workflows_are_listed_newest_first_in_pages(make_client: MakeClient) -> None:
    client = make_client()
    ids = [client.create_workflow() for _ in range(5)]
    found: list[str] = []
    cursor = None
    while True:
        page = data_of(query(client, "workflow.list", {"limit": 2, "cursor": cursor}))
        found += [workflow["id"] for workflow in page["workflows"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert sorted(found) == sorted(ids)
    assert found == sorted(found, reverse=True)


def test_workflows_are_listed_by_status(client: Client) -> None:
    client.create_workflow()
    assert data_of(query(client, "workflow.list"))["workflows"]
    assert data_of(query(client, "workflow.list", {"status": "paused"}))["workflows"] == []


def test_invoke_answers_with_the_running_session(client: Client) -> None:
    workflow_id = client.create_workflow()
    answer = data_of(invoke(client, workflowId=workflow_id, message="true"))
    assert answer == {
        "sessionId": answer["sessionId"],
        "workflowId": workflow_id,
        "stageIndex": 0,
        "status": "running",
        "offset": 0,
        "messageId": None,
    }
    assert client.session(answer["sessionId"])["workflowId"] == workflow_id


def test_repeated_key_answers_with_the_end_of_a_session_that_has_ended(client: Client) -> None:
    key = {"workflowId": client.create_workflow(), "message": "exit 3", "idempotencyKey": "ended"}
    session_id = data_of(invoke(client, **key))["sessionId"]
    wait_for(lambda: client.session(session_id)["status"] == "failed")
    assert data_of(invoke(client, **key)) == {
        "sessionId": session_id,
        "workflowId": key["workflowId"],
        "stageIndex": 0,
        "status": "failed",
        "offset": 0,
        "messageId": None,
    }


def test_repeated_key_answers_lost_for_a_session_whose_runner_was_killed(client: Client) -> None:
    key = {"workflowId": client.create_workflow(), "message": "sleep 600", "idempotencyKey": "lost"}
    session_id = data_of(invoke(client, **key))["sessionId"]
    running = client.machine.wait_until_running(client.machine.find(session_id))
    assert running.runner_pid is not None
    os.kill(running.runner_pid, signal.SIGKILL)
    wait_for(lambda: not client.machine.is_locked(running))
    assert data_of(invoke(client, **key))["status"] == "lost"


def test_runner_that_cannot_be_started_is_a_failed_session(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    client.finished()
    kill_fork_server()
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    assert data_of(invoke_in_workflow(client, message="true"))["status"] == "failed"


def test_command_that_is_not_installed_is_a_failed_session_and_no_error(client: Client) -> None:
    session_id = data_of(invoke_in_workflow(client, agent="missing"))["sessionId"]
    events = client.stream(f"sessionId={session_id}")
    assert [event.type for event in events] == ["session", "notice", "done"]
    assert "command not found: 'no-such-agent'" in events[1].json()["message"]
    client.machine.wait_until_ended(client.machine.find(session_id))
    session = client.session(session_id)
    assert session["status"] == "failed"
    assert "no-such-agent" in session["error"]


# --- bad input ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "status", "code", "field"),
    [
        ({}, 400, "BAD_REQUEST", "workflowId"),
        ({"workflowId": ""}, 400, "BAD_REQUEST", "workflowId"),
        ({"workflowId": None}, 400, "BAD_REQUEST", "workflowId"),
        ({"workflowId": 7}, 400, "BAD_REQUEST", "workflowId"),
        ({"workflowId": ["x"]}, 400, "BAD_REQUEST", "workflowId"),
        ({"workflowId": "x" * 300}, 400, "BAD_REQUEST", "workflowId"),
        ({"workflowId": "\ud800"}, 400, "BAD_REQUEST", "workflowId"),
        ({"workflowId": "workflow-0"}, 404, "NOT_FOUND", "workflowId"),
        ({"workflowId": "../../etc"}, 404, "NOT_FOUND", "workflowId"),
        ({"workflowId": "' OR 1=1 --"}, 404, "NOT_FOUND", "workflowId"),
        ([], 400, "BAD_REQUEST", "input"),
        ("x", 400, "BAD_REQUEST", "input"),
        (7, 400, "BAD_REQUEST", "input"),
        ({"workflowId": "w", "mesage": "typo"}, 400, "BAD_REQUEST", "mesage"),
        ({"workflowId": "w", "\ud800": 1}, 400, "BAD_REQUEST", None),
    ],
    ids=lambda value: str(value)[:40].encode("ascii", "replace").decode(),
)
def test_bad_input_of_invoke_is_refused_by_field(
    client: Client, value: object, status: int, code: str, field: str | None
) -> None:
    found = trpc_error(client.call("workflow.invokeAgent", value))
    assert found[:2] == (status, code)
    if field is not None:
        assert found[2] == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("message", 7),
        ("message", {}),
        ("message", ["a"]),
        ("message", True),
        ("message", "\udfff"),
        ("message", "x" * (MAX_MESSAGE_BYTES + 1)),
        ("message", "é" * (MAX_MESSAGE_BYTES // 2 + 1)),
        ("stageIndex", -1),
        ("stageIndex", 1),
        ("stageIndex", 10**30),
        ("stageIndex", "0"),
        ("stageIndex", 0.5),
        ("stageIndex", True),
        ("stageIndex", False),
        ("stageIndex", [0]),
        ("agent", "unknown"),
        ("agent", ""),
        ("agent", 7),
        ("agent", "x" * 300),
    ],
    ids=lambda value: str(value)[:20].encode("ascii", "replace").decode(),
)
def test_bad_field_of_invoke_starts_nothing(client: Client, field: str, value: object) -> None:
    before = client.session_count()
    response = invoke_in_workflow(client, **{field: value})
    assert trpc_error(response) == (400, "BAD_REQUEST", field)
    assert client.session_count() == before


def test_unknown_agent_is_refused_with_those_available(client: Client) -> None:
    error = invoke_in_workflow(client, agent="gpt").get_json()["error"]
    assert "'gpt'" in error["message"]
    assert "sh, missing, argument" in error["message"]


@pytest.mark.parametrize("status", ["paused", "completed", "cancelled", "discarded"])
def test_workflow_that_is_not_active_is_refused_with_its_status(
    make_client: MakeClient, status: str
) -> None:
    client = make_client()
    workflow_id = client.create_workflow()
    execute(client.machine.database, "UPDATE workflows SET status = :status", status=status)
    response = invoke(client, workflowId=workflow_id)
    assert trpc_error(response) == (400, "BAD_REQUEST", "workflowId")
    assert status in response.get_json()["error"]["message"]


@pytest.mark.parametrize("message", ["a\0b", "x" * 131_072], ids=["NUL", "too long"])
def test_message_that_no_argument_can_hold_is_refused(client: Client, message: str) -> None:
    response = invoke_in_workflow(client, agent="argument", message=message)
    assert trpc_error(response) == (400, "BAD_REQUEST", "message")


def test_longest_message_is_taken(client: Client) -> None:
    message = "\0" * MAX_MESSAGE_BYTES  # six bytes each in JSON
    response = client.call("workflow.create", {"initialMessage": message})
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"template": "none"}, "template"),
        ({"template": 7}, "template"),
        ({"requestId": 7}, "requestId"),
        ({"requestId": "x" * 257}, "requestId"),
        ({"initialMessage": 7}, "initialMessage"),
        ({"initialMessage": "x" * (MAX_MESSAGE_BYTES + 1)}, "initialMessage"),
        ({"stages": []}, "stages"),
        ([], "input"),
        ("x", "input"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_input_of_create_is_refused_by_field(client: Client, value: object, field: str) -> None:
    assert trpc_error(client.call("workflow.create", value)) == (400, "BAD_REQUEST", field)


@pytest.mark.parametrize(
    ("procedure", "value", "expected"),
    [
        ("workflow.get", None, (400, "BAD_REQUEST", "workflowId")),
        ("workflow.get", "", (400, "BAD_REQUEST", "workflowId")),
        ("workflow.get", 7, (400, "BAD_REQUEST", "workflowId")),
        ("workflow.get", {"id": "x"}, (400, "BAD_REQUEST", "workflowId")),
        ("workflow.get", "workflow-0", (404, "NOT_FOUND", "workflowId")),
        ("workflow.list", {"limit": 0}, (400, "BAD_REQUEST", "limit")),
        ("workflow.list", {"limit": 201}, (400, "BAD_REQUEST", "limit")),
        ("workflow.list", {"limit": "5"}, (400, "BAD_REQUEST", "limit")),
        ("workflow.list", {"status": "done"}, (400, "BAD_REQUEST", "status")),
        ("workflow.list", {"cursor": 7}, (400, "BAD_REQUEST", "cursor")),
        ("workflow.list", "x", (400, "BAD_REQUEST", "input")),
        ("workflow.unknown", None, (404, "NOT_FOUND", None)),
        ("workflow", None, (404, "NOT_FOUND", None)),
        ("a,b", None, (404, "NOT_FOUND", None)),
    ],
    ids=str,
)
def test_bad_query_is_refused_by_field(
    client: Client, procedure: str, value: object, expected: tuple[int, str, str | None]
) -> None:
    assert trpc_error(query(client, procedure, value)) == expected


@pytest.mark.parametrize(
    "body",
    [b"{", b"{'a':1}", b'{"a":1}}', b"\xff\xfe", b"[" * 100_000, b'{"n":' + b"9" * 5000 + b"}"],
    ids=lambda body: repr(body[:12]),
)
def test_body_that_is_no_json_is_refused_as_such(client: Client, body: bytes) -> None:
    response = client.http.post(
        "/api/trpc/workflow.create", data=body, content_type="application/json"
    )
    assert trpc_error(response) == (400, "BAD_REQUEST", "input")


@pytest.mark.parametrize("text", ["{", "workflow-1", "%00", "%FF"])
def test_query_input_that_is_no_json_is_refused_as_such(client: Client, text: str) -> None:
    response = client.get(f"/api/trpc/workflow.get?input={text}")
    assert trpc_error(response) == (400, "BAD_REQUEST", "input")


@pytest.mark.parametrize("query_", ["", "?batch=1"])
def test_body_that_is_too_large_is_refused(client: Client, query_: str) -> None:
    response = client.http.post(
        f"/api/trpc/workflow.create{query_}", data=b" " * (9 << 20), content_type="application/json"
    )
    assert response.status_code == 413
    body: Any = response.get_json()
    error = body["error"]
    assert error["data"]["code"] == "PAYLOAD_TOO_LARGE"


@pytest.mark.parametrize(
    "many",
    [
        b'{"message":[%b[]]}' % (b"[]," * 100_000),
        b'{"message":[%b1]}' % (b"1.5e300," * 100_000),
        b"{%b}" % b",".join(b'"%d":1' % number for number in range(100_000)),
        b'{"message":[%b""]}' % (b'"",' * 100_000),
        b'{"message":"\\\\",%b"x":[]}' % (b'"\\\\":[],' * 100_000),
        b'"' * 1_000_000,
    ],
    ids=lambda body: repr(body[:20]),
)
@pytest.mark.parametrize("query_", ["", "?batch=1"])
def test_body_of_very_many_values_is_refused(client: Client, many: bytes, query_: str) -> None:
    """To parse them would take a worker's event loop a second for a few megabytes."""
    response = client.http.post(
        f"/api/trpc/workflow.create{query_}", data=many, content_type="application/json"
    )
    answers: Any = response.get_json()
    error = answers[0]["error"] if query_ else answers["error"]
    assert (response.status_code, error["data"]["code"]) == (400, "BAD_REQUEST")
    assert "beside its texts" in error["message"]


@pytest.mark.parametrize("character", ["a", '"', "\\", "\x1b", "é", '\\"', "[", ","])
def test_message_of_the_largest_size_is_taken_however_it_is_escaped(
    client: Client, character: str
) -> None:
    message = character * (MAX_MESSAGE_BYTES // len(character.encode()))
    body = json.dumps({"initialMessage": message}).encode()
    response = client.http.post(
        "/api/trpc/workflow.create", data=body, content_type="application/json"
    )
    assert data_of(response)["id"]


def test_query_by_post_and_mutation_by_get_are_refused(client: Client) -> None:
    assert trpc_error(client.call("workflow.get", "x"))[:2] == (405, "METHOD_NOT_SUPPORTED")
    before = client.session_count()
    value = {"workflowId": client.create_workflow()}
    response = query(client, "workflow.invokeAgent", value)
    assert trpc_error(response)[:2] == (405, "METHOD_NOT_SUPPORTED")
    assert client.session_count() == before


def test_locked_database_is_an_error_that_says_when_to_try_again(make_client: MakeClient) -> None:
    client = make_client()
    workflow_id = client.create_workflow()
    client.machine.database.patience_seconds = 0.1
    with held(client.machine.database.path):
        response = invoke(client, workflowId=workflow_id)
    assert trpc_error(response)[:2] == (503, "SERVICE_UNAVAILABLE")
    assert int(response.headers["Retry-After"]) > 0
    assert client.session_count() == 0


def test_mistake_of_ours_is_an_error_without_its_details(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client()
    execute(client.machine.database, "ALTER TABLE workflows RENAME TO gone")
    response = query(client, "workflow.get", "x")
    assert trpc_error(response)[:2] == (500, "INTERNAL_SERVER_ERROR")
    assert b"no such table" not in response.data
    assert "no such table: workflows" in caplog.text
