"""What tRPC's links need of HTTP, byte by byte; @trpc/server answers alike."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from tests.clients.event_source import EventSource
from tests.http.client import Client, data_of, trpc_error
from tests.http.conftest import MakeClient
from tests.store.rows import execute
from webapp.http.services import EXTENSION


def ask(client: Client, names: str, value: object, **headers: str) -> TestResponse:
    """A batch of queries."""
    return client.get(f"/api/trpc/{names}?batch=1&input={quote(json.dumps(value))}", **headers)


def lines(response: TestResponse) -> list[Any]:
    """The lines of a streamed batch."""
    return [json.loads(line) for line in response.data.splitlines()]


def subscribe(client: Client, value: object, **headers: str) -> EventSource:
    """A subscription to its first ping, or to its end."""
    response = client.get(
        f"/api/trpc/workflow.onMessage?input={quote(json.dumps(value))}", **headers
    )
    assert response.status_code == 200
    assert response.mimetype == "text/event-stream"
    assert response.headers["X-Accel-Buffering"] == "no"
    return read_to_ping(response)


def read_to_ping(response: TestResponse) -> EventSource:
    """What was there before the first ping."""
    source = EventSource()
    for piece in response.response:
        assert isinstance(piece, bytes)
        source.feed(piece)
        if source.events and source.events[-1].type == "ping":
            source.events.pop()
            break
    response.close()
    return source


# --- a batch that is streamed ---------------------------------------------------------


@pytest.mark.parametrize("header", ["trpc-accept", "Accept"])
def test_batch_is_streamed_answer_by_answer(client: Client, header: str) -> None:
    workflow_id = client.create_workflow()
    names = "workflow.get,workflow.get,workflow.unknown"
    response = ask(client, names, {"0": workflow_id, "1": 7}, **{header: "application/jsonl"})
    assert (response.status_code, response.mimetype) == (200, "application/json")
    head, good, bad, unknown = lines(response)
    assert head == {"0": [[0], [None, 0, 0]], "1": [[0], [None, 0, 1]], "2": [[0], [None, 0, 2]]}
    assert good[:2] == [0, 0]
    assert good[2][0][0]["result"]["data"]["id"] == workflow_id
    assert bad[2][0][0]["error"]["data"] == {
        "code": "BAD_REQUEST",
        "httpStatus": 400,
        "path": "workflow.get",
        "field": "workflowId",
    }
    assert unknown[2][0][0]["error"]["data"]["code"] == "NOT_FOUND"


def test_streamed_batch_of_mutations_does_them_in_order(client: Client) -> None:
    workflow_id = client.create_workflow()
    value = {str(n): {"workflowId": workflow_id, "content": str(n)} for n in range(3)}
    response = client.post(
        f"/api/trpc/{','.join(['workflow.sendMessage'] * 3)}?batch=1",
        value,
        trpc_accept="application/jsonl",
    )
    said = [answer[2][0][0]["result"]["data"] for answer in lines(response)[1:]]
    assert [message["content"] for message in said] == ["0", "1", "2"]


def test_input_of_a_streamed_batch_that_is_no_json_is_an_error_of_each_call(client: Client) -> None:
    response = client.get(
        "/api/trpc/workflow.list,workflow.list?batch=1&input={", trpc_accept="application/jsonl"
    )
    assert [answer[2][0][0]["error"]["data"]["field"] for answer in lines(response)[1:]] == [
        "input",
        "input",
    ]


def test_single_call_cannot_be_streamed(client: Client) -> None:
    response = client.get("/api/trpc/workflow.list", trpc_accept="application/jsonl")
    assert trpc_error(response)[:2] == (400, "BAD_REQUEST")


def test_batch_that_is_too_long_is_one_error(client: Client) -> None:
    response = ask(client, ",".join(["workflow.list"] * 101), {})
    assert trpc_error(response)[:2] == (400, "BAD_REQUEST")


def test_answers_vary_by_what_was_accepted(client: Client) -> None:
    for response in (client.get("/api/trpc/workflow.list"), ask(client, "workflow.list", {})):
        assert set(response.headers["Vary"].split(", ")) >= {"trpc-accept", "accept"}


def test_head_runs_no_procedure(client: Client) -> None:
    response = client.head("/api/trpc/workflow.get?input=7")
    assert (response.status_code, response.data) == (204, b"")


# --- subscriptions --------------------------------------------------------------------


PING_SECONDS = 0.05


@pytest.fixture
def pinging(make_client: MakeClient) -> Client:
    """A worker that sends a ping as soon as it has nothing to send."""
    return make_client(ping_seconds=PING_SECONDS)


def test_subscription_sends_each_message_with_its_id(pinging: Client) -> None:
    workflow_id = data_of(pinging.call("workflow.create", {"initialMessage": "a\nb\u2028\0"}))["id"]
    stream = subscribe(pinging, {"workflowId": workflow_id})
    connected, message = stream.events
    assert connected.type == "connected"
    assert connected.json()["reconnectAfterInactivityMs"] > 1000 * PING_SECONDS
    assert (message.type, message.json()["content"]) == ("message", "a\nb\u2028\0")
    assert message.last_event_id == str(message.json()["id"])
    assert stream.retry_ms is not None


@pytest.mark.parametrize("way", ["header", "input", "query"])
def test_subscription_goes_on_after_the_last_id(pinging: Client, way: str) -> None:
    workflow_id = pinging.create_workflow()
    first = data_of(
        pinging.call("workflow.sendMessage", {"workflowId": workflow_id, "content": "a"})
    )["id"]
    pinging.call("workflow.sendMessage", {"workflowId": workflow_id, "content": "b"})
    value: dict[str, object] = {"workflowId": workflow_id}
    if way == "input":
        stream = subscribe(pinging, value | {"lastEventId": str(first)})
    elif way == "header":
        stream = subscribe(pinging, value | {"lastEventId": "0"}, Last_Event_ID=str(first))
    else:
        text = quote(json.dumps(value))
        path = f"/api/trpc/workflow.onMessage?input={text}&lastEventId={first}"
        stream = read_to_ping(pinging.get(path))
    assert [event.json()["content"] for event in stream.events[1:]] == ["b"]


@pytest.mark.parametrize(
    ("value", "code", "field"),
    [
        (None, -32600, "input"),
        ({}, -32600, "workflowId"),
        ({"workflowId": 7}, -32600, "workflowId"),
        ({"workflowId": "workflow-0"}, -32004, "workflowId"),
    ],
)
def test_refused_subscription_gets_its_error_in_its_stream(
    client: Client, value: object, code: int, field: str
) -> None:
    (event,) = subscribe(client, value, Last_Event_ID="7" if value is not None else "").events
    assert event.type == "serialized-error"
    error = event.json()
    assert (error["code"], error["data"]["field"]) == (code, field)
    assert error["data"]["path"] == "workflow.onMessage"


def test_subscription_by_post_is_refused_in_its_stream(client: Client) -> None:
    response = client.post("/api/trpc/workflow.onMessage", {"workflowId": "w"})
    (event,) = EventSource(response.data).events
    assert event.json()["data"]["code"] == "METHOD_NOT_SUPPORTED"


def test_subscription_in_a_batch_fails_alone(client: Client) -> None:
    response = ask(client, "workflow.onMessage,workflow.list", {})
    assert response.status_code == 207
    refused, listed = response.get_json()
    assert refused["error"]["message"] == "Cannot batch subscription calls."
    assert "workflows" in listed["result"]["data"]


def test_worker_has_an_end_to_its_subscriptions(make_client: MakeClient) -> None:
    client = make_client(max_streams=1)
    board = client.app.extensions[EXTENSION].board
    workflow_id = client.create_workflow()
    following = board.follow(workflow_id, "", 0.01)
    assert next(following) is None
    (event,) = subscribe(client, {"workflowId": workflow_id}).events
    assert event.json()["data"]["code"] == "SERVICE_UNAVAILABLE"
    assert event.json()["code"] == -32603  # the client comes back by itself
    following.close()
    assert board.followers == 0


def test_trouble_in_a_subscription_is_an_error_that_passes(pinging: Client) -> None:
    value = quote(json.dumps({"workflowId": pinging.create_workflow()}))
    pieces = iter(pinging.get(f"/api/trpc/workflow.onMessage?input={value}").response)
    next(pieces)
    execute(pinging.machine.database, "ALTER TABLE messages RENAME TO gone")
    error = EventSource(b"".join(pieces)).events[-1]  # type: ignore[arg-type]
    assert error.type == "serialized-error"
    assert error.json()["code"] == -32603  # the client comes back by itself
