"""The promise of the log: whatever id a viewer resumes at, it gets exactly the rest."""

from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from tests.log import random_logs
from tests.log.random_logs import open_file
from webapp.log import position, reader
from webapp.log.dialects.translate import Translate
from webapp.log.event_id import BEGINNING, EventId
from webapp.log.events import Event, parse_events
from webapp.log.opened import OpenLog


def whole_of(log: bytes, dialect: Translate | None) -> list[Event]:
    """All events of a log."""
    return list(parse_events(log, 0, is_continuation=False, dialect=dialect))


def follow(
    opened: OpenLog, asked: EventId | None, step: int, dialect: Translate | None
) -> tuple[bool, list[Event]]:
    """What a viewer gets that asks for an id and reads in steps; whether it had a gap."""
    offset, is_gap, seen = position.find_start(opened, asked, dialect)
    events: list[Event] = []
    while records := reader.read_records(opened, offset, step):
        goes_on = reader.line_state(opened, offset)
        events += parse_events(records, offset, is_continuation=goes_on, dialect=dialect, seen=seen)
        offset, seen = offset + len(records), 0
    return is_gap, events


ends = st.just(b"") | random_logs.done_records
steps = st.integers(1, 500)


@given(random_logs.live_logs, ends, random_logs.dialects, steps, steps)
def test_resuming_at_every_id_gives_exactly_the_rest(
    log: bytes, end: bytes, dialect: Translate | None, step: int, look_back: int
) -> None:
    whole = whole_of(log + end, dialect)
    with open_file(log + end) as opened, mock.patch.object(reader, "_LOOK_BACK_BYTES", look_back):
        assert follow(opened, BEGINNING, step, dialect) == (False, whole)
        for position, event in enumerate(whole, start=1):
            assert follow(opened, event.id, step, dialect) == (False, whole[position:])


@given(random_logs.live_logs, random_logs.done_records, random_logs.dialects, steps, st.data())
def test_resuming_anywhere_repeats_nothing_and_still_ends(
    log: bytes, done: bytes, dialect: Translate | None, step: int, data: st.DataObject
) -> None:
    whole = whole_of(log + done, dialect)
    size = len(log + done)
    boundaries = st.sampled_from([event.offset for event in whole if not event.seen])
    offset = data.draw(st.integers(1, size - 1) | st.integers(size + 1) | boundaries)
    asked = EventId(offset, data.draw(st.integers(1 if offset == size else 0, 6)))
    with open_file(log + done) as opened:
        is_gap, events = follow(opened, asked, step, dialect)
    assert is_gap == (asked not in {event.id for event in whole})
    assert events == whole[len(whole) - len(events) :]
    assert events[-1].name == "done"
    assert all(event.id > asked for event in events[:-1])


@given(random_logs.live_logs, random_logs.live_logs, ends, random_logs.dialects)
def test_events_do_not_depend_on_how_much_was_there_when_they_were_read(
    before: bytes, later: bytes, end: bytes, dialect: Translate | None
) -> None:
    whole = whole_of(before + later + end, dialect)
    with open_file(before) as opened:
        _gap, first = follow(opened, BEGINNING, 1 << 16, dialect)
    with open_file(before + later + end) as opened:
        _gap, rest = follow(opened, EventId(len(before)), 1 << 16, dialect)
    assert first + rest == whole


@given(random_logs.live_logs, ends, random_logs.dialects, st.integers(0, 60), steps)
def test_last_events_are_the_last_ones_whatever_records_they_stand_in(
    log: bytes, end: bytes, dialect: Translate | None, count: int, step_bytes: int
) -> None:
    whole = whole_of(log + end, dialect)
    with (
        open_file(log + end) as opened,
        mock.patch.object(position, "_STEP_RECORDS", 3),
        mock.patch.object(reader, "STEP_BYTES", step_bytes),
    ):
        start = position.find_last(opened, count, dialect)
        assert follow(opened, start, 1 << 16, dialect) == (False, whole[::-1][:count][::-1])
