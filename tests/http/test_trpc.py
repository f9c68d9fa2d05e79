"""tRPC: what goes right, and a clear error for everything that does not."""

import json
from typing import Any

import pytest

from tests.http.conftest import Site
from tests.server import wait_for
from webapp.store.models import Workflow


def error_of(answer: Any) -> tuple[int, str, str | None, str]:
    """Status, tRPC code, field and message."""
    error = answer.get_json()["error"]
    assert error["data"]["httpStatus"] == answer.status_code
    return (
        answer.status_code,
        error["data"]["code"],
        error["data"].get("field"),
        error["message"],
    )


def set_status(site: Site, workflow_id: str, status: str) -> None:
    """As a later procedure will do it."""

    def work(orm: Any) -> None:
        orm.get(Workflow, workflow_id).status = status

    site.services.database.write(work)


def test_invoke_answers_with_the_running_session(site: Site) -> None:
    workflow_id = site.create_workflow()
    answer = site.call("workflow.invokeAgent", {"workflowId": workflow_id, "message": "hi"})
    data = answer.get_json()["result"]["data"]
    assert data["sessionId"].startswith("session-")
    assert (data["workflowId"], data["stageIndex"]) == (workflow_id, 0)
    assert data["status"] == "running"


def test_workflow_has_the_stages_of_its_template(site: Site) -> None:
    value = {"requestId": "CR-1", "template": "chat", "initialMessage": "hello"}
    created = site.call("workflow.create", value).get_json()["result"]["data"]
    query = {"input": json.dumps(created["id"])}
    got = site.client.get("/api/trpc/workflow.get", query_string=query).get_json()
    assert got["result"]["data"] == created
    assert created["stages"] == [
        {
            "name": "chat",
            "type": "chat",
            "status": "active",
            "gate": {"type": "auto", "satisfied": False},
        }
    ]


