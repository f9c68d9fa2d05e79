"""`GET /api/agent-stream` in both its forms."""

import os
from urllib.parse import quote

import pytest

from tests.clients.event_source import events_of
from tests.http.client import Client, plain_error
from tests.http.conftest import MakeClient
from tests.server import wait_for
from tests.store.locked import held


@pytest.fixture(scope="module")
def finished(client: Client) -> str:
    """A session that printed two lines and ended."""
    session_id = client.invoke("echo one; echo two")
    client.machine.wait_until_gone(client.machine.find(session_id))
    return session_id


def names(client: Client, query: str, **headers: str) -> list[str]:
    """The names of the events of a stream that ends."""
    return [event.type for event in client.stream(query, **headers)]


# --- a session that is there ----------------------------------------------------------


def test_stream_of_a_finished_session_is_its_whole_story(client: Client, finished: str) -> None:
    events = client.stream(f"sessionId={finished}")
    assert [event.type for event in events] == ["session", "message", "message", "done"]
    assert events[0].json()["sessionId"] == finished
    assert events[1].json() == {"content": "one"}
    assert events[3].json() == {"exitCode": 0, "signal": None, "status": "succeeded"}


def test_stream_is_an_event_stream_that_nobody_may_keep(client: Client, finished: str) -> None:
    response = client.get(f"/api/agent-stream?sessionId={finished}")
    assert response.mimetype == "text/event-stream"
    assert "no-cache" in response.headers["Cache-Control"]
    assert response.headers["X-Accel-Buffering"] == "no"
    first_block = response.data.partition(b"\n\n")[0]
    assert first_block.startswith(b"retry: ")
    assert b"\ndata: " in first_block  # a block without data is an empty message to some clients


def test_stream_of_a_live_session_begins_at_once(client: Client) -> None:
    session_id = client.invoke("echo up; sleep 600")
    response = client.get(f"/api/agent-stream?sessionId={session_id}")
    body = b""
    for piece in response.response:
        body += piece if isinstance(piece, bytes) else piece.encode()
        if b'"content":"up"' in body:
            break
    response.close()
    assert [event.type for event in events_of(body)] == ["session", "message"]


def test_stream_resumes_after_the_last_event_id(client: Client, finished: str) -> None:
    events = client.stream(f"sessionId={finished}")
    for position, event in enumerate(events[:-1], start=1):
        resumed = client.stream(f"sessionId={finished}", Last_Event_ID=event.last_event_id)
        assert resumed == events[position:]


def test_stream_resumes_at_an_offset_as_well(client: Client, finished: str) -> None:
    events = client.stream(f"sessionId={finished}")
    offset = events[1].last_event_id
    assert client.stream(f"sessionId={finished}&offset={offset}") == events[2:]


def test_header_counts_before_the_offset_of_the_first_request(
    client: Client, finished: str
) -> None:
    events = client.stream(f"sessionId={finished}")
    query = f"sessionId={finished}&offset={events[0].last_event_id}"
    assert client.stream(query, Last_Event_ID=events[2].last_event_id) == events[3:]


def test_viewer_that_has_done_gets_204(client: Client, finished: str) -> None:
    end = client.stream(f"sessionId={finished}")[-1].last_event_id
    response = client.get(f"/api/agent-stream?sessionId={finished}", Last_Event_ID=end)
    assert (response.status_code, response.data) == (204, b"")


def test_viewer_that_has_done_gets_204_before_the_row_knows(
    make_client: MakeClient,
) -> None:
    client = make_client()
    session_id = client.invoke("sleep 0.3")
    session = client.machine.find(session_id)
    with held(client.machine.database.path):
        wait_for(lambda: client.machine.events(session)[-1:], patience_seconds=20)
        wait_for(lambda: client.machine.events(session)[-1].name == "done")
        assert client.session(session_id)["status"] in ("starting", "running")
        end = str(len(client.machine.log(session)))
        response = client.get(f"/api/agent-stream?sessionId={session_id}", Last_Event_ID=end)
        assert response.status_code == 204


@pytest.mark.parametrize(
    "asked",
    ["x", "-1", "1.5", "0x10", "١٢", "12 ", "NaN", "session-1/5", "1" * 1000, "😀", "%00"],
)
def test_garbage_starts_from_the_beginning_or_the_end_with_a_gap(
    client: Client, finished: str, asked: str
) -> None:
    for response in (
        client.get(f"/api/agent-stream?sessionId={finished}&offset={quote(asked)}"),
        client.get(f"/api/agent-stream?sessionId={finished}", Last_Event_ID=quote(asked)),
    ):
        assert response.status_code == 200
        events = events_of(response.data)
        assert events[0].type == "notice"
        assert events[0].json()["type"] == "gap"
        assert events[-1].type == "done"


