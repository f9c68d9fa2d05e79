"""How fast new connections are accepted."""

import pytest

from webapp.stream.fairness import (
    ACCEPT_BURST,
    ACCEPT_SECONDS,
    MAX_STRANGER_SECONDS,
    STRANGER_SECONDS,
    AcceptRate,
)


def test_crowd_waits_in_line_and_a_single_connection_does_not() -> None:
    rate = AcceptRate(lambda: True)
    waits = [rate.take(100.0) for _ in range(ACCEPT_BURST + 3)]
    expected = [0.0] * ACCEPT_BURST + [n * ACCEPT_SECONDS for n in (1, 2, 3)]
    assert waits == pytest.approx(expected)
    assert rate.take(101.0) == 0.0


def test_connection_that_comes_during_the_wait_waits_behind_the_others() -> None:
    rate = AcceptRate(lambda: True)
    for _ in range(ACCEPT_BURST + 10):
        rate.take(100.0)
    assert rate.take(100.0 + 5 * ACCEPT_SECONDS) == pytest.approx(6 * ACCEPT_SECONDS)


def test_no_connection_waits_where_nobody_watches() -> None:
    rate = AcceptRate(lambda: False)
    assert {rate.take(100.0) for _ in range(100)} == {0.0}


def test_strangers_that_come_again_and_again_make_others_wait_only_for_moments() -> None:
    rate = AcceptRate(lambda: True)
    rate.count_stranger(100.0)
    assert rate.take(100.0) == pytest.approx(STRANGER_SECONDS + ACCEPT_SECONDS)
    for _ in range(1000):
        rate.count_stranger(100.0)
    assert rate.take(100.0) == pytest.approx(MAX_STRANGER_SECONDS + ACCEPT_SECONDS)
    assert rate.take(101.0) == 0.0


def test_strangers_make_nobody_wait_where_nobody_watches() -> None:
    rate = AcceptRate(lambda: False)
    rate.count_stranger(100.0)
    assert rate.take(100.0) == 0.0
