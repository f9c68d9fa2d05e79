"""The promise of the log: whatever id a viewer resumes at, it gets exactly the rest."""

from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from tests.log import random_logs
from tests.log.random_logs import open_file
from webapp.log import reader
from webapp.log.events import Event, parse_events
from webapp.log.opened import OpenLog


def follow(opened: OpenLog, asked: int | None, step: int) -> tuple[bool, list[Event]]:
    """What a viewer gets that asks for an offset and reads in steps; whether it had a gap."""
    offset, is_gap = reader.find_start(opened, asked)
    events: list[Event] = []
    while records := reader.read_records(opened, offset, step):
        is_continuation = reader.is_continuation(opened, offset)
        events += parse_events(records, offset, is_continuation=is_continuation)
        offset += len(records)
    return is_gap, events


ends = st.just(b"") | random_logs.done_records
steps = st.integers(1, 500)


@given(random_logs.live_logs, ends, steps, steps)
def test_resuming_at_every_id_gives_exactly_the_rest(
    log: bytes, end: bytes, step: int, look_back: int
) -> None:
    whole = list(parse_events(log + end, 0, is_continuation=False))
    with open_file(log + end) as opened, mock.patch.object(reader, "_LOOK_BACK_BYTES", look_back):
        assert follow(opened, 0, step) == (False, whole)
        for position, event in enumerate(whole, start=1):
            assert follow(opened, event.offset, step) == (False, whole[position:])


@given(random_logs.live_logs, random_logs.done_records, steps, st.data())
def test_resuming_anywhere_repeats_nothing_and_still_ends(
    log: bytes, done: bytes, step: int, data: st.DataObject
) -> None:
    whole = list(parse_events(log + done, 0, is_continuation=False))
    asked = data.draw(st.integers(1, len(log + done) - 1) | st.integers(len(log + done) + 1))
    with open_file(log + done) as opened:
        is_gap, events = follow(opened, asked, step)
    assert is_gap == (asked not in {event.offset for event in whole})
    assert events == whole[len(whole) - len(events) :]
    assert events[-1].name == "done"
    assert all(event.offset > asked for event in events[:-1])


@given(random_logs.live_logs, random_logs.live_logs, ends)
def test_events_do_not_depend_on_how_much_was_there_when_they_were_read(
    before: bytes, later: bytes, end: bytes
) -> None:
    whole = list(parse_events(before + later + end, 0, is_continuation=False))
    with open_file(before) as opened:
        _gap, first = follow(opened, 0, 1 << 16)
    with open_file(before + later + end) as opened:
        _gap, rest = follow(opened, len(before), 1 << 16)
    assert first + rest == whole
