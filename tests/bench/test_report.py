"""Figures and their bars."""

import json
from pathlib import Path

import pytest

from tests.bench.report import Figure, median, percentile, write_json


@pytest.mark.parametrize(("fraction", "expected"), [(0.0, 1), (0.5, 51), (0.99, 100), (1.0, 100)])
def test_percentile_is_the_value_below_which_that_share_lies(
    fraction: float, expected: int
) -> None:
    assert percentile(range(100, 0, -1), fraction) == expected


def test_median_of_runs_is_the_middle_one() -> None:
    assert median([9.0, 1.0, 2.0]) == 2.0


@pytest.mark.parametrize(
    ("value", "at_least", "is_met"),
    [(1.0, False, True), (1.1, False, False), (1.0, True, True), (0.9, True, False)],
)
def test_bar_is_a_ceiling_or_a_floor(value: float, at_least: bool, is_met: bool) -> None:
    assert Figure("group", "name", value, "ms", 1.0, at_least).is_met is is_met


def test_json_says_whether_the_bar_is_met(tmp_path: Path) -> None:
    path = tmp_path / "bench" / "figures.json"
    write_json([Figure("group", "name", 2.0, "ms", 1.0)], path)
    (row,) = json.loads(path.read_text())
    assert (row["value"], row["bar"], row["is_met"]) == (2.0, 1.0, False)
