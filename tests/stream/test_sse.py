"""The encoder of Server-Sent Events."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.clients.event_source import Dispatched, EventSource, events_of
from tests.log import random_logs
from webapp.log.events import Event, parse_events
from webapp.stream import sse

TIME = "2026-11-23T21:04:00.123456789Z"
MESSAGE = Event(42, TIME, "stdout", "message", '{"content":"hi"}')
texts = st.text() | st.text(st.sampled_from("\r\n\0 :a\u2028\ufeff"), max_size=8)


@pytest.mark.parametrize(
    ("event", "prefix", "frame"),
    [
        (MESSAGE, "", b'id: 42\nevent: message\ndata: {"content":"hi"}\n\n'),
        (MESSAGE, "s-1/", b'id: s-1/42\nevent: message\ndata: {"content":"hi"}\n\n'),
        (
            Event(7, "", "", "notice", '{"type":"corrupt","bytes":3}'),
            "",
            b'id: 7\nevent: notice\ndata: {"type":"corrupt","bytes":3}\n\n',
        ),
        (
            Event(9, TIME, "stdout", "x", '{"s":"\u00e9\u2028"}'),
            "",
            'id: 9\nevent: x\ndata: {"s":"\u00e9\u2028"}\n\n'.encode(),
        ),
    ],
)
def test_event_is_a_frame_of_id_event_and_data(event: Event, prefix: str, frame: bytes) -> None:
    assert sse.encode_event(event, prefix) == frame


def test_envelope_wraps_the_data_with_time_stream_and_event() -> None:
    (event,) = events_of(sse.encode_envelope(MESSAGE, "s-1/"))
    assert (event.type, event.last_event_id) == ("message", "s-1/42")
    assert event.json() == {
        "time": TIME,
        "stream": "stdout",
        "event": "message",
        "data": {"content": "hi"},
    }


@pytest.mark.parametrize("as_envelope", [False, True])
def test_what_the_server_adds_has_no_id(as_envelope: bool) -> None:
    notice = sse.encode_own("notice", {"type": "gap"}, as_envelope=as_envelope)
    done = sse.encode_own("done", {"status": "lost"}, as_envelope=as_envelope)
    body = sse.encode_event(MESSAGE) + notice + done
    source = EventSource(body)
    assert [event.type for event in source.events] == ["message", "notice", "done"]
    assert source.last_event_id == "42"
    assert body.count(b"id:") == 1


def test_notice_in_an_envelope_is_wrapped() -> None:
    (event,) = events_of(sse.encode_own("notice", {"type": "gap"}, as_envelope=True))
    assert event.json()["event"] == "notice"
    assert event.json()["data"] == {"type": "gap"}


def test_prelude_is_part_of_the_block_of_the_first_event() -> None:
    body = sse.encode_prelude(750) + sse.encode_event(MESSAGE)
    source = EventSource(body)
    assert (source.retry_ms, [event.type for event in source.events]) == (750, ["message"])
    assert body.count(b"\n\n") == 1  # some clients make a message of a block without data


def test_prelude_can_set_the_last_event_id_before_the_first_event() -> None:
    source = EventSource(sse.encode_prelude(750, "s-1/0"))
    assert (source.retry_ms, source.last_event_id, source.events) == (750, "s-1/0", [])


@given(random_logs.live_logs, st.sampled_from(["", "session-1-a/"]))
def test_client_gets_back_every_event_of_a_log(log: bytes, prefix: str) -> None:
    events = list(parse_events(log, 0, is_continuation=False))
    body = b"".join(sse.encode_event(event, prefix) for event in events)
    assert events_of(body) == [
        Dispatched(event.name, event.data, f"{prefix}{event.offset}") for event in events
    ]


@given(random_logs.live_logs)
def test_client_gets_back_every_envelope_of_a_log(log: bytes) -> None:
    events = list(parse_events(log, 0, is_continuation=False))
    body = b"".join(sse.encode_envelope(event) for event in events)
    for event, got in zip(events, events_of(body), strict=True):
        assert got.json() == {
            "time": event.time,
            "stream": event.stream,
            "event": event.name,
            "data": json.loads(event.data),
        }


@given(st.integers(0), texts, texts)
@example(1, "message", "x\n\nevent: done\ndata: {}")
@example(1, "message\ndata: forged", "{}")
@example(1, "message", "a\rid: 99")
def test_nothing_in_name_or_data_can_begin_another_field(offset: int, name: str, data: str) -> None:
    frame = sse.encode_event(Event(offset, "", "", name, data))
    lines = frame.replace(b"\r", b"\n").split(b"\n")
    assert lines[-2:] == [b"", b""]
    assert [line.partition(b":")[0] for line in lines[:-2]] in (
        [b"id", b"event", b"data"],
        [b"id", b"event"] + [b"data"] * (len(lines) - 4),
    )


@given(st.dictionaries(texts, texts, max_size=3))
def test_any_notice_is_one_event_with_the_same_content(content: dict[str, object]) -> None:
    (event,) = events_of(sse.encode_own("notice", content))
    assert event.json() == json.loads(json.dumps(content))