@pytest.mark.parametrize("beyond", [1, 2, 10**6, 2**31, 2**63, 10**18, 10**19, 10**25])
def test_offset_past_the_end_repeats_nothing(client: Client, finished: str, beyond: int) -> None:
    size = len(client.machine.log(client.machine.find(finished)))
    assert names(client, f"sessionId={finished}", Last_Event_ID=str(size + beyond)) == [
        "notice",
        "done",
    ]


def test_no_offset_at_all_tears_repeats_or_fails(client: Client, finished: str) -> None:
    events = client.stream(f"sessionId={finished}")
    ids = {int(event.last_event_id) for event in events}
    size = max(ids)
    for asked in range(1, size):
        got = client.stream(f"sessionId={finished}", Last_Event_ID=str(asked))
        if asked not in ids:
            assert got.pop(0).json()["type"] == "gap"
        assert got == events[len(events) - len(got) :]
        assert len(got) >= 1
        assert all(int(event.last_event_id) > asked for event in got)


@pytest.mark.parametrize("asked", ["", "0"])
def test_zero_and_nothing_are_the_beginning_without_a_gap(
    client: Client, finished: str, asked: str
) -> None:
    assert names(client, f"sessionId={finished}&offset={asked}")[0] == "session"


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 1_000_000])
def test_tail_begins_that_number_of_events_before_the_end(
    client: Client, finished: str, count: int
) -> None:
    events = client.stream(f"sessionId={finished}")
    tail = client.stream(f"sessionId={finished}&tail={count}")
    assert tail == (events[-count:] if count else [])


def test_tail_of_a_live_session_goes_on_live(client: Client) -> None:
    session_id = client.invoke("echo one; echo two; sleep 0.3; echo three")
    client.machine.wait_for_output(client.machine.find(session_id), b"two\n")
    texts = [event.json() for event in client.stream(f"sessionId={session_id}&tail=1")]
    assert texts[0] in ({"content": "two"}, {"content": "three"})
    assert texts[-1]["status"] == "succeeded"


def test_header_counts_before_tail_and_from(client: Client, finished: str) -> None:
    events = client.stream(f"sessionId={finished}")
    seen = events[0].last_event_id
    for query in ("tail=1", "from=2099-01-01T00:00:00Z"):
        resumed = client.stream(f"sessionId={finished}&{query}", Last_Event_ID=seen)
        assert resumed == events[1:]


def test_stream_begins_from_a_time_or_an_offset(client: Client, finished: str) -> None:
    events = client.stream(f"sessionId={finished}")
    wrapped = client.stream(f"sessionId={finished}&format=envelope")
    for position, event in enumerate(wrapped):
        time = event.json()["time"]
        first = [other.json()["time"] for other in wrapped].index(time)
        assert client.stream(f"sessionId={finished}&from={time}") == events[first:]
        if position:
            offset = events[position - 1].last_event_id
            assert client.stream(f"sessionId={finished}&from={offset}") == events[position:]
    for year in ("0500", "1999"):
        assert client.stream(f"sessionId={finished}&from={year}-01-01T00:00:00Z") == events
    assert client.stream(f"sessionId={finished}&from=2099-01-01T00:00:00Z") == []


def test_timed_replay_says_the_same_events(client: Client, finished: str) -> None:
    events = client.stream(f"sessionId={finished}")
    query = f"sessionId={finished}&speed=1000&maxGap=0.5"
    assert client.stream(query) == events
    assert client.stream(f"{query}&tail=2") == events[-2:]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("tail=x", "tail"),
        ("tail=-1", "tail"),
        ("from=yesterday", "from"),
        ("tail=1&offset=1", "tail"),
        ("speed=0", "speed"),
        ("speed=fast", "speed"),
        ("speed=1&maxGap=-1", "maxGap"),
        ("maxGap=1", "maxGap"),
    ],
)
def test_bad_wish_is_refused_by_field(
    client: Client, finished: str, query: str, field: str
) -> None:
    response = client.get(f"/api/agent-stream?sessionId={finished}&{query}")
    assert plain_error(response) == (400, "BAD_REQUEST", field)


