"""The procedures of workflows, as a client without a library calls them."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from tests.http.client import Client, data_of, trpc_error
from tests.server import wait_for


def query(client: Client, procedure: str, value: object) -> TestResponse:
    """A tRPC query."""
    return client.get(f"/api/trpc/{procedure}?input={quote(json.dumps(value))}")


def create(client: Client, template: str, **more: object) -> str:
    """A new workflow's id."""
    return str(data_of(client.call("workflow.create", {"template": template} | more))["id"])


def step(client: Client, name: str, workflow_id: str, **more: object) -> Any:
    """A procedure's answer, which is the workflow."""
    return data_of(client.call(f"workflow.{name}", {"workflowId": workflow_id} | more))


def history(client: Client, workflow_id: str, **more: object) -> Any:
    """A page of the history."""
    return data_of(query(client, "workflow.getHistory", {"workflowId": workflow_id} | more))


def test_standard_workflow_goes_from_request_to_completed(client: Client) -> None:
    workflow_id = create(client, "standard")
    for index in range(4):
        error = trpc_error(client.call("workflow.advance", {"workflowId": workflow_id}))
        assert error == (409, "CONFLICT", "stageIndex")
        gate = step(client, "satisfyGate", workflow_id, stageIndex=index)["stages"][index]["gate"]
        assert gate["satisfied"] is True
        workflow = step(client, "advance", workflow_id, stageIndex=index)
    assert workflow["status"] == "completed"
    assert [stage["status"] for stage in workflow["stages"]] == ["completed"] * 4


def test_paused_workflow_invokes_again_when_it_is_resumed(client: Client) -> None:
    workflow_id = create(client, "chat")
    assert step(client, "pause", workflow_id)["status"] == "paused"
    refused = client.call("workflow.invokeAgent", {"workflowId": workflow_id, "message": "true"})
    assert trpc_error(refused) == (400, "BAD_REQUEST", "workflowId")
    assert step(client, "resume", workflow_id)["status"] == "active"
    assert client.invoke("true", workflow_id)


@pytest.mark.parametrize("name", ["cancel", "discard"])
def test_end_of_a_workflow_cancels_its_live_sessions_and_no_others(
    client: Client, name: str
) -> None:
    workflow_id, other_id = create(client, "chat"), create(client, "chat")
    sessions = [client.invoke("sleep 600", workflow_id) for _ in range(2)]
    other = client.invoke("sleep 600", other_id)
    step(client, name, workflow_id)
    for session_id in sessions:
        ended = client.machine.wait_until_ended(client.machine.find(session_id))
        assert ended.status == "cancelled"
    assert client.session(other)["status"] in ("starting", "running")
    step(client, name, workflow_id)  # what comes twice is no error


def test_update_of_the_status_to_cancelled_cancels_sessions_too(client: Client) -> None:
    workflow_id = create(client, "chat")
    session_id = client.invoke("sleep 600", workflow_id)
    step(client, "updateStatus", workflow_id, status="cancelled")
    ended = client.machine.wait_until_ended(client.machine.find(session_id))
    assert ended.status == "cancelled"


def test_update_of_the_status_to_completed_lets_sessions_finish(client: Client) -> None:
    workflow_id = create(client, "chat")
    session_id = client.invoke("sleep 0.3; exit 0", workflow_id)
    step(client, "updateStatus", workflow_id, status="completed")
    assert client.machine.wait_until_ended(client.machine.find(session_id)).exit_code == 0


@pytest.mark.parametrize("name", ["pause", "resume", "discard", "satisfyGate", "advance"])
def test_cancelled_workflow_never_changes_again(client: Client, name: str) -> None:
    workflow_id = create(client, "standard")
    step(client, "cancel", workflow_id)
    response = client.call(f"workflow.{name}", {"workflowId": workflow_id})
    assert trpc_error(response) == (409, "CONFLICT", "workflowId")
    assert data_of(query(client, "workflow.get", workflow_id))["status"] == "cancelled"