def test_workflows_are_listed_in_pages(site: Site) -> None:
    ids = [site.create_workflow() for _ in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        value = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        query = {"input": json.dumps(value)}
        page = site.client.get("/api/trpc/workflow.list", query_string=query).get_json()
        seen += [workflow["id"] for workflow in page["result"]["data"]["workflows"]]
        cursor = page["result"]["data"]["nextCursor"]
        if cursor is None:
            break
    assert seen == sorted(ids, reverse=True)


@pytest.mark.parametrize(
    ("value", "field", "says"),
    [
        ({}, "workflowId", "missing"),
        ({"workflowId": ""}, "workflowId", "missing"),
        ({"workflowId": 7}, "workflowId", "a number, expected a text"),
        ([1], "input", "an array, expected an object"),
        ({"workflowId": "W", "message": 7}, "message", "expected a text"),
        ({"workflowId": "W", "message": "\ud800"}, "message", "surrogate"),
        ({"workflowId": "W", "message": "x" * 1_048_577}, "message", "at most 1048576"),
        ({"workflowId": "W", "stageIndex": "0"}, "stageIndex", "expected a whole number"),
        ({"workflowId": "W", "stageIndex": 0.5}, "stageIndex", "expected a whole number"),
        ({"workflowId": "W", "stageIndex": True}, "stageIndex", "expected a whole number"),
        ({"workflowId": "W", "stageIndex": 1}, "stageIndex", "out of range"),
        ({"workflowId": "W", "stageIndex": -1}, "stageIndex", "-1"),
        ({"workflowId": "W", "agent": "gpt"}, "agent", "echo, sleep, argument, missing"),
        ({"workflowId": "W", "nonsense": 1}, "nonsense", "Unknown field"),
        ({"workflowId": "W", "agent": "argument", "message": "a\0"}, "message", "NUL"),
        ({"workflowId": "W", "agent": "argument", "message": "x" * 200_000}, "message", "131071"),
    ],
)
def test_bad_input_is_refused_by_the_name_of_its_field(
    site: Site, value: Any, field: str, says: str
) -> None:
    if isinstance(value, dict) and value.get("workflowId") == "W":
        value = value | {"workflowId": site.create_workflow()}
    status, code, named, message = error_of(site.call("workflow.invokeAgent", value))
    assert (status, code, named) == (400, "BAD_REQUEST", field)
    assert says in message
    assert site.session_count() == 0


def test_malformed_json_is_refused(site: Site) -> None:
    answer = site.client.post(
        "/api/trpc/workflow.invokeAgent", data=b'{"workflowId":', content_type="application/json"
    )
    status, code, _field, message = error_of(answer)
    assert (status, code) == (400, "BAD_REQUEST")
    assert "not valid JSON" in message


def test_unknown_workflow_is_not_found(site: Site) -> None:
    answer = site.call("workflow.invokeAgent", {"workflowId": "workflow-0"})
    assert error_of(answer)[:3] == (404, "NOT_FOUND", "workflowId")


def test_workflow_that_is_not_active_is_refused_with_its_status(site: Site) -> None:
    workflow_id = site.create_workflow()
    set_status(site, workflow_id, "paused")
    answer = site.call("workflow.invokeAgent", {"workflowId": workflow_id})
    status, code, _field, message = error_of(answer)
    assert (status, code) == (400, "BAD_REQUEST")
    assert "paused" in message


def test_unknown_procedure_and_wrong_verb_are_told(site: Site) -> None:
    assert error_of(site.call("workflow.nonsense", {}))[:2] == (404, "NOT_FOUND")
    wrong = site.client.get("/api/trpc/workflow.create")
    assert error_of(wrong)[:2] == (405, "METHOD_NOT_SUPPORTED")


def test_command_that_is_not_installed_is_a_failed_session_not_a_500(site: Site) -> None:
    session_id = site.run(agent="missing")
    found = site.session(session_id)
    assert (found["status"], found["exitCode"]) == ("failed", None)
    assert "command not found: 'no-such-command'" in found["error"]
    stream = site.client.get(f"/api/agent-stream?sessionId={session_id}").text
    assert "command not found: 'no-such-command'" in stream
    assert "event: done" in stream


def test_one_bad_call_in_a_batch_fails_alone(site: Site) -> None:
    workflow_id = site.create_workflow()
    answer = site.client.post(
        "/api/trpc/workflow.invokeAgent,workflow.invokeAgent?batch=1",
        json={"0": {"workflowId": workflow_id}, "1": {"workflowId": "workflow-0"}},
    )
    assert answer.status_code == 207
    first, second = answer.get_json()
    assert first["result"]["data"]["workflowId"] == workflow_id
    assert second["error"]["data"]["code"] == "NOT_FOUND"
    assert site.session_count() == 1


def test_batch_of_queries_goes_by_get(site: Site) -> None:
    workflow_id = site.create_workflow()
    query = {"batch": "1", "input": json.dumps({"0": workflow_id, "1": {}})}
    answer = site.client.get("/api/trpc/workflow.get,workflow.list", query_string=query)
    assert answer.status_code == 200
    got, listed = answer.get_json()
    assert [got["result"]["data"]] == listed["result"]["data"]["workflows"]


def test_same_idempotency_key_starts_one_session(site: Site) -> None:
    value = {"workflowId": site.create_workflow(), "message": "once"}
    answers = [
        site.call("workflow.invokeAgent", value, Idempotency_Key="k").get_json() for _ in range(3)
    ]
    assert answers[0] == answers[1] == answers[2]
    assert site.session_count() == 1


def test_same_idempotency_key_for_another_request_is_a_conflict(site: Site) -> None:
    value = {"workflowId": site.create_workflow(), "message": "once"}
    site.call("workflow.invokeAgent", value, Idempotency_Key="k")
    other = site.call("workflow.invokeAgent", value | {"message": "two"}, Idempotency_Key="k")
    assert error_of(other)[:2] == (409, "CONFLICT")


def test_message_reaches_the_agent_as_it_was_sent(site: Site) -> None:
    message = "naïve \u2028 'quotes' $(rm) \U0001f600"
    session_id = site.run(message)
    log = site.client.get(f"/api/sessions/{session_id}/log", buffered=True).data
    assert f"stdout F {message}\n".encode() in log


def test_locked_database_is_503_with_retry_after(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.store.engine.LOCK_PATIENCE_SECONDS", 0.1)
    workflow_id = site.create_workflow()
    database = site.services.database
    pooled = database._reader.raw_connection()
    connection: Any = pooled.dbapi_connection
    connection.execute("BEGIN IMMEDIATE")
    try:
        answer = site.call("workflow.invokeAgent", {"workflowId": workflow_id})
    finally:
        connection.execute("ROLLBACK")
        pooled.close()
    assert error_of(answer)[:2] == (503, "SERVICE_UNAVAILABLE")
    assert int(answer.headers["Retry-After"]) >= 1
    wait_for(lambda: site.session_count() == 0)
