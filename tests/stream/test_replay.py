"""Timed replay by a clock that the test moves: order, rhythm, and going live."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.event_source import Dispatched, events_of
from tests.stream.growing_log import DONE, GrowingLog
from webapp.log.record import format_record
from webapp.log.watch import watch_file
from webapp.stream.cursor import Cursor
from webapp.stream.feed import Feed
from webapp.stream.format import Format
from webapp.stream.replay import READ_BYTES, Replay
from webapp.stream.view import Pace

SECOND = 1_000_000_000
START = 1_795_467_840 * SECOND


class Clock:
    """Does not move by itself."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class TimedLog:
    """A log, written by hand, and replays of it."""

    def __init__(self, folder: Path) -> None:
        self.log = GrowingLog(folder / "output.log")
        self.feed = Feed("session", self.log.path, watch_file)
        self.clock = Clock()

    def write(self, *records: tuple[float, str]) -> None:
        """Records of the agent's, each with its seconds after the start."""
        with self.log.path.open("ab") as log:
            for seconds, text in records:
                time_ns = START + int(seconds * SECOND)
                log.write(format_record(time_ns, b"stdout", text.encode()))

    def end(self, seconds: float) -> None:
        """The `done`, this many seconds after the start."""
        with self.log.path.open("ab") as log:
            log.write(format_record(START + int(seconds * SECOND), b"system", DONE))

    def replay(self, speed: float = 1.0, max_gap: float = 100.0, offset: int = 0) -> Replay:
        """A viewer's replay from a boundary on."""
        cursor = Cursor(self.feed, Format(), self.feed.position_at(offset))
        return Replay(cursor, Pace(speed, max_gap), self.clock)

    def run(self, replay: Replay) -> list[tuple[float, Dispatched]]:
        """All events up to the tail or the end, each with when it came after the start."""
        got: list[tuple[float, Dispatched]] = []
        started = self.clock.now
        while not replay.cursor.is_over:
            piece = replay.read()
            if piece is None:
                break
            if isinstance(piece, float):
                assert piece > 0
                self.clock.now += piece
            else:
                came = round(self.clock.now - started, 6)
                got += [(came, event) for event in events_of(piece)]
        return got


@pytest.fixture
def timed(tmp_path: Path) -> Iterator[TimedLog]:
    """An empty log."""
    opened = TimedLog(tmp_path)
    yield opened
    opened.feed.close()
    opened.log.die()


def rhythm(shown: list[tuple[float, Dispatched]]) -> list[tuple[float, str]]:
    """When each text came; the end has its event's name."""
    return [
        (came, event.json()["content"] if event.type == "message" else event.type)
        for came, event in shown
    ]


def test_events_keep_the_agents_rhythm_and_end_with_done(timed: TimedLog) -> None:
    timed.write((0, "a"), (0.25, "b"), (0.25, "c"), (2, "d"))
    timed.end(2.5)
    replay = timed.replay()
    shown = timed.run(replay)
    assert rhythm(shown) == [(0, "a"), (0.25, "b"), (0.25, "c"), (2, "d"), (2.5, "done")]
    assert replay.cursor.is_over
    assert shown[-1][1].last_event_id == str(timed.log.path.stat().st_size)


def test_events_that_are_due_together_come_in_one_piece(timed: TimedLog) -> None:
    timed.write((0, "a"), (0, "b"), (1, "c"))
    replay = timed.replay()
    piece = replay.read()
    assert isinstance(piece, bytes)
    assert len(events_of(piece)) == 2
    assert replay.read() == pytest.approx(1.0)


@pytest.mark.parametrize(("speed", "times"), [(2, [0, 0.5, 2]), (0.5, [0, 2, 8])])
def test_speed_divides_each_pause(timed: TimedLog, speed: float, times: list[float]) -> None:
    timed.write((0, "a"), (1, "b"))
    timed.end(4)
    assert [came for came, _event in timed.run(timed.replay(speed))] == times