def test_messages_stand_in_the_history_in_order(client: Client) -> None:
    workflow_id = create(client, "standard", initialMessage="first")
    sent = step(client, "sendMessage", workflow_id, content="second\n", stageIndex=2)
    session_id = client.invoke("true", workflow_id)
    page = history(client, workflow_id)
    said = [m for m in page["messages"] if m["role"] == "user"]
    assert [message["content"] for message in said] == ["first", "second\n", "true"]
    assert said[1] == sent
    assert (sent["stageIndex"], sent["sessionId"], sent["role"]) == (2, None, "user")
    assert said[2]["sessionId"] == session_id


def test_message_with_a_key_is_sent_once(client: Client) -> None:
    workflow_id = create(client, "standard")
    message = {"content": "once", "idempotencyKey": f"key of {workflow_id}"}
    sent = step(client, "sendMessage", workflow_id, **message)
    assert step(client, "sendMessage", workflow_id, **message) == sent
    assert step(client, "sendMessage", workflow_id, **message, stageIndex=0) == sent
    step(client, "cancel", workflow_id)
    assert step(client, "sendMessage", workflow_id, **message) == sent
    said = [m for m in history(client, workflow_id)["messages"] if m["role"] == "user"]
    assert said == [sent]


def test_key_of_another_message_is_a_conflict(client: Client) -> None:
    workflow_id, other_id = create(client, "standard"), create(client, "standard")
    message = {"workflowId": workflow_id, "content": "x", "idempotencyKey": f"of {workflow_id}"}
    assert client.call("workflow.sendMessage", message).status_code == 200
    for change in ({"content": "y"}, {"stageIndex": 1}, {"workflowId": other_id}):
        response = client.call("workflow.sendMessage", message | change)
        assert trpc_error(response) == (409, "CONFLICT", "idempotencyKey")


def test_history_comes_in_pages_from_its_end(client: Client) -> None:
    workflow_id = create(client, "chat")
    for number in range(7):
        step(client, "sendMessage", workflow_id, content=str(number))
    pages, cursor = [], None
    while True:
        page = history(client, workflow_id, limit=3, cursor=cursor)
        pages.append([message["content"] for message in page["messages"]])
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert pages == [["4", "5", "6"], ["1", "2", "3"], ["0"]]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("sendMessage", {}, (400, "BAD_REQUEST", "workflowId")),
        ("sendMessage", {"workflowId": "workflow-0"}, (400, "BAD_REQUEST", "content")),
        ("sendMessage", {"workflowId": "w", "content": 7}, (400, "BAD_REQUEST", "content")),
        ("sendMessage", {"workflowId": "w", "content": "x"}, (404, "NOT_FOUND", "workflowId")),
        ("sendMessage", {"workflowId": "w", "text": "x"}, (400, "BAD_REQUEST", "text")),
        ("advance", {"workflowId": "w"}, (404, "NOT_FOUND", "workflowId")),
        ("advance", {"workflowId": "w", "stageIndex": -1}, (400, "BAD_REQUEST", "stageIndex")),
        ("satisfyGate", {"workflowId": 7}, (400, "BAD_REQUEST", "workflowId")),
        ("updateStatus", {"workflowId": "w"}, (400, "BAD_REQUEST", "status")),
        ("updateStatus", {"workflowId": "w", "status": "on"}, (400, "BAD_REQUEST", "status")),
        ("pause", None, (400, "BAD_REQUEST", "input")),
        ("resume", "workflow-0", (400, "BAD_REQUEST", "input")),
        ("cancel", {"workflowId": "w"}, (404, "NOT_FOUND", "workflowId")),
        ("discard", {"workflowId": "w", "why": "x"}, (400, "BAD_REQUEST", "why")),
    ],
    ids=str,
)
def test_bad_input_is_refused_by_field(
    client: Client, name: str, value: object, expected: tuple[int, str, str]
) -> None:
    assert trpc_error(client.call(f"workflow.{name}", value)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"workflowId": "w"}, (404, "NOT_FOUND", "workflowId")),
        ({"workflowId": "w", "limit": 0}, (400, "BAD_REQUEST", "limit")),
        ({"workflowId": "w", "cursor": "x"}, (400, "BAD_REQUEST", "cursor")),
    ],
)
def test_bad_input_of_history_is_refused_by_field(
    client: Client, value: object, expected: tuple[int, str, str]
) -> None:
    assert trpc_error(query(client, "workflow.getHistory", value)) == expected


