"""Nothing is endless: streams, changes and guesses are counted across the workers."""

import hmac
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.faults.surroundings import row_count
from tests.http.conftest import MakeClient
from tests.server import HTTP, Server, python_agent, running_server, wait_for
from tests.sse import Viewer

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


def test_streams_of_a_worker_are_capped_and_their_places_come_back(server: Server) -> None:
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
