"""What a terminal would show, by the table that the page is tested with as well."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.commands.exports.story import tell
from webapp.commands.screen import Screen
from webapp.commands.transcript import Transcript
from webapp.log.events import parse_events
from webapp.log.record import MAX_LINE_BYTES
from webapp.runner.pump import Pump

TABLE = json.loads(Path(__file__).with_name("screen.json").read_text())
TEXTS = [*"abcd\r\n\b", "\r\n", "\x1b[A", "\x1b[2B", "\x1b[3G", "\x1b[K", "\x1b[1K", "\x1b[2K"]
TEXTS += ["\x1b[J", "\x1b[2C", "\x1b[D", "\x1b[31m", "\x1b[0m", "\x1b[1m", "é", "\x1b]0;t\x07"]


def rows_of(*pieces: str, colour: bool = False) -> list[str]:
    screen = Screen(colour=colour)
    for piece in pieces:
        screen.feed(piece)
    screen.finish()
    return screen.rows


@pytest.mark.parametrize(("pieces", "shown"), [case[1:] for case in TABLE], ids=lambda _: "")
def test_rows_are_what_a_terminal_would_show(pieces: list[str], shown: str) -> None:
    assert "\n".join(rows_of(*pieces)) == shown


@given(st.lists(st.sampled_from(TEXTS)), st.lists(st.integers(0, 60)))
def test_it_makes_no_difference_where_output_is_cut(parts: list[str], cuts: list[int]) -> None:
    text = "".join(parts)
    ends = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    pieces = [text[start:end] for start, end in pairwise(ends)]
    assert rows_of(*pieces) == rows_of(text)


@given(st.lists(st.sampled_from(TEXTS)))
def test_colours_change_no_letter(parts: list[str]) -> None:
    coloured = "\n".join(rows_of("".join(parts), colour=True))
    plain = Screen(colour=False)
    plain.feed(coloured)
    assert plain.rows == rows_of("".join(parts))


def test_colours_of_letters_that_stay_are_kept() -> None:
    assert rows_of("\x1b[32mabc\x1b[0m\rX", colour=True) == ["X\x1b[32mbc\x1b[0m"]
    assert rows_of("a\r\x1b[31mX\nb", colour=True) == ["\x1b[31mX\x1b[0m", "\x1b[31mb"]


def test_line_longer_than_any_terminal_is_wide_stays() -> None:
    assert rows_of("x" * 5000 + "\rnext\rN") == ["x" * 5000, "Next"]


@pytest.mark.parametrize(
    "flood", ["\rY", "\b", "\x1b[A", "\x1b[9G\x1b[K", "\r\x1b[31mY", "\x1b[2K"]
)
def test_flood_of_moves_takes_no_longer_than_its_length(flood: str) -> None:
    # Where each took as long as the row is wide, this would take an hour.
    rows_of("x" * 100_000, *[flood * 1000] * 20)


# --- what real programs print -----------------------------------------------------------

PROGRESS = "".join(f"\rdownloading model.bin: {i / 7.0:6.2f} % of 3.1 GB" for i in range(700))
BAR = "".join(
    f"\rmodel: {i * 100 // 3000:3d}%|{'█' * (i // 300)}{' ' * (10 - i // 300)}| {i}/3000"
    for i in range(3001)
)
SPINNER = "".join(
    f"\x1b[1G\x1b[0K{'⠋⠙⠹'[i % 3]} reify: \x1b[32mhttp\x1b[0m fetch" for i in range(60)
)
SUMMARY = "\x1b[1G\x1b[0K\n\x1b[?25hadded 231 packages in 4s\n"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        (PROGRESS + "\n", "downloading model.bin:  99.86 % of 3.1 GB\n"),
        (BAR + "\ndownloaded\n", f"model: 100%|{'█' * 10}| 3000/3000\ndownloaded\n"),
        (SPINNER + SUMMARY, "\nadded 231 packages in 4s\n"),
    ],
)
def test_progress_is_one_line_in_its_last_state_however_it_comes(
    stream: str, printed: str, shown: str
) -> None:
    pump, log, output = Pump(stream.encode(), MAX_LINE_BYTES), b"", printed.encode()
    for at in range(0, len(output), 5000):
        log += pump.feed(output[at : at + 5000], 1)
        log += pump.show_pending(1) if pump.is_showable else b""
    events = list(parse_events(log, 0, is_continuation=False))
    assert len(events) > 1
    mark = "! " if stream == "stderr" else ""
    marked = "".join(f"{mark}{line}\n" if line else "\n" for line in shown.splitlines())
    at_a_pipe = Transcript(colour=False)
    assert "".join(map(at_a_pipe.show, events)) + at_a_pipe.end() == marked
    exported = "".join(piece.text for piece in tell(events))
    assert exported == shown
    terminal, seen = Transcript(colour=True, redraws=True), Screen(colour=False)
    seen.feed("".join(map(terminal.show, events)) + terminal.end())
    assert "\n".join(seen.rows) == marked
