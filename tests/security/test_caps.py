"""Nothing is endless: streams, changes and guesses are counted across the workers."""

import hmac
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from werkzeug.test import TestResponse

from tests.clients.viewer import Viewer
from tests.faults.surroundings import row_count
from tests.http.client import Client, data_of
from tests.http.conftest import MakeClient
from tests.server import HTTP, Server, python_agent, running_server, wait_for

WORKERS, STREAMS, CHANGES, GUESSES = 2, 3, 30, 10
TOKEN = "s3cret-token-of-the-server"
AGENTS = {"forever": python_agent("print('up')\nwhile True: time.sleep(0.05)")}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two workers that allow little."""
    settings = {
        "max_streams": STREAMS,
        "max_changes_per_minute": CHANGES,
        "grace_seconds": 1,
    }
    folder = tmp_path_factory.mktemp("caps")
    with running_server(folder, AGENTS, workers=WORKERS, settings=settings) as started:
        yield started


def test_streams_of_a_worker_are_capped_and_their_slots_come_back(server: Server) -> None:
    session_id = server.invoke("forever")
    refused: list[httpx.Response] = []
    with ExitStack() as stack:

        def are_all_full() -> bool:
            viewer = stack.enter_context(Viewer(server.url, session_id))
            if viewer.response.status_code != 200:
                refused.append(viewer.response)
            return len({answer.headers["X-Worker-Pid"] for answer in refused}) == WORKERS

        wait_for(are_all_full)
        assert {answer.status_code for answer in refused} == {503}
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
        # What is no stream goes on.
        assert server.session(session_id)["status"] == "running"

        value = {"workflowId": server.create_workflow(), "message": "hello"}
        before = row_count(server)
        asked = HTTP.get(f"{server.url}/api/agent-stream", params=value)
        assert asked.status_code == 503
        assert row_count(server) == before  # an agent that nobody could watch is not started

    def gets_in() -> bool:
        with Viewer(server.url, session_id) as viewer:
            return viewer.response.status_code == 200

    wait_for(gets_in)


def test_changes_from_an_address_are_capped_across_workers(server: Server) -> None:
    answers = []
    for _ in range(3 * CHANGES):
        answers.append(server.call("workflow.create", {}))
        if {one.headers["X-Worker-Pid"] for one in answers if one.status_code == 429} == set(
            map(str, server.worker_pids())
        ):
            break
    else:
        raise AssertionError("some worker never refused")
    refused = [one for one in answers if one.status_code != 200]
    assert {one.status_code for one in refused} == {429}
    assert all(0 < int(one.headers["Retry-After"]) <= 60 for one in refused)
    assert HTTP.get(f"{server.url}/api/sessions").status_code == 200  # reading is not counted


def batch(client: Client, procedure: str, *values: object) -> TestResponse:
    """As many calls as there are values, in one request."""
    paths = ",".join([procedure] * len(values))
    return client.post(f"/api/trpc/{paths}?batch=1", dict(enumerate(values)))


def test_batch_is_as_many_changes_as_it_has_calls(make_client: MakeClient) -> None:
    client = make_client(max_changes_per_minute=CHANGES)
    calls: list[object] = [{}] * (CHANGES // 3)
    statuses = [batch(client, "workflow.create", *calls).status_code for _ in range(5)]
    assert statuses == [200] * 3 + [429] * 2
    refused = batch(client, "workflow.create", *calls)
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    listed = client.get("/api/trpc/workflow.list")
    assert len(data_of(listed)["workflows"]) == CHANGES


def test_start_by_get_is_a_change(make_client: MakeClient) -> None:
    client = make_client(max_changes_per_minute=3)
    workflow_id = client.create_workflow()
    start = f"/api/agent-stream?workflowId={workflow_id}&message=true"
    statuses = []
    for _ in range(4):
        response = client.get(start)
        statuses.append(response.status_code)
        response.close()
    assert statuses == [200, 200, 429, 429]
    assert client.session_count() == 2


def test_batch_of_more_than_a_minutes_changes_is_too_large(make_client: MakeClient) -> None:
    client = make_client(max_changes_per_minute=CHANGES)
    assert batch(client, "workflow.create", *[{}] * (CHANGES + 2)).status_code == 413
    assert data_of(client.get("/api/trpc/workflow.list"))["workflows"] == []


def test_history_of_long_messages_comes_in_pages(make_client: MakeClient) -> None:
    client, sent = make_client(), [str(number) * 1_000_000 for number in range(10)]
    workflow_id = client.create_workflow()
    for content in sent:
        message = {"workflowId": workflow_id, "content": content}
        data_of(client.call("workflow.sendMessage", message))
    given: dict[str, object] = {"workflowId": workflow_id}
    found: list[str] = []
    while True:
        answer = client.get(f"/api/trpc/workflow.getHistory?input={json.dumps(given)}")
        assert len(answer.data) < 5_000_000
        page = data_of(answer)
        found = [message["content"] for message in page["messages"]] + found
        if page["nextCursor"] is None:
            break
        given["cursor"] = page["nextCursor"]
    assert found == sent


def test_bytes_from_an_address_are_capped(make_client: MakeClient) -> None:
    budget, size = 8 << 20, 1_000_000
    client = make_client(max_sent_bytes_per_minute=budget)
    message = {"workflowId": client.create_workflow(), "content": "x" * size}
    began, accepted = time.monotonic(), 0
    while (answer := client.call("workflow.sendMessage", message)).status_code == 200:
        accepted += size
        assert accepted <= budget * (1 + (time.monotonic() - began) / 60)
    sent = {"sessionId": "session-1", "content": "x" * 60_000}
    in_batch = batch(client, "session.sendInput", *[sent] * 100)
    assert accepted >= budget - size
    assert (answer.status_code, in_batch.status_code) == (429, 429)
    assert all(0 < int(one.headers["Retry-After"]) <= 60 for one in (answer, in_batch))
    assert client.get("/api/sessions").status_code == 200


@pytest.fixture
def guarded(folder: Path) -> Iterator[Server]:
    """A server that wants a token; it runs no agents, so nothing need be cleared away."""
    given = {"AGENT_STREAM_TOKEN": TOKEN, "AGENT_STREAM_PROXIES": "1"}
    server = Server(folder, WORKERS, "gevent", **given)
    server.start()
    yield server
    server.stop()


def test_token_cannot_be_guessed_at_any_worker(guarded: Server) -> None:
    url, seen = guarded.url, list[tuple[int, str]]()

    def guess(token: str, address: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address}
        answer = HTTP.get(f"{url}/api/sessions", headers=headers)
        seen.append((answer.status_code, answer.headers["X-Worker-Pid"]))
        return answer

    def refuse_all(token: str, address: str) -> None:
        seen.clear()

        def do_all_refuse() -> bool:
            guess(token, address)
            return {worker for status, worker in seen if status == 429} == set(
                map(str, guarded.worker_pids())
            )

        wait_for(do_all_refuse)
        assert [status for status, _worker in seen].count(401) == GUESSES

    refuse_all(TOKEN + "x", "192.0.2.7")
    right = guess(TOKEN, "192.0.2.7")
    assert right.status_code == 429
    assert 0 < int(right.headers["Retry-After"]) <= 60
    headers = {"X-Forwarded-For": "192.0.2.7"}
    form = HTTP.post(f"{url}/login", data={"token": TOKEN}, headers=headers)
    assert (form.status_code, "Set-Cookie" in form.headers) == (429, False)

    refuse_all(TOKEN + "x", "127.0.0.1")  # all of this machine have one address
    assert guess(TOKEN, "127.0.0.1").status_code == 200


def test_token_is_compared_in_the_same_time_whatever_is_wrong_with_it(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time itself cannot be measured here: it must be the function that promises it."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    client = make_client(token=TOKEN)
    monkeypatch.setattr(hmac, "compare_digest", compare)
    for given in (TOKEN, TOKEN[:-1] + "x", "", "x"):
        client.get("/api/sessions", Authorization=f"Bearer {given}")
        assert compared.pop() == (given.encode(), TOKEN.encode())
