"""The log record parser, and the SSE that comes of any log at all."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import strategies as st

from tests.fuzz.budget import fuzz
from tests.http.client import Client
from tests.http.conftest import open_client
from tests.log import random_logs
from tests.stream.event_source import events_of
from webapp.log.events import parse_events
from webapp.log.record import format_record, parse_record

noise = st.binary(max_size=200)
logs = st.builds(
    lambda log, at, noise, cut: (log[: at % (len(log) + 1)] + noise + log[at % (len(log) + 1) :])[
        : cut or None
    ],
    random_logs.live_logs,
    st.integers(0, 10_000),
    noise | st.just(b""),
    st.integers(0, 3000) | st.just(0),
)
"""Logs of runners, into which something has fallen, and that end somewhere."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with open_client(tmp_path_factory.mktemp("fuzz")) as opened:
        yield opened


def test_any_line_is_a_record_or_none() -> None:
    def check(line: bytes) -> None:
        line = line.replace(b"\n", b"")
        record = parse_record(line)
        if record is not None:
            tag = b"P" if record.partial else b"F"
            made = b" ".join((record.time.encode(), record.stream, tag, record.content))
            assert made == line

    fuzz(check, noise | random_logs.records.map(lambda record: record[:-1]))


def test_any_log_is_a_sequence_of_json_events() -> None:
    def check(log: bytes) -> None:
        whole = log[: log.rfind(b"\n") + 1]
        last = 0
        for event in parse_events(whole, 0, is_continuation=False):
            assert last <= event.offset <= len(whole)
            assert "\n" not in event.data
            assert "\r" not in event.data
            json.loads(event.data)
            last = event.offset

    fuzz(check, logs)


def test_any_log_is_streamed_well_formed_to_its_done(client: Client) -> None:
    session_id = client.finished()
    log = client.machine.files(client.machine.find(session_id)).log
    first = format_record(1, b"system", random_logs.SESSION)
    done = format_record(2, b"system", random_logs.DONE)

    def check(middle: bytes) -> None:
        log.write_bytes(first + middle + (b"" if middle.endswith(b"\n") else b"\n") + done)
        response = client.get(f"/api/agent-stream?sessionId={session_id}")
        assert response.status_code == 200
        events = events_of(response.data)
        assert [event.type for event in events].count("done") == 1
        assert events[-1].type == "done"
        for event in events:
            event.json()

    fuzz(check, logs.map(lambda log: log.replace(done, b"")))


def test_no_last_event_id_is_too_strange(client: Client) -> None:
    session_id = client.finished()
    size = client.session(session_id)["logBytes"]
    headers = st.text(
        st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=80
    )
    numbers = st.integers(-(10**30), 10**30) | st.integers(-5, size + 5)
    ids = headers | numbers.map(str) | numbers.map(lambda number: f"{session_id}/{number}")

    def check(last_id: str) -> None:
        response = client.get(
            f"/api/agent-stream?sessionId={session_id}", **{"Last-Event-ID": last_id}
        )
        assert response.status_code in (200, 204), last_id
        if response.status_code == 200:
            assert events_of(response.data)[-1].type == "done"

    fuzz(check, ids)
