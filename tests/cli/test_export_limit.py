"""How much of a session goes into a page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.commands.exports.limit import Limit
from webapp.log.events import Event

PLENTY = 1 << 30


def event(number: int, letters: int = 10) -> Event:
    """One with so much data."""
    return Event(number, "2026-11-23T21:04:00.123456789Z", "stdout", "message", "x" * letters)


def cut(events: list[Event], max_events: int, max_bytes: int = PLENTY) -> tuple[list[int], int]:
    """Which events are left, and how many were left out; -1 for the notice."""
    limit = Limit(max_events, max_bytes, "Elsewhere.")
    found = list(limit.apply(events))
    return [-1 if one.name == "notice" else one.offset for one in found], limit.left_out


@pytest.mark.parametrize(
    ("count", "max_events", "expected"),
    [
        (0, 4, []),
        (4, 4, [0, 1, 2, 3]),
        (5, 4, [0, 1, -1, 3, 4]),
        (9, 4, [0, 1, -1, 7, 8]),
        (9, 1, [0, -1, 8]),
    ],
)
def test_beginning_and_end_are_left(count: int, max_events: int, expected: list[int]) -> None:
    assert cut([event(number) for number in range(count)], max_events)[0] == expected


def test_few_events_may_be_too_much_too() -> None:
    events = [event(number, letters=100) for number in range(10)]
    assert cut(events, PLENTY, max_bytes=400) == ([0, 1, -1, 8, 9], 6)
    assert cut([event(0, letters=1000)] * 3, PLENTY, max_bytes=10)[1] == 1


def test_notice_says_how_many_and_where_they_are() -> None:
    limit = Limit(2, PLENTY, "Elsewhere.")
    (notice,) = [
        one
        for one in limit.apply([event(number) for number in range(2000)])
        if one.seen == 0 and one.name == "notice"
    ]
    assert "1,998 events in the middle were left out. Elsewhere." in notice.data
    assert limit.message() == "1,998 events in the middle were left out. Elsewhere."


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 30), st.integers(1, 500))
def test_all_events_are_there_or_counted(
    letters: list[int], max_events: int, max_bytes: int
) -> None:
    events = [event(number, size) for number, size in enumerate(letters)]
    found, left_out = cut(events, max_events, max_bytes)
    kept = [number for number in found if number >= 0]
    assert kept == sorted(kept)
    assert len(kept) + left_out == len(events)
    assert found.count(-1) == (left_out > 0)
    assert len(kept) <= max(2, max_events + 1)