def test_template_of_the_operator_makes_workflows(make_client: Any) -> None:
    from webapp.store.templates import StageTemplate

    client = make_client(templates={"mine": (StageTemplate("a", "b", "agent"),)})
    workflow = data_of(client.call("workflow.create", {"template": "mine"}))
    assert workflow["stages"] == [
        {
            "name": "a",
            "type": "b",
            "status": "active",
            "gate": {"type": "agent", "satisfied": False},
        }
    ]
    assert (
        "mine" in client.call("workflow.create", {"template": "x"}).get_json()["error"]["message"]
    )


# --- sessions -------------------------------------------------------------------------


def test_sessions_are_listed_by_workflow_and_status(client: Client) -> None:
    workflow_id = create(client, "chat")
    ended = client.invoke("true", workflow_id)
    client.machine.wait_until_ended(client.machine.find(ended))
    live = client.invoke("sleep 600", workflow_id)
    for status, expected in (
        (None, [live, ended]),
        ("succeeded", [ended]),
        (["starting", "running"], [live]),
    ):
        value = {"workflowId": workflow_id, "status": status}
        page = data_of(query(client, "session.list", value))
        assert [session["sessionId"] for session in page["sessions"]] == expected
        assert page["nextCursor"] is None
    first = data_of(query(client, "session.list", {"workflowId": workflow_id, "limit": 1}))
    value = {"workflowId": workflow_id, "cursor": first["nextCursor"]}
    second = data_of(query(client, "session.list", value))
    assert [session["sessionId"] for session in second["sessions"]] == [ended]


def test_session_is_got_and_cancelled(client: Client) -> None:
    session_id = client.invoke("sleep 600")
    wait_for(lambda: client.session(session_id)["status"] == "running")
    session = data_of(query(client, "session.get", {"sessionId": session_id}))
    assert session == client.session(session_id)
    assert data_of(client.call("session.cancel", {"sessionId": session_id}))["sessionId"]
    ended = client.machine.wait_until_ended(client.machine.find(session_id))
    assert ended.status == "cancelled"
    response = client.call("session.cancel", {"sessionId": session_id})
    assert trpc_error(response) == (409, "CONFLICT", "sessionId")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, (400, "BAD_REQUEST", "input")),
        ({}, (400, "BAD_REQUEST", "sessionId")),
        ({"sessionId": "session-0"}, (404, "NOT_FOUND", "sessionId")),
    ],
)
def test_bad_input_of_session_is_refused_by_field(
    client: Client, value: object, expected: tuple[int, str, str]
) -> None:
    assert trpc_error(query(client, "session.get", value)) == expected
    assert trpc_error(client.call("session.cancel", value)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, (400, "BAD_REQUEST", "sessionId")),
        ({"content": "x"}, (400, "BAD_REQUEST", "sessionId")),
        ({"sessionId": "session-0"}, (400, "BAD_REQUEST", "content")),
        ({"sessionId": "session-0", "end": True}, (404, "NOT_FOUND", "sessionId")),
        ({"sessionId": "session-0", "end": "yes"}, (400, "BAD_REQUEST", "end")),
        ({"sessionId": "s", "content": "x" * 65_537}, (400, "BAD_REQUEST", "content")),
        ({"sessionId": "s", "content": "\ud800"}, (400, "BAD_REQUEST", "content")),
        ({"sessionId": "s", "text": "x"}, (400, "BAD_REQUEST", "text")),
        (
            {"sessionId": "session-0", "content": "x", "idempotencyKey": 7},
            (400, "BAD_REQUEST", "idempotencyKey"),
        ),
    ],
    ids=lambda value: str(value)[:60].encode("ascii", "replace").decode(),
)
def test_bad_input_of_send_input_is_refused_by_field(
    client: Client, value: object, expected: tuple[int, str, str]
) -> None:
    assert trpc_error(client.call("session.sendInput", value)) == expected


