"""How newcomers are accepted while others watch."""

import pytest

from webapp.stream.fairness import (
    ALONE_SLICE_SECONDS,
    MAX_PAUSE_SECONDS,
    MAX_STRANGER_SECONDS,
    SLICE_SECONDS,
    STRANGER_SECONDS,
    Arrivals,
)


def watched(*delays: float) -> Arrivals:
    """Live events that were sent so late, 25 ms apart; the last of them at 100.0."""
    arrivals = Arrivals(lambda: True)
    for index, seconds in enumerate(delays, start=1 - len(delays)):
        arrivals.count_delay(seconds, 100.0 + index * 0.025)
    return arrivals


CALM = [0.001] * 100


def test_newcomers_do_not_wait_while_live_events_are_as_fast_as_ever() -> None:
    assert watched(*CALM).pause_seconds(100.0) == 0.0
    assert watched(*CALM, 0.0015, 0.002).pause_seconds(100.0) == 0.0
    assert watched(*[0.02] * 200).pause_seconds(100.0) == 0.0  # this machine is that slow


def test_newcomers_wait_for_as_long_as_live_events_are_late() -> None:
    late = watched(*CALM, 0.0045)
    assert late.pause_seconds(100.0) == pytest.approx(0.0025, rel=0.05)
    assert late.pause_seconds(100.05) == pytest.approx(0.00125, rel=0.05)
    assert late.pause_seconds(100.0, was_fast=True) == SLICE_SECONDS
    assert watched(*CALM, 5.0).pause_seconds(100.0) == MAX_PAUSE_SECONDS
    assert late.pause_seconds(101.0) < 1e-5


def test_newcomers_are_accepted_in_short_slices_only_where_somebody_watches() -> None:
    assert watched().slice_seconds() == SLICE_SECONDS
    alone = Arrivals(lambda: False)
    alone.count_delay(5.0, 100.0)
    assert alone.pause_seconds(100.0) == 0.0
    assert alone.slice_seconds() == ALONE_SLICE_SECONDS


def test_strangers_that_come_again_and_again_make_others_wait_only_for_moments() -> None:
    arrivals = watched(*CALM)
    arrivals.count_stranger(100.0)
    assert arrivals.pause_seconds(100.0) == pytest.approx(STRANGER_SECONDS)
    for _ in range(1000):
        arrivals.count_stranger(100.0)
    assert arrivals.pause_seconds(100.0) == pytest.approx(MAX_STRANGER_SECONDS)
    assert arrivals.pause_seconds(101.0) < 1e-5


def test_strangers_make_nobody_wait_where_nobody_watches() -> None:
    arrivals = Arrivals(lambda: False)
    arrivals.count_stranger(100.0)
    assert arrivals.pause_seconds(100.0) == 0.0