def test_long_silence_is_cut_to_the_longest_gap_of_the_agents_time(timed: TimedLog) -> None:
    timed.write((0, "a"), (3600, "b"), (3601, "c"))
    timed.end(9999)
    shown = timed.run(timed.replay(speed=2, max_gap=2))
    assert [came for came, _event in shown] == [0, 1, 1.5, 2.5]


def test_no_gap_at_all_says_everything_at_once(timed: TimedLog) -> None:
    timed.write((0, "a"), (5, "b"))
    timed.end(9)
    assert [came for came, _event in timed.run(timed.replay(max_gap=0))] == [0, 0, 0]


def test_clock_of_the_agent_that_steps_back_is_never_waited_for(timed: TimedLog) -> None:
    timed.write((10, "a"), (0, "b"), (1, "c"), (11, "d"))
    shown = timed.run(timed.replay())
    assert rhythm(shown) == [(0, "a"), (0, "b"), (1, "c"), (11, "d")]


def test_slow_viewer_gets_what_became_due_meanwhile_and_falls_no_further_behind(
    timed: TimedLog,
) -> None:
    timed.write((0, "a"), (1, "b"), (2, "c"), (10, "d"))
    replay = timed.replay()
    replay.read()
    timed.clock.now += 5
    piece = replay.read()
    assert isinstance(piece, bytes)
    assert len(events_of(piece)) == 2
    assert replay.read() == pytest.approx(5.0)


def test_line_that_is_no_record_comes_with_the_one_before_it(timed: TimedLog) -> None:
    timed.write((0, "a"))
    with timed.log.path.open("ab") as log:
        log.write(b"no record\n2026-13-41T99:00:00.000000000Z stdout F impossible\n")
    timed.write((1, "b"))
    timed.end(1)
    shown = timed.run(timed.replay())
    assert [came for came, _event in shown] == [0, 0, 0, 1, 1]


def test_replay_that_caught_up_with_a_live_session_goes_on_live(timed: TimedLog) -> None:
    timed.write((0, "a"), (1, "b"))
    replay = timed.replay()
    assert len(timed.run(replay)) == 2
    assert replay.read() is None
    timed.write((500, "c"))
    assert rhythm(timed.run(replay)) == [(0, "c")]
    timed.end(999)
    assert rhythm(timed.run(replay)) == [(0, "done")]
    assert replay.cursor.is_over


def test_what_is_written_before_it_has_caught_up_keeps_its_rhythm(timed: TimedLog) -> None:
    timed.write((0, "a"), (1, "b"))
    replay = timed.replay()
    replay.read()
    timed.write((3, "c"))
    assert [came for came, _event in timed.run(replay)] == [1, 3]


def test_long_log_is_read_in_steps_and_keeps_its_order_and_ids(timed: TimedLog) -> None:
    texts = [f"{number} " + "x" * 100 for number in range(3 * READ_BYTES // 100)]
    timed.write(*[(number / 100, text) for number, text in enumerate(texts)])
    timed.end(len(texts) / 100)
    shown = timed.run(timed.replay())
    assert [text for _came, text in rhythm(shown)] == [*texts, "done"]
    assert [came for came, _event in shown[:3]] == [0, 0.01, 0.02]
    assert shown[-1][0] == pytest.approx(len(texts) / 100, abs=0.001)
    ids = [int(event.last_event_id) for _came, event in shown]
    assert ids == sorted(ids)


def test_replay_begins_at_a_boundary_without_waiting(timed: TimedLog) -> None:
    timed.write((0, "a"))
    middle = timed.log.path.stat().st_size
    timed.write((60, "b"), (61, "c"))
    assert rhythm(timed.run(timed.replay(offset=middle))) == [(0, "b"), (1, "c")]


def test_replay_of_what_has_its_end_behind_it_is_over(timed: TimedLog) -> None:
    timed.end(1)
    replay = timed.replay(offset=timed.log.path.stat().st_size)
    assert replay.read() is None
    assert replay.cursor.is_over
