"""`GET /api/sessions/<id>/events`: the events of a session as JSON pages."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.http.client import Client, plain_error
from tests.server import wait_for
from tests.sessions.machine import kill


@pytest.fixture(scope="module")
def finished(client: Client) -> str:
    """A session that printed some lines and ended."""
    session_id = client.invoke("""echo one; echo '{"type":"x","n":[1.50]}'; echo three >&2""")
    client.machine.wait_until_gone(client.machine.find(session_id))
    return session_id


def page(client: Client, session_id: str, query: str = "") -> Any:
    """One page."""
    response = client.get(f"/api/sessions/{session_id}/events?{query}")
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    return response.get_json()


def streamed(client: Client, session_id: str) -> list[dict[str, Any]]:
    """The same events as the stream tells them."""
    events = client.stream(f"sessionId={session_id}&format=envelope")
    return [{"id": event.last_event_id} | event.json() for event in events]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 1000])
def test_pages_are_the_events_of_the_stream(client: Client, finished: str, limit: int) -> None:
    got, offset = [], 0
    while offset is not None:
        answer = page(client, finished, f"offset={offset}&limit={limit}")
        assert "gap" not in answer
        assert 1 <= len(answer["events"]) <= limit
        got += answer["events"]
        offset = answer["nextOffset"]
    assert got == streamed(client, finished)


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 1000])
def test_pages_backwards_are_the_same_events_newest_first(
    client: Client, finished: str, limit: int
) -> None:
    got = []
    query: str | None = "order=desc"
    while query is not None:
        answer = page(client, finished, f"{query}&limit={limit}")
        assert "gap" not in answer
        got += answer["events"]
        offset = answer["nextOffset"]
        query = None if offset is None else f"order=desc&offset={offset}"
    assert got == streamed(client, finished)[::-1]


def test_event_is_its_envelope_with_its_id(client: Client, finished: str) -> None:
    event = page(client, finished)["events"][1]
    assert list(event) == ["id", "time", "stream", "event", "data"]
    assert (event["stream"], event["event"], event["data"]) == (
        "stdout",
        "message",
        {"content": "one"},
    )
    assert isinstance(event["id"], str)


def test_page_holds_a_hundred_events_by_default(client: Client) -> None:
    session_id = client.invoke("seq 150")
    client.machine.wait_until_gone(client.machine.find(session_id))
    first = page(client, session_id)
    assert len(first["events"]) == 100
    assert str(first["nextOffset"]) == first["events"][-1]["id"]
    assert len(page(client, session_id, "order=desc")["events"]) == 100
    assert len(page(client, session_id, "limit=1000")["events"]) == 152


def test_end_of_a_live_session_is_where_to_ask_again(client: Client) -> None:
    session_id = client.invoke("echo one; sleep 600")
    session = client.machine.find(session_id)
    client.machine.wait_for_output(session, b"one\n")
    first = page(client, session_id)
    offset = first["nextOffset"]
    assert str(offset) == first["events"][-1]["id"]
    assert page(client, session_id, f"offset={offset}") == {"events": [], "nextOffset": offset}

    client.post(f"/api/sessions/{session_id}/cancel", {})
    client.machine.wait_until_gone(session)
    last = page(client, session_id, f"offset={offset}")
    assert last["events"][-1]["event"] == "done"
    assert last["nextOffset"] is None


def test_nothing_follows_the_end(client: Client, finished: str) -> None:
    end = page(client, finished)["events"][-1]["id"]
    assert page(client, finished, f"offset={end}") == {"events": [], "nextOffset": None}


def test_nothing_is_before_the_beginning(client: Client, finished: str) -> None:
    assert page(client, finished, "order=desc&offset=0") == {"events": [], "nextOffset": None}


def test_no_offset_at_all_tears_repeats_or_fails(client: Client, finished: str) -> None:
    whole = streamed(client, finished)
    ids = {0, *(int(event["id"]) for event in whole)}
    for asked in range(max(ids) + 3):
        after = page(client, finished, f"offset={asked}")
        before = page(client, finished, f"offset={asked}&order=desc")
        assert after.get("gap", False) == before.get("gap", False) == (asked not in ids)
        assert after["events"] == whole[len(whole) - len(after["events"]) :]
        assert before["events"] == [e for e in whole if int(e["id"]) <= asked][::-1]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("asked", ["x", "-1", "1.5e3", "١٢", "session-1/5", "9" * 30, "😀", "%00"])
def test_garbage_is_a_gap_and_never_an_error(
    client: Client, finished: str, asked: str, order: str
) -> None:
    answer = page(client, finished, f"order={order}&offset={quote(asked)}")
    assert answer["gap"] is True
    assert answer["events"]


def test_session_that_lost_its_runner_is_ended_first(client: Client) -> None:
    session_id = client.invoke("echo one; sleep 600")
    session = client.machine.wait_until_running(client.machine.find(session_id))
    kill(session.runner_pid)
    wait_for(lambda: not client.machine.is_locked(session))
    answer = page(client, session_id)
    assert answer["events"][-1]["data"]["status"] == "lost"
    assert answer["nextOffset"] is None


def test_torn_record_is_no_event_yet(client: Client) -> None:
    session_id = client.invoke("sleep 600")
    session = client.machine.wait_until_running(client.machine.find(session_id))
    wait_for(lambda: client.machine.log(session))
    before = page(client, session_id)
    with client.machine.files(session).log.open("ab") as log:
        log.write(b"2026-11-23T21:04:00.123456789Z stdout F ha")
    assert page(client, session_id) == before
    assert page(client, session_id, "order=desc")["events"] == before["events"][::-1]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("order=up", "order"),
        ("order=", "order"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
    ],
)
def test_bad_query_is_refused_by_field(
    client: Client, finished: str, query: str, field: str
) -> None:
    response = client.get(f"/api/sessions/{finished}/events?{query}")
    assert plain_error(response) == (400, "BAD_REQUEST", field)


def test_log_that_is_gone_is_not_found(client: Client) -> None:
    session_id = client.finished()
    client.machine.files(client.machine.find(session_id)).log.unlink()
    response = client.get(f"/api/sessions/{session_id}/events")
    assert plain_error(response) == (404, "NOT_FOUND", "sessionId")
