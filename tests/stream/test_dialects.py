"""A log in a dialect, watched: one record may be several events."""

import json
from typing import Any

import pytest

from tests.clients.thread_viewer import ThreadViewer
from tests.server import wait_for
from tests.servers.streams import StreamServer
from webapp.stream.format import Format

SESSION = '{"type":"session","sessionId":"session","dialect":"claude"}'
INIT = '{"type":"system","subtype":"init"}'
TURN = json.dumps(
    {
        "type": "assistant",
        "message": {
            "content": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "t1", "name": "Bash", "input": {}},
                {"type": "tool_use", "id": "t2", "name": "Read", "input": {}},
            ]
        },
    }
)
RESULT = '{"type":"result","usage":{"output_tokens":5}}'
WHOLE = ["session", "system", "message", "tool_call", "tool_call", "usage", "done"]


@pytest.fixture
def server(either_server: StreamServer) -> StreamServer:
    """All of these hold for both ways."""
    return either_server


def write_log(server: StreamServer) -> None:
    """A whole session."""
    server.log.say(SESSION, stream=b"system")
    for line in (INIT, TURN, RESULT):
        server.log.say(line)
    server.log.end()


def watch(server: StreamServer, event_id: str = "0", **options: Any) -> ThreadViewer:
    """A viewer that has had this event."""
    offset, _dot, seen = event_id.partition(".")
    return server.watch(int(offset), seen=int(seen or 0), **options)


def test_viewer_resumes_at_every_id_in_the_middle_of_a_record_too(server: StreamServer) -> None:
    write_log(server)
    viewer = watch(server)
    viewer.wait_until_ended()
    events = viewer.events
    assert viewer.names == WHOLE
    ids = [event.last_event_id for event in events]
    assert ["." in event_id for event_id in ids] == [False, False, True, True, *[False] * 3]
    for position, event_id in enumerate(ids[:-1], start=1):
        rest = watch(server, event_id)
        rest.wait_until_ended()
        assert rest.events == events[position:]


def test_id_that_no_event_of_a_record_has_is_a_gap(server: StreamServer) -> None:
    write_log(server)
    viewer = watch(server)
    viewer.wait_until_ended()
    start = viewer.events[1].last_event_id
    other = watch(server, f"{start}.3")
    other.wait_until_ended()
    assert other.names == ["notice", "usage", "done"]


def test_raw_viewer_gets_what_the_agent_printed(server: StreamServer) -> None:
    write_log(server)
    viewer = watch(server, form=Format(is_raw=True))
    viewer.wait_until_ended()
    assert viewer.names == ["session", "system", "assistant", "result", "done"]
    assert [event.data for event in viewer.events[1:4]] == [INIT, TURN, RESULT]


def test_live_viewer_hears_each_event_even_from_before_the_log_says_its_dialect(
    server: StreamServer,
) -> None:
    early = watch(server)
    wait_for(lambda: early.body != b"")
    server.log.say(SESSION, stream=b"system")
    server.log.say(INIT)
    wait_for(lambda: early.names == WHOLE[:2])
    server.log.say(TURN)
    wait_for(lambda: early.names == WHOLE[:5])
    late = watch(server, early.events[2].last_event_id)
    server.log.say(RESULT)
    server.log.end()
    for viewer in (early, late):
        viewer.wait_until_ended()
    assert early.names == WHOLE
    assert late.names == WHOLE[3:]


def test_last_events_are_counted_one_by_one(server: StreamServer) -> None:
    write_log(server)
    for count in range(len(WHOLE) + 1):
        viewer = watch(server, last_events=count)
        viewer.wait_until_ended()
        assert viewer.names == (WHOLE[-count:] if count else [])
