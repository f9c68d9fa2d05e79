"""What a benchmark has to say, and how it is shown."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One measured figure beside its bar."""

    group: str
    name: str
    value: float
    unit: str
    bar: float | None = None
    at_least: bool = False
    """The bar is a floor; otherwise it is a ceiling."""
    note: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the bar, if there is one, is met."""
        if self.bar is None:
            return True
        return self.value >= self.bar if self.at_least else self.value <= self.bar


def percentile(values: Sequence[float], fraction: float) -> float:
    """The value below which this fraction of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))]


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def show(figures: Sequence[Figure]) -> None:
    """A table on the terminal."""
    table = Table("", "figure", "value", "bar", "", "note", title="agent-stream")
    last_group = ""
    for figure in figures:
        group = "" if figure.group == last_group else figure.group
        last_group = figure.group
        sign = "≥" if figure.at_least else "≤"
        bar = "" if figure.bar is None else f"{sign} {figure.bar:g} {figure.unit}"
        mark = "" if figure.bar is None else "met" if figure.is_met else "MISSED"
        value = f"{figure.value:,.3g} {figure.unit}"
        if abs(figure.value) >= 100:
            value = f"{figure.value:,.0f} {figure.unit}"
        table.add_row(group, figure.name, value, bar, mark, figure.note)
    Console(width=130).print(table)


def write_json(figures: Sequence[Figure], path: Path) -> None:
    """The same for programs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [asdict(figure) | {"is_met": figure.is_met} for figure in figures]
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
