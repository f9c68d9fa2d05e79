"""Requests to a live conversation: each answer of its runner as the client gets it."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.http.client import Client, data_of, plain_error, trpc_error
from tests.http.conftest import MakeClient
from tests.http.fake_runner import FakeRunner, fake_runner
from tests.store.locked import held
from tests.store.rows import execute, rows
from webapp.agents.profiles import BUILT_IN
from webapp.http.services import EXTENSION
from webapp.store.templates import StageTemplate

Answers = dict[str, dict[str, Any]]
RESOLVED = {
    "type": "approval_resolved",
    "id": "a.1",
    "outcome": "allowed",
    "option": "allow_once",
    "by": "ada",
}
RECORD = {"type": "approval", "id": "a.1", "kind": "command", "title": "touch a.txt"}


@pytest.fixture(scope="module")
def answers() -> Answers:
    """What the runner says to each type of request; tests change it."""
    return {}


@pytest.fixture(scope="module")
def live(client: Client, answers: Answers) -> Iterator[FakeRunner]:
    """A live session that talks and waits for a person."""
    with fake_runner(
        client,
        lambda request: answers[request["type"]],
        state="waiting",
        mode="default",
        conversation_id="c-1",
        open_approvals=json.dumps([RECORD]),
    ) as runner:
        yield runner


def approve(client: Client, session_id: str, value: object, approval_id: str = "a.1") -> Any:
    return client.post(f"/api/sessions/{session_id}/approvals/{approval_id}", value)


def test_session_that_talks_says_what_it_does(client: Client, live: FakeRunner) -> None:
    session = client.session(live.session_id)
    names = ("talk", "state", "mode", "model", "conversationId", "resumedFrom", "openApprovals")
    assert [session[name] for name in names] == [
        "claude", "waiting", "default", None, "c-1", None, [RECORD],
    ]  # fmt: skip


# --- approvals ----------------------------------------------------------------------------


def test_answer_is_passed_on_and_its_resolution_comes_back(
    client: Client, live: FakeRunner, answers: Answers
) -> None:
    answers["answer"] = {"resolved": RESOLVED}
    given = {"option": "deny", "message": "Not so.", "by": "ada"}
    found = approve(client, live.session_id, given)
    assert (found.status_code, found.get_json()) == (
        200,
        {"sessionId": live.session_id, **RESOLVED},
    )
    assert live.asked[-1] == {"type": "answer", "id": "a.1", **given}

    value: dict[str, Any] = {"sessionId": live.session_id, "approvalId": "a.1"}
    value |= {"option": "allow_once", "input": {"command": "ls"}, "answers": {"q": ["Blue"]}}
    assert data_of(client.call("session.answer", value))["outcome"] == "allowed"
    assert live.asked[-1]["input"] == {"command": "ls"}
    assert live.asked[-1]["answers"] == {"q": ["Blue"]}


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ({"error": "unknown"}, (404, "NOT_FOUND", "approvalId"), "a.1"),
        ({"error": "no talk"}, (404, "NOT_FOUND", "approvalId"), "a.1"),
        ({"error": "unknown request 'answer'"}, (404, "NOT_FOUND", "approvalId"), "a.1"),
        (
            {"error": "closed", "resolved": RESOLVED},
            (409, "CONFLICT", "approvalId"),
            "allowed (allow_once) by ada",
        ),
        (
            {"error": "option", "expected": "allow_once or deny"},
            (400, "BAD_REQUEST", "option"),
            "expected allow_once or deny",
        ),
        (
            {"error": "input", "expected": "no input: it cannot be changed"},
            (400, "BAD_REQUEST", "input"),
            "cannot be changed",
        ),
        ({"error": "no room"}, (503, "SERVICE_UNAVAILABLE", None), "no space"),
        ({"what": 1}, (503, "SERVICE_UNAVAILABLE", None), "what"),
    ],
    ids=str,
)
def test_answer_that_does_not_count_says_why(
    client: Client,
    live: FakeRunner,
    answers: Answers,
    answer: dict[str, Any],
    error: tuple[int, str, str | None],
    words: str,
) -> None:
    answers["answer"] = answer
    response = approve(client, live.session_id, {"option": "allow_once"})
    assert plain_error(response) == error
    assert words in response.get_json()["error"]["message"]


@pytest.mark.parametrize(
    ("value", "field", "expected"),
    [
        ({}, "option", "missing"),
        ({"option": ""}, "option", "missing"),
        ({"option": 7}, "option", "a text"),
        ({"option": "deny", "input": "ls"}, "input", "an object"),
        ({"option": "deny", "answers": ["Blue"]}, "answers", "an object"),
        ({"option": "deny", "message": ["no"]}, "message", "a text"),
        ({"option": "deny", "message": "x" * 70_000}, "message", "at most 65536"),
        ({"option": "deny", "by": "\ud800"}, "by", "surrogate"),
        ({"option": "deny", "by": "rule"}, "by", "expected another name"),
        ({"option": "deny", "more": 1}, "more", "Unknown field"),
        ([], "input", "an object"),
    ],
    ids=str,
)
def test_answer_that_is_none_is_refused_before_it_is_sent(
    client: Client, live: FakeRunner, value: object, field: str, expected: str
) -> None:
    count = len(live.asked)
    response = approve(client, live.session_id, value)
    assert plain_error(response) == (400, "BAD_REQUEST", field)
    assert expected in response.get_json()["error"]["message"]
    assert len(live.asked) == count


@pytest.mark.parametrize("session_id", ["x", "session-1700000000000-abcabcabcabc", "%2e%2e"])
def test_answer_to_an_unknown_session_is_not_found(client: Client, session_id: str) -> None:
    assert approve(client, session_id, {"option": "deny"}).status_code == 404


def test_answer_needs_no_database(client: Client, live: FakeRunner, answers: Answers) -> None:
    answers["answer"] = {"resolved": RESOLVED}
    database = client.machine.database
    with held(database.path):
        assert approve(client, live.session_id, {"option": "allow_once"}).status_code == 200
        assert client.get("/api/approvals").status_code == 200
    database.close()  # the connections that are pooled, which would keep the lock from the other
    with held(database.path, begin="EXCLUSIVE", locking="EXCLUSIVE"):
        assert approve(client, live.session_id, {"option": "allow_once"}).status_code == 200


def test_all_that_waits_is_listed(client: Client, live: FakeRunner) -> None:
    expected = [{"sessionId": live.session_id, "workflowId": live.workflow_id, **RECORD}]
    assert client.get("/api/approvals").get_json()["approvals"] == expected
    assert data_of(client.get("/api/trpc/approval.list"))["approvals"] == expected


def test_followers_get_the_whole_list_at_each_change(client: Client, live: FakeRunner) -> None:
    board = client.app.extensions[EXTENSION].approvals_board
    set_open = "UPDATE sessions SET open_approvals = :open WHERE id = :id"
    with closing(board.follow(60.0)) as followed:
        assert [each["id"] for each in next(followed).lists["approvals"]] == ["a.1"]
        execute(client.machine.database, set_open, id=live.session_id, open=None)
        assert next(followed).lists["approvals"] == []
        changed = json.dumps([RECORD, RECORD | {"id": "a.2"}])
        execute(client.machine.database, set_open, id=live.session_id, open=changed)
        assert [each["id"] for each in next(followed).lists["approvals"]] == ["a.1", "a.2"]
        execute(client.machine.database, set_open, id=live.session_id, open=json.dumps([RECORD]))


def test_subscription_begins_with_the_list(client: Client, live: FakeRunner) -> None:
    response = client.get("/api/trpc/approval.onChange", Accept="text/event-stream")
    frames = iter(response.response)
    assert b"connected" in next(frames)
    assert live.session_id.encode() in next(frames)
    response.close()


# --- the rest -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("procedure", "given", "asked", "answer", "data"),
    [
        (
            "session.interrupt",
            {"by": "ada"},
            {"type": "interrupt", "by": "ada"},
            {"interrupted": True, "cancelled": ["m-1"]},
            {"interrupted": True, "cancelled": ["m-1"]},
        ),
        (
            "session.cancelMessage",
            {"messageId": "m-1"},
            {"type": "cancel_message", "id": "m-1"},
            {"cancelled": True},
            {"cancelled": True},
        ),
        (
            "session.setMode",
            {"mode": "plan"},
            {"type": "mode", "mode": "plan", "by": "Werkzeug"},
            {"mode": "plan"},
            {"mode": "plan"},
        ),
        (
            "session.setModel",
            {"model": "opus"},
            {"type": "model", "model": "opus", "by": "Werkzeug"},
            {"model": "opus-5"},
            {"model": "opus-5"},
        ),
    ],
)
def test_request_reaches_the_runner(
    client: Client,
    live: FakeRunner,
    answers: Answers,
    procedure: str,
    given: dict[str, Any],
    asked: dict[str, Any],
    answer: dict[str, Any],
    data: dict[str, Any],
) -> None:
    answers[asked["type"]] = answer
    response = client.call(procedure, {"sessionId": live.session_id, **given})
    assert data_of(response) == data
    assert live.asked[-1] == asked


@pytest.mark.parametrize(
    ("procedure", "given", "answer", "error", "words"),
    [
        (
            "session.setMode", {"mode": "x"}, {"error": "mode", "expected": "default or plan"},
            (400, "BAD_REQUEST", "mode"), "'x', expected default or plan",
        ),
        (
            "session.interrupt", {}, {"error": "no talk"},
            (400, "BAD_REQUEST", "sessionId"), "holds no conversation",
        ),
        (
            "session.sendInput", {"content": "hi"}, {"error": "closed"},
            (409, "CONFLICT", "sessionId"), "just ending",
        ),
        (
            "session.sendInput", {"content": "hi", "idempotencyKey": "k"},
            {"error": "other content"}, (409, "CONFLICT", "idempotencyKey"), "other content",
        ),
        (
            "session.sendInput", {"content": "hi"}, {"error": "full"},
            (429, "TOO_MANY_REQUESTS", None), "has not read",
        ),
        (
            "session.sendInput", {"content": "hi", "end": True}, {},
            (400, "BAD_REQUEST", "end"), "no input to close",
        ),
        (
            "session.cancelMessage", {}, {}, (400, "BAD_REQUEST", "messageId"), "missing",
        ),
    ],
)  # fmt: skip
def test_request_that_is_refused_says_why(
    client: Client,
    live: FakeRunner,
    answers: Answers,
    procedure: str,
    given: dict[str, Any],
    answer: dict[str, Any],
    error: tuple[int, str, str | None],
    words: str,
) -> None:
    kind = {"setMode": "mode", "sendInput": "message"}.get(procedure[8:], procedure[8:])
    answers[kind] = answer
    response = client.call(procedure, {"sessionId": live.session_id, **given})
    assert trpc_error(response) == error
    assert words in response.get_json()["error"]["message"]


def test_message_to_a_live_session_is_one_of_the_history(
    client: Client, live: FakeRunner, answers: Answers
) -> None:
    answers["message"] = {"offset": 7, "state": "queued"}
    value = {"sessionId": live.session_id, "content": "and then?", "idempotencyKey": "key-1"}
    assert data_of(client.call("session.sendInput", value))["state"] == "waiting"
    asked = live.asked[-1]
    assert (asked["type"], asked["content"]) == ("message", "and then?")
    data_of(client.call("session.sendInput", value))
    assert live.asked[-1]["id"] == asked["id"]
    found = rows(
        client.machine.database,
        "SELECT content FROM messages WHERE session_id = :id",
        id=live.session_id,
    )
    assert {row["content"] for row in found} == {"and then?"}


@pytest.mark.parametrize(
    "procedure", ["session.interrupt", "session.setMode", "session.cancelMessage"]
)
def test_session_that_has_ended_takes_no_request(client: Client, procedure: str) -> None:
    value = {"sessionId": client.finished()}
    more = {"session.setMode": {"mode": "plan"}, "session.cancelMessage": {"messageId": "m"}}
    response = client.call(procedure, value | more.get(procedure, {}))
    assert trpc_error(response) == (409, "CONFLICT", "sessionId")


# --- stages -------------------------------------------------------------------------------


@pytest.mark.parametrize("is_shared", [False, True])
def test_stages_share_a_conversation_where_their_template_says_so(
    make_client: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_shared: bool
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    stages = tuple(StageTemplate(name, "chat", "auto", is_shared) for name in ("plan", "build"))
    client = make_client(
        agents={"talk": BUILT_IN["demo-talk"]}, default_agent="talk", templates={"pair": stages}
    )
    workflow_id = data_of(client.call("workflow.create", {"template": "pair"}))["id"]
    invocation = {"workflowId": workflow_id, "message": "hello"}
    first = data_of(client.call("workflow.invokeAgent", invocation))
    data_of(client.call("workflow.advance", {"workflowId": workflow_id}))
    second = data_of(client.call("workflow.invokeAgent", invocation))
    assert (second["sessionId"] == first["sessionId"]) is is_shared
