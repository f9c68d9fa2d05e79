"""The runs of syntax colours."""

import pytest

from webapp.colours.runs import MAX_CHARACTERS, Runs, colour_lines, lexer_for


def pieces(line: str, runs: Runs) -> list[tuple[str, int | str]]:
    """What a page makes of them: the parts of a line, each with its class."""
    units = line.encode("utf-16-le")
    found: list[tuple[str, int | str]] = []
    start = 0
    for length, colour in zip(runs[::2], runs[1::2], strict=True):
        end = start + 2 * int(length)
        found.append((units[start:end].decode("utf-16-le"), colour))
        start = end
    return found


def test_each_line_has_the_colours_of_the_whole_text() -> None:
    lines = ['def total(a):  # "all', '    """Of all', "    items.", '    """', "    return 12"]
    runs = colour_lines(lines, lexer_for("shop/cart.py"))
    shown = [pieces(line, found) for line, found in zip(lines, runs, strict=True)]
    assert shown[0] == [
        ("def", "k"), (" ", ""), ("total", "f"), ("(a):  ", ""), ('# "all', "c"),
    ]  # fmt: skip
    assert [colour for line in shown[1:4] for part, colour in line if part.strip()] == ["s"] * 3
    assert shown[4][-1] == ("12", "n")


def test_lengths_are_those_of_javascript() -> None:
    line = "x = '\U0001f600' + 1"
    (runs,) = colour_lines([line], lexer_for("a.py"))
    assert pieces(line, runs)[1] == ("'\U0001f600'", "s")


@pytest.mark.parametrize(
    "lines", [["x = 1"] * MAX_CHARACTERS, ["x" * 5000 + " = 1", "y = 2"]], ids=["long", "wide"]
)
def test_text_that_would_take_long_has_no_colours(lines: list[str]) -> None:
    assert colour_lines(lines, lexer_for("a.py")) == [[] for _line in lines]


def test_text_in_an_unknown_language_has_no_colours() -> None:
    assert lexer_for("a.unknown-ending") is None
    assert lexer_for(language="no such language") is None
    assert colour_lines(["x = 1"], None) == [[]]


def test_what_is_not_coloured_in_time_is_plain() -> None:
    runs = colour_lines(["x = 1"] * 1000, lexer_for("a.py"), seconds=0.0)
    assert len(runs) == 1000
    assert runs[-1] == []
