"""Work at intervals."""

import threading

import pytest

from tests.server import wait_for
from webapp.clock import Ticker


def test_work_is_done_again_and_again_until_it_is_stopped() -> None:
    ticks: list[int] = []
    ticker = Ticker("test", 0.01, lambda: ticks.append(1))
    ticker.start()
    wait_for(lambda: len(ticks) >= 3)
    ticker.stop()
    wait_for(lambda: not _is_running("test"))


def test_error_is_logged_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    ticks: list[int] = []

    def fail() -> None:
        ticks.append(1)
        raise ValueError("a bug")

    ticker = Ticker("test", 0.01, fail)
    ticker.start()
    wait_for(lambda: len(ticks) >= 2)
    ticker.stop()
    assert "a bug" in caplog.text


def test_ticker_that_is_started_twice_ticks_once() -> None:
    ticker = Ticker("test twice", 0.01, lambda: None)
    ticker.start()
    ticker.start()
    assert _is_running("test twice") == 1
    ticker.stop()


def _is_running(name: str) -> int:
    """How many threads have this name."""
    return sum(thread.name == name for thread in threading.enumerate())
