"""The README's picture."""

import xml.etree.ElementTree as ElementTree

import pytest

from tests.bench.picture import Axis, Row, draw, number

SVG = "{http://www.w3.org/2000/svg}"
ROWS = [
    Row("100 viewers", "p50", 0.8, 1.6),
    Row("100 viewers", "p99", 2, 1),
    Row("<5,000 viewers>", "p50", 14, 2479),
]


def test_picture_is_valid_xml_that_shows_each_value_and_ratio() -> None:
    root = ElementTree.fromstring(draw("a & b", "below", ROWS))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {"a & b", "0.800", "1.60", "2,479", "2.00 ×", "0.500 ×", "177 ×"} <= set(texts)  # noqa: RUF001
    assert texts.count("100 viewers") == 1


def test_every_dot_is_inside_the_picture() -> None:
    root = ElementTree.fromstring(draw("title", "below", ROWS))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    dots = list(root.iter(f"{SVG}circle"))
    assert len(dots) == 2 + 2 * len(ROWS)
    assert all(0 < float(dot.attrib["cx"]) < width for dot in dots)
    assert all(0 < float(dot.attrib["cy"]) < height for dot in dots)


def test_equal_ratios_are_equal_distances() -> None:
    axis = Axis(0.3, 70)
    assert axis.at(2) - axis.at(1) == pytest.approx(axis.at(40) - axis.at(20))


@pytest.mark.parametrize(
    ("value", "text"), [(0.758, "0.758"), (4.81, "4.81"), (14, "14.0"), (2479, "2,479")]
)
def test_number_has_three_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text
