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
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Stage:
    """A log, written by hand, and replays of it."""

    def __init__(self, folder: Path) -> None:
        self.log = GrowingLog(folder / "output.log")
        self.feed = Feed("session", self.log.path, watch_file)
        self.clock = Clock()

    def write(self, *records: tuple[float, str]) -> None:
        """Records of the agent's, each so many seconds after the start."""
        with self.log.path.open("ab") as log:
            for seconds, text in records:
                time_ns = START + int(seconds * SECOND)
                log.write(format_record(time_ns, b"stdout", text.encode()))

    def end(self, seconds: float) -> None:
        """The `done`, so many seconds after the start."""
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
def stage(tmp_path: Path) -> Iterator[Stage]:
    """An empty log."""
    opened = Stage(tmp_path)
    yield opened
    opened.feed.close()
    opened.log.die()


def rhythm(told: list[tuple[float, Dispatched]]) -> list[tuple[float, str]]:
    """When each text came; the end has its event's name."""
    return [
        (came, event.json()["content"] if event.type == "message" else event.type)
        for came, event in told
    ]


def test_events_keep_the_agents_rhythm_and_end_with_done(stage: Stage) -> None:
    stage.write((0, "a"), (0.25, "b"), (0.25, "c"), (2, "d"))
    stage.end(2.5)
    replay = stage.replay()
    told = stage.run(replay)
    assert rhythm(told) == [(0, "a"), (0.25, "b"), (0.25, "c"), (2, "d"), (2.5, "done")]
    assert replay.cursor.is_over
    assert told[-1][1].last_event_id == str(stage.log.path.stat().st_size)


def test_events_that_are_due_together_come_in_one_piece(stage: Stage) -> None:
    stage.write((0, "a"), (0, "b"), (1, "c"))
    replay = stage.replay()
    piece = replay.read()
    assert isinstance(piece, bytes)
    assert len(events_of(piece)) == 2
    assert replay.read() == pytest.approx(1.0)


@pytest.mark.parametrize(("speed", "times"), [(2, [0, 0.5, 2]), (0.5, [0, 2, 8])])
def test_speed_divides_each_pause(stage: Stage, speed: float, times: list[float]) -> None:
    stage.write((0, "a"), (1, "b"))
    stage.end(4)
    assert [came for came, _event in stage.run(stage.replay(speed))] == times


def test_long_silence_is_cut_to_the_longest_gap_of_the_agents_time(stage: Stage) -> None:
    stage.write((0, "a"), (3600, "b"), (3601, "c"))
    stage.end(9999)
    told = stage.run(stage.replay(speed=2, max_gap=2))
    assert [came for came, _event in told] == [0, 1, 1.5, 2.5]


def test_no_gap_at_all_tells_everything_at_once(stage: Stage) -> None:
    stage.write((0, "a"), (5, "b"))
    stage.end(9)
    assert [came for came, _event in stage.run(stage.replay(max_gap=0))] == [0, 0, 0]


def test_clock_of_the_agent_that_steps_back_is_never_waited_for(stage: Stage) -> None:
    stage.write((10, "a"), (0, "b"), (1, "c"), (11, "d"))
    told = stage.run(stage.replay())
    assert rhythm(told) == [(0, "a"), (0, "b"), (1, "c"), (11, "d")]


def test_slow_viewer_gets_what_became_due_meanwhile_and_falls_no_further_behind(
    stage: Stage,
) -> None:
    stage.write((0, "a"), (1, "b"), (2, "c"), (10, "d"))
    replay = stage.replay()
    replay.read()
    stage.clock.now += 5
    piece = replay.read()
    assert isinstance(piece, bytes)
    assert len(events_of(piece)) == 2
    assert replay.read() == pytest.approx(5.0)


def test_line_that_is_no_record_comes_with_the_one_before_it(stage: Stage) -> None:
    stage.write((0, "a"))
    with stage.log.path.open("ab") as log:
        log.write(b"no record\n2026-13-41T99:00:00.000000000Z stdout F impossible\n")
    stage.write((1, "b"))
    stage.end(1)
    told = stage.run(stage.replay())
    assert [came for came, _event in told] == [0, 0, 0, 1, 1]


def test_replay_that_caught_up_with_a_live_session_goes_on_live(stage: Stage) -> None:
    stage.write((0, "a"), (1, "b"))
    replay = stage.replay()
    assert len(stage.run(replay)) == 2
    assert replay.read() is None
    stage.write((500, "c"))
    assert rhythm(stage.run(replay)) == [(0, "c")]
    stage.end(999)
    assert rhythm(stage.run(replay)) == [(0, "done")]
    assert replay.cursor.is_over


def test_what_is_written_before_it_has_caught_up_keeps_its_rhythm(stage: Stage) -> None:
    stage.write((0, "a"), (1, "b"))
    replay = stage.replay()
    replay.read()
    stage.write((3, "c"))
    assert [came for came, _event in stage.run(replay)] == [1, 3]


def test_long_log_is_read_in_steps_and_keeps_its_order_and_ids(stage: Stage) -> None:
    texts = [f"{number} " + "x" * 100 for number in range(3 * READ_BYTES // 100)]
    stage.write(*[(number / 100, text) for number, text in enumerate(texts)])
    stage.end(len(texts) / 100)
    told = stage.run(stage.replay())
    assert [text for _came, text in rhythm(told)] == [*texts, "done"]
    assert [came for came, _event in told[:3]] == [0, 0.01, 0.02]
    assert told[-1][0] == pytest.approx(len(texts) / 100, abs=0.001)
    ids = [int(event.last_event_id) for _came, event in told]
    assert ids == sorted(ids)


def test_replay_begins_at_a_boundary_without_waiting(stage: Stage) -> None:
    stage.write((0, "a"))
    middle = stage.log.path.stat().st_size
    stage.write((60, "b"), (61, "c"))
    assert rhythm(stage.run(stage.replay(offset=middle))) == [(0, "b"), (1, "c")]


def test_replay_of_what_has_its_end_behind_it_is_over(stage: Stage) -> None:
    stage.end(1)
    replay = stage.replay(offset=stage.log.path.stat().st_size)
    assert replay.read() is None
    assert replay.cursor.is_over
