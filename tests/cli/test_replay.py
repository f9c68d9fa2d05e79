"""`replay`: by a clock and keys that the test moves, and at a terminal."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import run
from tests.cli.screen import at_a_terminal
from tests.server import Server
from webapp.commands.player import Player, Quit, Rhythm
from webapp.log.event_id import BEGINNING
from webapp.log.opened import OpenLog, open_log
from webapp.log.record import format_record

SECOND = 1_000_000_000
START = 1_795_467_840 * SECOND
DONE = b'{"type":"done","exitCode":0,"signal":null,"status":"succeeded"}'
CALL = b'{"type":"tool_call","name":"read","args":{}}'


class Desk:
    """A clock that moves when somebody waits for keys, and keys that are pressed at a time."""

    def __init__(self, *presses: tuple[float, str]) -> None:
        self.now = 0.0
        self.presses = list(presses)
        self.shown: list[tuple[float, str]] = []

    def __call__(self) -> float:
        return self.now

    def read(self, timeout_seconds: float | None) -> list[str]:
        """As `Keys` has it."""
        until = float("inf") if timeout_seconds is None else self.now + timeout_seconds
        if self.presses and self.presses[0][0] <= until:
            at, key = self.presses.pop(0)
            self.now = max(self.now, at)
            return [key]
        assert timeout_seconds is not None, "paused for ever"
        self.now = until
        return []

    def write(self, text: str) -> None:
        """What the player shows, without its status line."""
        if not text.startswith("\r"):
            self.shown.append((round(self.now, 3), text))


@pytest.fixture
def log(tmp_path: Path) -> Iterator[OpenLog]:
    """`line N` at N seconds for N from 0 to 9, a call at 20 s, the end at 60 s."""
    records = [
        *((n, b"stdout", b"line %d" % n) for n in range(10)),
        (20, b"stdout", CALL),
        (60, b"system", DONE),
    ]
    path = tmp_path / "output.log"
    path.write_bytes(
        b"".join(format_record(START + at * SECOND, stream, text) for at, stream, text in records)
    )
    opened = open_log(path)
    yield opened
    opened.close()


def play(log: OpenLog, desk: Desk, speed: float = 1.0, max_gap: float = 100.0) -> None:
    player = Player(log, Rhythm(speed, max_gap), desk, desk.write, desk)  # type: ignore[arg-type]
    assert player.play(BEGINNING) == log.size()


def lines(desk: Desk) -> list[tuple[float, str]]:
    return [(at, text.strip()) for at, text in desk.shown if text.startswith("line")]


def test_each_line_comes_when_it_came(log: OpenLog) -> None:
    desk = Desk()
    play(log, desk)

    assert lines(desk) == [(n, f"line {n}") for n in range(10)]
    assert desk.shown[-1][0] == 60


def test_speed_and_the_longest_silence(log: OpenLog) -> None:
    desk = Desk()
    play(log, desk, speed=2, max_gap=4)

    assert lines(desk)[9] == (4.5, "line 9")
    assert [at for at, _text in desk.shown[10:]] == [6.5, 8.5]


def test_space_pauses_and_goes_on_where_it_was(log: OpenLog) -> None:
    desk = Desk((2.25, " "), (100.25, " "))
    play(log, desk)

    assert lines(desk)[2:4] == [(2, "line 2"), (101, "line 3")]


def test_plus_and_minus_change_the_speed_of_what_is_left(log: OpenLog) -> None:
    desk = Desk((2.5, "+"), (3.25, "-"), (3.25, "-"))
    play(log, desk)

    assert lines(desk)[3:6] == [(2.75, "line 3"), (3.25, "line 4"), (5.25, "line 5")]


def test_right_shows_the_next_ten_seconds_at_once(log: OpenLog) -> None:
    desk = Desk((0.5, "right"))
    play(log, desk)

    assert [at for at, _line in lines(desk)] == [0, *[0.5] * 9]


def test_left_goes_back(log: OpenLog) -> None:
    desk = Desk((13, "left"))
    play(log, desk)

    assert lines(desk)[9:12] == [(9, "line 9"), (13, "line 3"), (14, "line 4")]
    assert any("-- back at 0:03.000" in text for _at, text in desk.shown)


def test_n_goes_to_the_next_tool_call(log: OpenLog) -> None:
    desk = Desk((0.5, "n"))
    play(log, desk)

    assert desk.shown[10] == (0.5, "-> read\n")
    assert desk.shown[11][0] == 40.5


def test_e_shows_all_the_rest_and_home_begins_again(log: OpenLog) -> None:
    desk = Desk((5.5, "home"), (6.5, "e"))
    play(log, desk)

    assert lines(desk)[5:8] == [(5, "line 5"), (5.5, "line 0"), (6.5, "line 1")]
    assert desk.shown[-1][0] == 6.5


@pytest.mark.parametrize("key", ["q", "c-c"])
def test_q_and_ctrl_c_quit(log: OpenLog, key: str) -> None:
    desk = Desk((2.5, key))
    with pytest.raises(Quit):
        play(log, desk)

    assert lines(desk)[-1] == (2, "line 2")


# --- the command ------------------------------------------------------------------------


def test_replay_without_a_terminal_prints_what_tail_prints(place: Server) -> None:
    session_id = place.invoke("steps")
    place.wait_until_ended(session_id)
    output = run(place, "replay", session_id, "--speed", "20")

    assert output.returncode == 0
    assert output.stdout == run(place, "tail", session_id).stdout


def test_replay_of_a_session_that_runs_goes_on_live(place: Server) -> None:
    session_id = place.invoke("steps")
    output = run(place, "replay", session_id, "--speed", "100")

    assert output.stdout == run(place, "tail", session_id).stdout


def test_replay_begins_where_it_is_asked_to(place: Server) -> None:
    session_id = place.invoke("steps")
    place.wait_until_ended(session_id)
    log = place.log_path(session_id).read_bytes()
    offset = log.index(b"step 20") + len("step 20\n")
    time = log.splitlines()[21][:30].decode()
    whole = run(place, "tail", session_id).stdout.splitlines()

    def replayed(start: str) -> list[str]:
        return run(
            place, "replay", session_id, "--speed", "50", "--from", start
        ).stdout.splitlines()

    assert replayed(str(offset)) == whole[22:]
    assert replayed(time) == whole[21:]
    assert replayed("0:00") == whole
    assert replayed("1h") == []
    assert replayed("0.5s")[-1] == whole[-1]


@pytest.mark.parametrize("start", ["soon", "-1", "1:2:3:4", "2026-99-99"])
def test_a_position_that_makes_no_sense_is_named(place: Server, start: str) -> None:
    place.wait_until_ended(place.invoke("say"))
    output = run(place, "replay", "last", f"--from={start}")

    assert output.returncode == 2
    assert f"--from is {start!r}, expected" in output.stderr


def test_keys_at_a_terminal(tmp_path: Path) -> None:
    run(tmp_path, "run", "--", "sh", "-c", "echo one; sleep 0.5; echo two")
    with at_a_terminal(tmp_path, "replay", "last", "--speed", "0.001") as screen:
        screen.wait_for("[x0.001]")
        screen.press(" ")
        screen.wait_for("[paused]")
        screen.press(" e")
        screen.wait_for("-- done: succeeded")
        assert screen.end() == 0

    assert screen.text.endswith("one\ntwo\n-- done: succeeded, exit code 0\n")


def test_ctrl_c_at_a_terminal_leaves_it_as_it_was(tmp_path: Path) -> None:
    run(tmp_path, "run", "--", "sh", "-c", "echo one; sleep 0.5; echo two")
    with at_a_terminal(tmp_path, "replay", "last", "--speed", "0.001") as screen:
        screen.wait_for("[x0.001]")
        screen.press("\x03")
        assert screen.end() == 0

    assert "two" not in screen.text
    assert "[x0.001]" not in screen.text
