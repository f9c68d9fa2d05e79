"""The tests' own client reads a stream as the standard has it, however it is cut into pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clients.event_source import Dispatched, EventSource

LINES = st.sampled_from(
    [
        b"id: 7",
        b"id",
        b"event: ping",
        b"data: {}",
        b"data",
        b"data:\xc3\xa4\xff",
        b": no",
        b"retry: 5",
        b"",
    ]
)


@given(st.lists(st.tuples(LINES, st.sampled_from([b"\n", b"\r", b"\r\n"]))), st.data())
def test_pieces_mean_what_the_whole_means(
    lines: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    body = b"".join(line + end for line, end in lines) + b"\n"
    whole, pieces = EventSource(body), EventSource()
    got: list[Dispatched] = []
    while body:
        size = data.draw(st.integers(1, len(body)))
        got += pieces.feed(body[:size])
        body = body[size:]
    assert got == pieces.events == whole.events
    assert (pieces.last_event_id, pieces.retry_ms) == (whole.last_event_id, whole.retry_ms)


@pytest.mark.parametrize(
    ("body", "events"),
    [
        (b"data: a\n\n", [("message", "a", "")]),
        (
            b"event: x\ndata: a\ndata: b\nid: 3\n\ndata: c\n\n",
            [("x", "a\nb", "3"), ("message", "c", "3")],
        ),
        (b"id: 3\n\n", []),
        (b"data: torn\n", []),
        (b"\xef\xbb\xbfdata:a\r\rdata: b\r\n\r\n", [("message", "a", ""), ("message", "b", "")]),
    ],
    ids=["one", "all fields", "id alone", "torn", "line ends"],
)
def test_blocks_are_events(body: bytes, events: list[tuple[str, str, str]]) -> None:
    assert EventSource(body).events == events