def test_input_to_a_profile_that_reads_none_is_refused(client: Client) -> None:
    session_id = client.invoke("sleep 600")
    value = {"sessionId": session_id, "content": "x"}
    assert trpc_error(client.call("session.sendInput", value)) == (400, "BAD_REQUEST", "sessionId")
    client.call("session.cancel", {"sessionId": session_id})


def test_bad_status_of_sessions_is_refused(client: Client) -> None:
    for status in ("done", ["running", "done"], ["running", 7]):
        response = query(client, "session.list", {"status": status})
        assert trpc_error(response) == (400, "BAD_REQUEST", "status")


# --- in the list of a person ------------------------------------------------------------


def listed(client: Client, **wanted: object) -> list[str]:
    """The ids of a list."""
    page = data_of(query(client, "workflow.list", {"limit": 200} | wanted))
    return [workflow["id"] for workflow in page["workflows"]]


def test_workflow_is_renamed_and_known_by_its_first_message_again(client: Client) -> None:
    workflow_id = create(client, "chat", initialMessage="Fix the cart")
    assert (
        step(client, "rename", workflow_id, title="  Cart\n and till ")["title"] == "Cart and till"
    )
    assert step(client, "rename", workflow_id, title="x" * 300)["title"] == "x" * 120
    assert step(client, "rename", workflow_id, title=" ")["title"] == "Fix the cart"
    refused = client.call("workflow.rename", {"workflowId": workflow_id, "title": "x" * 500})
    assert trpc_error(refused) == (400, "BAD_REQUEST", "title")


@pytest.mark.parametrize(("name", "mark"), [("pin", "pinned"), ("archive", "archived")])
def test_workflows_are_marked_and_listed_by_their_marks(
    client: Client, name: str, mark: str
) -> None:
    marked, other = create(client, "chat"), create(client, "chat")
    first = step(client, name, marked, **{mark: True})[f"{mark}At"]
    assert first
    assert step(client, name, marked, **{mark: True})[f"{mark}At"] == first
    with_it, without_it = listed(client, **{mark: True}), listed(client, **{mark: False})
    assert marked in with_it
    assert marked not in without_it
    assert other in without_it
    assert other not in with_it
    assert step(client, name, marked, **{mark: False})[f"{mark}At"] is None
    assert marked in listed(client, **{mark: False})


def test_workflows_are_found_by_their_titles(client: Client) -> None:
    said = create(client, "chat", initialMessage="Repair the 100%_cart")
    named = create(client, "chat")
    step(client, "rename", named, title="The CART again")
    create(client, "chat", initialMessage="Something else")
    assert set(listed(client, text="cart")) >= {said, named}
    assert listed(client, text="100%_c") == [said]
    assert listed(client, text="no such words") == []


def test_list_says_what_the_last_session_came_to(client: Client) -> None:
    workflow_id = create(client, "chat")
    for _ in range(2):
        last = client.invoke("true", workflow_id)
        client.machine.wait_until_gone(client.machine.find(last))
    page = data_of(query(client, "workflow.list", {"limit": 200}))
    (found,) = [each for each in page["workflows"] if each["id"] == workflow_id]
    latest = found["latestSession"]
    assert (latest["sessionId"], latest["status"]) == (last, "succeeded")
    assert latest["restedAt"]


def test_workflow_is_deleted_with_its_logs_and_rows(client: Client) -> None:
    workflow_id = create(client, "chat", initialMessage="Delete me")
    live = client.invoke("sleep 600", workflow_id)
    log = client.machine.var / client.session(live)["logPath"]
    refused = client.call("workflow.delete", {"workflowId": workflow_id})
    assert trpc_error(refused) == (409, "CONFLICT", "workflowId")
    assert log.exists()
    client.call("session.cancel", {"sessionId": live})
    wait_for(lambda: client.session(live)["status"] == "cancelled")

    wait_for(lambda: client.call("workflow.delete", {"workflowId": workflow_id}).status_code == 200)
    assert not log.parent.exists()
    assert client.get(f"/api/sessions/{live}").status_code == 404
    assert workflow_id not in listed(client)
    gone = client.call("workflow.delete", {"workflowId": workflow_id})
    assert trpc_error(gone) == (404, "NOT_FOUND", "workflowId")
