"""What may reach a terminal, and how figures read."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.commands.figures import byte_count, duration
from webapp.commands.terminal import Cleaner, one_line, plain

SEQUENCES = [
    "\x1b[2J",
    "\x1b[1;1H",
    "\x1b[?1049h",
    "\x1b]0;title\x07",
    "\x1b]8;;http://evil\x1b\\",
    "\x1bPq#0;2;0\x1b\\",
    "\x1b(0",
    "\x1bc",
    "\x1b7",
    "\x9b2J",
    "\x9d0;title\x9c",
    "\x07",
    "\x08",
    "\x7f",
    "\x00",
]
COLOURS = ["\x1b[31m", "\x1b[0m", "\x1b[m", "\x1b[38;5;208m", "\x1b[38:2::1:2:3m"]


@pytest.mark.parametrize("sequence", SEQUENCES)
@pytest.mark.parametrize("colour", [True, False])
def test_a_control_sequence_is_taken_out(sequence: str, colour: bool) -> None:
    assert Cleaner(colour=colour).clean(f"a{sequence}b") == "ab"


@pytest.mark.parametrize("sequence", COLOURS)
def test_colours_pass_only_where_they_are_allowed(sequence: str) -> None:
    assert Cleaner(colour=True).clean(f"a{sequence}b") == f"a{sequence}b"
    assert Cleaner(colour=False).clean(f"a{sequence}b") == "ab"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb", "a\nb"),
        ("10%\r20%", "10%\n20%"),
        ("tab\tstays", "tab\tstays"),
        ("ends in CR\r", "ends in CR"),
        ("\x1b[3", "[3"),
        ("\x1b]never ended", "]never ended"),
        ("Grüße 🙂 \u2028", "Grüße 🙂 \u2028"),
        ("rm \u202ecod.txt\u2069", r"rm \u202ecod.txt\u2069"),
        ("e\u061ca\u200eb\u200fc\u2066", r"e\u061ca\u200eb\u200fc\u2066"),
        ("ad\u200bmin\ufeff\u00ad", r"ad\u200bmin\ufeff\u00ad"),
        ("tag\U000e0041", r"tag\udb40\udc41"),
        ("ad\u200dmin", r"ad\u200dmin"),
        ("👩\u200d💻 \u06a9\u200c\u0647 ❤\ufe0f", "👩\u200d💻 \u06a9\u200c\u0647 ❤\ufe0f"),
    ],
)
def test_text_stays_readable(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(
    st.lists(st.sampled_from([*SEQUENCES, *COLOURS, "a", "b\n", "é", "\x1b", "[", "\r", "]"])),
    st.lists(st.integers(min_value=0, max_value=200)),
    st.booleans(),
)
def test_it_makes_no_difference_where_a_text_is_cut(
    parts: list[str], cuts: list[int], colour: bool
) -> None:
    text = "".join(parts)
    whole = Cleaner(colour=colour)
    expected = whole.clean(text) + whole.finish()

    places = [0, *sorted(cut for cut in cuts if cut <= len(text)), len(text)]
    pieces = Cleaner(colour=colour)
    shown = "".join(pieces.clean(text[start:end]) for start, end in pairwise(places))
    assert shown + pieces.finish() == expected


@given(st.text(alphabet=st.characters(max_codepoint=0x1FF)))
def test_plain_text_holds_no_control_but_line_ends_and_tabs(text: str) -> None:
    assert not [letter for letter in plain(text) if ord(letter) < 32 and letter not in "\n\t"]
    assert not [letter for letter in plain(text) if 0x7F <= ord(letter) < 0xA0]


@pytest.mark.parametrize("flood", ["\x9d", "\x1b]", "\x1b[", "\x1bP0", "\x9b1;", "\r", "\x1b"])
def test_a_flood_of_beginnings_takes_no_longer_than_its_length(flood: str) -> None:
    # A quadratic reading of this would take hours.
    plain(flood * 300_000)


def test_one_line_is_one_line_of_at_most_that_many_letters() -> None:
    assert one_line("a\n  b\x1b[2J\tc", 10) == "a b c"
    assert one_line("x" * 100, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, ""),
        (0, "0 ms"),
        (0.34, "340 ms"),
        (0.9996, "1.0 s"),
        (4.21, "4.2 s"),
        (59.96, "1 min"),
        (185, "3 min 5 s"),
        (7800, "2 h 10 min"),
        (90_061, "1 d 1 h"),
    ],
)
def test_a_duration_reads_well(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (None, ""),
        (0, "0 B"),
        (512, "512 B"),
        (1200, "1.2 kB"),
        (999_999, "1.0 MB"),
        (106_778_405, "107 MB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_a_size_reads_well(size: int | None, shown: str) -> None:
    assert byte_count(size) == shown
