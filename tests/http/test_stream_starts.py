"""`GET /api/agent-stream?workflowId=…&message=…`: a session is started and streamed at once."""

from urllib.parse import quote

import pytest

from tests.clients.event_source import EventSource, events_of
from tests.http.client import Client, plain_error


def start(client: Client, message: str, workflow_id: str | None = None) -> tuple[str, EventSource]:
    """A session that was started by its stream, and all of the stream."""
    workflow_id = workflow_id or client.create_workflow()
    query = f"workflowId={workflow_id}&message={quote(message)}"
    response = client.get(f"/api/agent-stream?{query}")
    assert response.status_code == 200
    return workflow_id, EventSource(response.data)


def test_session_is_started_and_streamed_in_one_request(client: Client) -> None:
    _workflow_id, source = start(client, "echo hi")
    assert [event.type for event in source.events] == ["session", "message", "done"]
    assert source.events[1].json() == {"content": "hi"}


def test_its_ids_name_the_session_from_the_first_byte_on(client: Client) -> None:
    workflow_id = client.create_workflow()
    response = client.get(f"/api/agent-stream?workflowId={workflow_id}&message=true")
    body = response.data
    session_id = events_of(body)[0].json()["sessionId"]
    assert body.split(b"\n")[1] == f"id: {session_id}/0".encode()
    assert all(event.last_event_id.startswith(f"{session_id}/") for event in events_of(body))


def test_reconnect_resumes_and_starts_nothing(client: Client) -> None:
    workflow_id, source = start(client, "echo one; echo two")
    before = client.session_count()
    query = f"workflowId={workflow_id}&message=x"
    for position, event in enumerate(source.events[:-1], start=1):
        resumed = client.stream(query, Last_Event_ID=event.last_event_id)
        assert resumed == source.events[position:]
    assert client.session_count() == before


def test_reconnect_after_done_gets_204(client: Client) -> None:
    workflow_id, source = start(client, "true")
    before = client.session_count()
    url = f"/api/agent-stream?workflowId={workflow_id}&message=true"
    assert client.get(url, Last_Event_ID=source.last_event_id).status_code == 204
    assert client.session_count() == before


@pytest.mark.parametrize(
    "asked", ["", "x", "5", "/", "/5", "session-0/0", "session-0/99", "x/y/z", "../..", "😀"]
)
def test_reconnect_that_makes_no_sense_starts_nothing_either(client: Client, asked: str) -> None:
    workflow_id, _source = start(client, "true")
    before = client.session_count()
    response = client.get(
        f"/api/agent-stream?workflowId={workflow_id}&message=true", Last_Event_ID=quote(asked)
    )
    assert response.status_code == 200
    assert [event.type for event in events_of(response.data)] == ["notice", "session", "done"]
    assert client.session_count() == before


def test_reconnect_with_a_torn_offset_resumes_its_session(client: Client) -> None:
    workflow_id, source = start(client, "true")
    session_id = source.events[0].json()["sessionId"]
    for asked in ("x", "-1", "3", "9" * 30):
        query = f"workflowId={workflow_id}&message=true"
        events = client.stream(query, Last_Event_ID=f"{session_id}/{asked}")
        assert events[0].json()["type"] == "gap"
        assert events[-1] == source.events[-1]


def test_reconnect_in_a_workflow_without_sessions_is_not_found(client: Client) -> None:
    workflow_id = client.create_workflow()
    before = client.session_count()
    response = client.get(
        f"/api/agent-stream?workflowId={workflow_id}&message=true", Last_Event_ID="session-0/7"
    )
    assert plain_error(response) == (404, "NOT_FOUND", "Last-Event-ID")
    assert client.session_count() == before


def test_session_of_another_workflow_is_never_resumed(client: Client) -> None:
    _workflow_id, secret = start(client, "echo secret")
    workflow_id, _source = start(client, "echo mine")
    events = client.stream(
        f"workflowId={workflow_id}&message=x", Last_Event_ID=secret.events[0].last_event_id
    )
    assert "secret" not in str(events)


def test_head_starts_nothing(client: Client) -> None:
    before = client.session_count()
    workflow_id = client.create_workflow()
    response = client.head(f"/api/agent-stream?workflowId={workflow_id}&message=true")
    assert response.mimetype == "text/event-stream"
    assert client.session_count() == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "none", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"},
        {"Sec_Fetch_Site": "none", "Sec_Fetch_Mode": "navigate"},
        {"Sec_Fetch_Site": "same-origin", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"},
        {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
        {"Sec_Purpose": "prefetch"},
        {"Sec_Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X_Moz": "prefetch"},
    ],
    ids=str,
)
def test_neither_another_site_nor_a_page_that_opens_starts_a_session_by_a_get(
    client: Client, headers: dict[str, str]
) -> None:
    before = client.session_count()
    workflow_id = client.create_workflow()
    response = client.get(f"/api/agent-stream?workflowId={workflow_id}&message=true", **headers)
    assert response.status_code == 403
    assert client.session_count() == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "*/*"},
        {"Accept": "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"},  # Java's
        {
            "Accept": "text/event-stream",
            "Sec_Fetch_Site": "same-origin",
            "Sec_Fetch_Mode": "cors",
            "Sec_Fetch_Dest": "empty",
        },
    ],
    ids=str,
)
def test_program_and_event_source_may_start_a_session_by_a_get(
    client: Client, headers: dict[str, str]
) -> None:
    workflow_id = client.create_workflow()
    response = client.head(f"/api/agent-stream?workflowId={workflow_id}&message=true", **headers)
    assert response.status_code == 200
