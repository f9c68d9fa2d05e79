"""tRPC input: whatever a client sends is its fault, never ours."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import strategies as st

from tests.fuzz.budget import fuzz, mutated, mutations
from tests.fuzz.values import values
from tests.http.client import Client
from tests.http.conftest import open_client
from webapp.http.trpc.procedure import Subscription
from webapp.http.trpc.router import PROCEDURES

MOST_SESSIONS = 5
THIS_WORKFLOW, THIS_SESSION = "this workflow", "this session"
"""Stand for the ids of what there is."""

FIELDS: dict[str, st.SearchStrategy[object]] = {
    "workflowId": st.just(THIS_WORKFLOW),
    "sessionId": st.just(THIS_SESSION),
    "message": st.text(max_size=20),
    "content": st.text(max_size=20),
    "initialMessage": st.text(max_size=20),
    "requestId": st.text(max_size=5),
    "stageIndex": st.integers(-1, 4),
    "agent": st.sampled_from(["missing", "sh", "argument"]),
    "template": st.sampled_from(["chat", "standard", "hotfix"]),
    "status": st.sampled_from(["active", "paused", "running", "lost", "completed", "discarded"]),
    "limit": st.integers(-1, 1001),
    "cursor": st.integers(-1, 100) | st.just(THIS_SESSION) | st.just(THIS_WORKFLOW),
    "idempotencyKey": st.sampled_from(["a", "b"]),
    "lastEventId": st.integers(-1, 100).map(str) | st.integers(-1, 100),
    "end": st.booleans(),
}
objects = st.fixed_dictionaries(
    {}, optional={name: likely | likely | likely | values for name, likely in FIELDS.items()}
)
likely = st.sampled_from(
    [
        {"workflowId": THIS_WORKFLOW},
        {"workflowId": THIS_WORKFLOW, "message": "hello", "agent": "missing"},
        {"workflowId": THIS_WORKFLOW, "content": "hello"},
        {"workflowId": THIS_WORKFLOW, "status": "active"},
        {"sessionId": THIS_SESSION, "content": "hello", "idempotencyKey": "a"},
        {"template": "standard", "initialMessage": "hello"},
        {"status": ["running", "lost"], "limit": 3},
    ]
)
texts = (
    (objects | values | likely | st.just(THIS_WORKFLOW)).map(lambda value: json.dumps(value))
).map(str.encode) | st.builds(mutated, likely.map(lambda v: json.dumps(v).encode()), mutations)
QUERIES = [
    name
    for name, procedure in PROCEDURES.items()
    if not isinstance(procedure, Subscription) and procedure.kind == "query"
]
names = st.sampled_from([*PROCEDURES, *QUERIES, "nothing", "__class__", "workflow.", ""])


class Asker:
    """A client that sends anything at all, and knows what an answer must be."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._session_id = client.invoke()
        self._workflow_id = client.session(self._session_id)["workflowId"]
        client.machine.wait_until_ended(client.machine.find(self._session_id))

    def ask(self, path: str, text: bytes, *, is_post: bool, is_batch: bool = False) -> None:
        """One request."""
        for stands_for, found in (
            (THIS_WORKFLOW, self._workflow_id),
            (THIS_SESSION, self._session_id),
        ):
            text = text.replace(stands_for.encode(), found.encode())
        query: dict[str, str | bytes] = {"batch": "1"} if is_batch else {}
        url = f"/api/trpc/{path}"
        if is_post:
            response = self._client.http.post(
                url, data=text, content_type="application/json", query_string=query
            )
        else:
            response = self._client.http.get(url, query_string=query | {"input": text})
        try:
            assert response.status_code < 500 or response.status_code == 503, response.data
            if path and response.mimetype == "application/json":
                check_envelope(response.get_json())
        finally:
            response.close()  # of a subscription that was accepted


def check_envelope(answer: Any) -> None:
    """Whether this is a result or an error, or a list of such."""
    for one in answer if isinstance(answer, list) else [answer]:
        assert ("result" in one) != ("error" in one)
        if "error" in one:
            data = one["error"]["data"]
            assert data["httpStatus"] < 500 or data["httpStatus"] == 503, one


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A worker whose agent cannot be started."""
    folder = tmp_path_factory.mktemp("fuzz")
    with open_client(folder, default_agent="missing", max_sessions=MOST_SESSIONS) as opened:
        yield opened


def test_no_trpc_input_is_our_fault(client: Client) -> None:
    asker = Asker(client)

    def check(name: str, text: bytes, is_post: bool) -> None:
        asker.ask(name, text, is_post=is_post)

    fuzz(check, names, texts, st.booleans(), share=0.6)


def test_no_batch_of_trpc_input_is_our_fault(client: Client) -> None:
    asker = Asker(client)
    calls = st.lists(st.tuples(names, texts), min_size=1, max_size=4)
    indices = st.sampled_from(["0", "1", "2", "3", "00", "-1", "x"])

    def check(calls: list[tuple[str, bytes]], wrong_index: str | None, is_post: bool) -> None:
        members = []
        for index, (_name, text) in enumerate(calls):
            key = wrong_index if wrong_index is not None and index == 0 else str(index)
            members.append(b"%b:%b" % (json.dumps(key).encode(), text))
        path = ",".join(name for name, _text in calls)
        asker.ask(path, b"{%b}" % b",".join(members), is_post=is_post, is_batch=True)

    fuzz(check, calls, st.none() | indices, st.booleans(), share=0.4)
