"""The SSE encoder: any event, and the stream of any log, read as a page reads it."""

import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import strategies as st

from tests.clients.event_source import EventSource, events_of
from tests.fuzz.budget import fuzz
from tests.fuzz.logs import logs
from tests.http.client import Client
from tests.http.conftest import open_client
from tests.log import random_logs
from webapp.log.events import Event, parse_events
from webapp.log.record import format_record
from webapp.stream import sse

FIRST = format_record(1, b"system", random_logs.SESSION)
DONE = format_record(2, b"system", random_logs.DONE)
LINE_ENDS = re.compile("\r\n|\r|\n")
nasty = st.text(st.sampled_from("\r\n\0: \u2028\ufeffaid"), max_size=12) | st.text(max_size=30)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A worker with a session whose log is written anew for each input."""
    with open_client(tmp_path_factory.mktemp("fuzz")) as opened:
        yield opened


def test_any_event_is_one_event_whatever_it_holds() -> None:
    def check(name: str, data: str, prefix: str, offset: int) -> None:
        event = Event(offset, "2026-01-01T00:00:00.000000000Z", "stdout", name, data)
        before, after = b"event: a\ndata: before\n\n", b"event: b\ndata: after\n\n"
        found = events_of(before + sse.encode_event(event, prefix) + after)
        assert [one.data for one in found] == ["before", LINE_ENDS.sub("\n", data), "after"]
        assert found[1].type == (LINE_ENDS.sub(" ", name) or "message")

    fuzz(check, nasty, nasty, nasty, st.integers(0, 2**63), share=0.2)


@pytest.mark.parametrize("query", ["", "&format=envelope"])
def test_any_log_is_streamed_as_its_events_to_its_done(client: Client, query: str) -> None:
    session_id = client.finished()
    log = client.machine.files(client.machine.find(session_id)).log

    def check(middle: bytes) -> None:
        whole = FIRST + middle + (b"" if middle.endswith(b"\n") else b"\n") + DONE
        log.write_bytes(whole)
        response = client.get(f"/api/agent-stream?sessionId={session_id}{query}")
        assert response.status_code == 200
        stream = EventSource(response.data)
        assert stream.retry_ms is not None

        expected = list(parse_events(whole, 0, is_continuation=False))
        assert [one.last_event_id for one in stream.events] == [str(e.offset) for e in expected]
        assert [one.type for one in stream.events] == [event.name for event in expected]
        for one, event in zip(stream.events, expected, strict=True):
            told = one.json()
            if query:
                assert told["event"] == event.name
                assert told["stream"] == event.stream
                told = told["data"]
            assert json.dumps(told) == json.dumps(json.loads(as_on_the_wire(event.data)))
        assert stream.events[-1].type == "done"

    fuzz(check, logs.map(lambda log: log.replace(DONE, b"")), share=0.4)


def as_on_the_wire(data: str) -> str:
    """Half a surrogate pair cannot be sent: see `sse.encode_event`."""
    return data.encode("utf-8", "replace").decode()
