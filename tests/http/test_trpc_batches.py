"""tRPC calls that come together, and calls that come twice."""

import json
from urllib.parse import quote

import pytest

from tests.http.client import Client, data_of, trpc_error


def test_batch_answers_each_call_in_order(client: Client) -> None:
    response = client.post(
        "/api/trpc/workflow.create,workflow.create?batch=1",
        {"0": {"requestId": "a"}, "1": {"requestId": "b"}},
    )
    assert response.status_code == 200
    answers = [answer["result"]["data"]["requestId"] for answer in response.get_json()]
    assert answers == ["a", "b"]


def test_batch_of_one_is_a_list_of_one(client: Client) -> None:
    response = client.post("/api/trpc/workflow.create?batch=1", {"0": {}})
    (answer,) = response.get_json()
    assert answer["result"]["data"]["status"] == "active"


def test_batch_by_get_takes_its_inputs_from_the_query(client: Client) -> None:
    workflow_id = client.create_workflow()
    given = quote(json.dumps({"0": workflow_id, "1": {"limit": 1}}))
    response = client.get(f"/api/trpc/workflow.get,workflow.list?batch=1&input={given}")
    first, second = response.get_json()
    assert first["result"]["data"]["id"] == workflow_id
    assert len(second["result"]["data"]["workflows"]) == 1


def test_batch_of_good_and_bad_calls_is_207(client: Client) -> None:
    response = client.post(
        "/api/trpc/workflow.create,workflow.create,workflow.unknown?batch=1",
        {"0": {}, "1": {"template": "none"}},
    )
    assert response.status_code == 207
    good, bad, unknown = response.get_json()
    assert good["result"]["data"]["status"] == "active"
    assert bad["error"]["data"]["field"] == "template"
    assert unknown["error"]["data"]["path"] == "workflow.unknown"


def test_batch_of_calls_that_fail_alike_has_their_status(client: Client) -> None:
    response = client.post("/api/trpc/a,b?batch=1", {})
    assert response.status_code == 404
    assert [answer["error"]["data"]["path"] for answer in response.get_json()] == ["a", "b"]


@pytest.mark.parametrize("body", [[], "x", 7, {"1": {}}, {"x": {}}])
def test_input_of_a_batch_that_is_none_is_an_error_of_each_call(
    client: Client, body: object
) -> None:
    response = client.post("/api/trpc/workflow.create?batch=1", body)
    (answer,) = response.get_json()
    assert (response.status_code, answer["error"]["data"]["code"]) == (400, "BAD_REQUEST")


def test_batch_has_an_end(client: Client) -> None:
    names = ",".join(["workflow.list"] * 101)
    assert client.get(f"/api/trpc/{names}?batch=1").status_code == 400


# --- the same request twice -----------------------------------------------------------


def test_idempotency_key_starts_one_session(client: Client) -> None:
    value = {"workflowId": client.create_workflow(), "message": "true"}
    first = client.call("workflow.invokeAgent", value, Idempotency_Key="once")
    second = client.call("workflow.invokeAgent", value, Idempotency_Key="once")
    assert data_of(first)["sessionId"] == data_of(second)["sessionId"]


def test_idempotency_key_for_another_request_is_a_conflict(client: Client) -> None:
    workflow_id = client.create_workflow()
    value = {"workflowId": workflow_id, "message": "true"}
    client.call("workflow.invokeAgent", value, Idempotency_Key="twice")
    value["message"] = "false"
    response = client.call("workflow.invokeAgent", value, Idempotency_Key="twice")
    assert trpc_error(response) == (409, "CONFLICT", "Idempotency-Key")


def test_idempotency_key_of_a_batch_counts_for_each_of_its_calls(client: Client) -> None:
    value = {"workflowId": client.create_workflow(), "message": "true"}
    path = "/api/trpc/workflow.invokeAgent,workflow.invokeAgent?batch=1"
    both = {"0": value, "1": value}
    answers = [client.post(path, both, Idempotency_Key="batch").get_json() for _ in range(2)]
    ids = [[answer["result"]["data"]["sessionId"] for answer in each] for each in answers]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


def test_idempotency_key_that_is_too_long_is_refused(client: Client) -> None:
    value = {"workflowId": client.create_workflow()}
    response = client.call("workflow.invokeAgent", value, Idempotency_Key="x" * 300)
    assert trpc_error(response) == (400, "BAD_REQUEST", "Idempotency-Key")
