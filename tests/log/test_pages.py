"""Pages of events: whatever their size and direction, they are the one sequence."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from tests.log import random_logs
from tests.log.random_logs import open_file
from webapp.log import pages, reader, seek
from webapp.log.dialects.translate import Translate
from webapp.log.event_id import BEGINNING, EventId
from webapp.log.events import Event, parse_events
from webapp.log.pages import page_after, page_before
from webapp.log.record import format_record

ends = st.just(b"") | random_logs.done_records
torn_tails = st.sampled_from([b"", b"2026", b"\xff"])
limits = st.integers(1, 30)
sizes = st.integers(1, 3000)


@contextmanager
def _patched(step: int, page_bytes: int) -> Iterator[None]:
    """Look back, read and fill pages in small steps."""
    with (
        mock.patch.object(pages, "_STEP_BYTES", step),
        mock.patch.object(seek, "_STEP_BYTES", step),
        mock.patch.object(reader, "_LOOK_BACK_BYTES", step),
        mock.patch.object(pages, "PAGE_BYTES", page_bytes),
    ):
        yield


def events_of(log: bytes, dialect: Translate | None) -> list[Event]:
    """By a full parse."""
    return list(parse_events(log, 0, is_continuation=False, dialect=dialect))


@given(
    random_logs.live_logs,
    ends,
    torn_tails,
    random_logs.dialects,
    limits,
    sizes,
    st.integers(1, 400),
)
def test_pages_forwards_are_the_one_sequence(
    log: bytes,
    end: bytes,
    tail: bytes,
    dialect: Translate | None,
    limit: int,
    page_bytes: int,
    step: int,
) -> None:
    whole, got, place = events_of(log + end, dialect), [], BEGINNING
    with open_file(log + end + tail) as opened, _patched(step, page_bytes):
        while (page := page_after(opened, place, limit, dialect)).events:
            assert not page.is_gap
            assert len(page.events) <= limit
            assert (page.start, page.end) == (place, page.events[-1].id)
            size = page.end.offset - page.start.offset
            assert size <= page_bytes or dialect is not None or len(page.events) == 1
            got += page.events
            place = page.end
    assert got == whole


@given(
    random_logs.live_logs,
    ends,
    torn_tails,
    random_logs.dialects,
    limits,
    sizes,
    st.integers(1, 400),
)
def test_pages_backwards_are_the_one_sequence(
    log: bytes,
    end: bytes,
    tail: bytes,
    dialect: Translate | None,
    limit: int,
    page_bytes: int,
    step: int,
) -> None:
    whole, got = events_of(log + end, dialect), []
    place: EventId | None = None
    with open_file(log + end + tail) as opened, _patched(step, page_bytes):
        while (page := page_before(opened, place, limit, dialect)).events:
            assert not page.is_gap
            assert len(page.events) <= limit
            size = page.end.offset - page.start.offset
            assert size <= page_bytes or dialect is not None or len(page.events) == 1
            got += page.events[::-1]
            place = page.start
    assert got == whole[::-1]


@given(
    random_logs.live_logs,
    ends,
    random_logs.dialects,
    st.integers(0, 4000) | st.just(10**18),
    st.integers(0, 4),
    limits,
    st.data(),
)
def test_id_that_is_no_events_tears_and_repeats_nothing(
    log: bytes,
    end: bytes,
    dialect: Translate | None,
    offset: int,
    seen: int,
    limit: int,
    data: st.DataObject,
) -> None:
    whole = events_of(log + end, dialect)
    ids = {BEGINNING, *(event.id for event in whole)}
    asked = data.draw(st.sampled_from(sorted(ids)) | st.just(EventId(offset, seen)))
    with open_file(log + end) as opened:
        after = page_after(opened, asked, limit, dialect)
        before = page_before(opened, asked, limit, dialect)
    assert after.is_gap == before.is_gap == (asked not in ids)
    assert set(after.events) <= set(whole)
    ends_of_lines = [event.id for event in whole if not event.seen]
    nearest = max((id_ for id_ in ends_of_lines if id_.offset <= asked.offset), default=BEGINNING)
    known = asked if asked in ids else nearest
    at_or_before = [event for event in whole if event.id <= known]
    assert before.events == at_or_before[-limit:]
    if asked in ids:
        assert after.events == [event for event in whole if event.id > asked][:limit]


def test_record_longer_than_a_page_is_a_page_of_its_own() -> None:
    long = format_record(1, b"stdout", b"x" * (pages.PAGE_BYTES + 10))
    short = format_record(1, b"stdout", b"x")
    with open_file(short + long + short) as opened:
        ends = [len(short), len(short + long), len(short + long + short)]
        place = BEGINNING
        for end in ends:
            place = page_after(opened, place, 100).end
            assert place == EventId(end)
        for start in [len(short + long), len(short), 0]:
            place = page_before(opened, place, 100).start
            assert place == EventId(start)


def test_page_reads_little_of_a_big_log() -> None:
    record = format_record(1, b"stderr", b"x" * 100)
    with open_file(record * 100_000) as opened:
        middle = EventId(len(record) * 50_000)
        with mock.patch("os.pread", wraps=os.pread) as pread:
            page_after(opened, middle, 100)
            page_before(opened, middle, 100)
    assert sum(call.args[1] for call in pread.call_args_list) < 500_000


def test_page_of_long_records_reads_no_more_than_it_shows() -> None:
    record = format_record(1, b"stdout", b"x" * (1 << 20))
    with open_file(record * 16) as opened, mock.patch("os.pread", wraps=os.pread) as pread:
        page = page_after(opened, BEGINNING, 1000)
        assert page.end.offset <= pages.PAGE_BYTES
        page_before(opened, None, 1000)
    assert sum(call.args[1] for call in pread.call_args_list) < 6 * pages.PAGE_BYTES