def test_stream_over_the_cap_is_to_come_back_later(make_client: MakeClient) -> None:
    client = make_client(max_streams=1)
    session_id = client.invoke("echo up; sleep 600")
    url = f"/api/agent-stream?sessionId={session_id}"
    first = client.get(url)
    next(iter(first.response))  # its head
    next(iter(first.response))  # and now it is counted
    before = client.session_count()
    workflow_id = client.create_workflow()
    for refused in (
        client.get(url),
        client.get(f"/api/agent-stream?workflowId={workflow_id}&message=true"),
    ):
        assert plain_error(refused)[:2] == (503, "SERVICE_UNAVAILABLE")
        assert int(refused.headers["Retry-After"]) > 0
        assert "AGENT_STREAM_MAX_STREAMS" in refused.get_json()["error"]["message"]
    assert client.session_count() == before  # none was started and then not shown
    first.close()
    again = client.get(url)
    assert again.status_code == 200
    again.close()


def test_envelope_wraps_every_event(client: Client, finished: str) -> None:
    events = client.stream(f"sessionId={finished}&format=envelope&offset=1")
    assert [event.json()["event"] for event in events] == [event.type for event in events]
    message = events[1].json()
    assert message["data"] == {"content": "one"}
    assert message["stream"] == "stdout"
    assert message["time"].endswith("Z")


def test_head_answers_as_get_would(client: Client, finished: str) -> None:
    response = client.head(f"/api/agent-stream?sessionId={finished}")
    assert (response.status_code, response.mimetype) == (200, "text/event-stream")
    assert response.data == b""


# --- bad input ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (400, "BAD_REQUEST", "sessionId")),
        ("sessionId=", (400, "BAD_REQUEST", "sessionId")),
        ("sessionId=" + "x" * 300, (400, "BAD_REQUEST", "sessionId")),
        ("sessionId=session-0", (404, "NOT_FOUND", "sessionId")),
        ("sessionId=../../etc/passwd", (404, "NOT_FOUND", "sessionId")),
        ("sessionId=%00", (404, "NOT_FOUND", "sessionId")),
        ("sessionId=%ED%A0%80", (404, "NOT_FOUND", "sessionId")),
        ("workflowId=", (400, "BAD_REQUEST", "workflowId")),
        ("workflowId=workflow-0&message=x", (404, "NOT_FOUND", "workflowId")),
        ("workflowId=w&stageIndex=x", (400, "BAD_REQUEST", "stageIndex")),
        ("workflowId=w&stageIndex=-1", (400, "BAD_REQUEST", "stageIndex")),
        ("workflowId=w&agent=unknown", (400, "BAD_REQUEST", "agent")),
        ("workflowId=w&message=" + "x" * ((1 << 20) + 1), (400, "BAD_REQUEST", "message")),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_request_is_refused_by_field(
    client: Client, query: str, expected: tuple[int, str, str | None]
) -> None:
    assert plain_error(client.get(f"/api/agent-stream?{query}")) == expected


def test_unknown_session_gets_404(client: Client) -> None:
    response = client.get("/api/agent-stream?sessionId=session-1795467840123-0123456789ab")
    assert response.status_code == 404
    assert "never was one" in response.get_json()["error"]["message"]


def test_unknown_format_is_refused_with_those_available(client: Client, finished: str) -> None:
    response = client.get(f"/api/agent-stream?sessionId={finished}&format=xml")
    assert plain_error(response) == (400, "BAD_REQUEST", "format")
    assert "envelope" in response.get_json()["error"]["message"]


def test_session_of_another_workflow_is_refused(client: Client, finished: str) -> None:
    response = client.get(f"/api/agent-stream?sessionId={finished}&workflowId=workflow-0")
    assert plain_error(response) == (400, "BAD_REQUEST", "workflowId")


# --- logs that are gone or damaged ----------------------------------------------------


def test_stream_of_a_session_whose_log_is_gone_ends_by_its_row(client: Client) -> None:
    session_id = client.finished()
    client.machine.files(client.machine.find(session_id)).log.unlink()
    assert names(client, f"sessionId={session_id}") == ["notice", "done"]


def test_stream_of_a_log_that_lost_its_end_gets_it_back(client: Client) -> None:
    session_id = client.finished()
    session = client.machine.find(session_id)
    os.truncate(client.machine.files(session).log, len(client.machine.log(session)) - 3)
    assert names(client, f"sessionId={session_id}")[-1] == "done"


def test_every_cut_of_a_log_is_served(client: Client, finished: str) -> None:
    """As after a power loss: each whole record once, and an end."""
    session_id = client.finished()
    session = client.machine.find(session_id)
    path = client.machine.files(session).log
    whole = client.machine.log(client.machine.find(finished))
    for cut in range(0, len(whole), 37):
        path.write_bytes(whole[:cut])
        client.machine.complete_log(session)
        events = client.stream(f"sessionId={session_id}")
        assert events[-1].type == "done"
        assert sum(event.type == "done" for event in events) == 1
