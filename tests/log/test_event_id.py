"""Ids of events, as text and in their order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.log.event_id import EventId, read_id

ids = st.builds(EventId, st.integers(0, 10**18), st.integers(0, 10**6))


@given(ids)
def test_id_is_read_as_it_was_written(event_id: EventId) -> None:
    assert read_id(str(event_id)) == event_id


def test_id_between_records_is_the_offset_alone() -> None:
    assert (str(EventId(569)), str(EventId(569, 2))) == ("569", "569.2")


def test_ids_are_ordered_as_their_events_are() -> None:
    assert sorted([EventId(9, 10), EventId(12), EventId(9, 2), EventId(9)]) == [
        *(EventId(9), EventId(9, 2), EventId(9, 10), EventId(12))
    ]


@pytest.mark.parametrize("text", ["x", "-1", "1.", ".1", "1.2.3", "1,2", " 1", "1\n", "١٢", "1e3"])
def test_anything_else_is_garbage(text: str) -> None:
    assert read_id(text) is None


def test_id_past_every_file_stays_past_every_file() -> None:
    assert read_id("9" * 5000) == EventId(10**19 - 1)
