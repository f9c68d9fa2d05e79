"""Bars as SVG draws them: from figures to rectangles. No Flask, no database."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from webapp.store.overview import Figures

WIDTH, HEIGHT = 600.0, 120.0
_GAP = 0.25
"""Between two bars, in widths of one with its gap."""
_MIN_HEIGHT = 1.5
"""What is more than nothing is seen."""


class Part(NamedTuple):
    """One of the values that a bar is made of."""

    name: str
    tone: str
    """The class that gives it its colour."""
    value: Callable[[Figures], float]


@dataclass(frozen=True)
class Chart:
    """A title, and how figures become the parts of a bar."""

    key: str
    title: str
    parts: tuple[Part, ...]
    shown: Callable[[float], str]
    """A value in words."""
    total: Callable[[Figures], float]
    """What all figures together come to."""


class Rectangle(NamedTuple):
    """A part of a bar, where it is in a picture of WIDTH times HEIGHT."""

    x: float
    y: float
    width: float
    height: float
    tone: str


class Bar(NamedTuple):
    """All parts of one group, and the text that a pointer above it shows."""

    label: str
    text: str
    value: str
    rectangles: tuple[Rectangle, ...]
    x: float
    width: float


def draw(chart: Chart, groups: Mapping[str, Figures]) -> list[Bar]:
    """A bar for each group, from left to right; the highest takes all of the height."""
    values = [[part.value(figures) for part in chart.parts] for figures in groups.values()]
    highest = max((sum(each) for each in values), default=0.0)
    step = WIDTH / max(1, len(groups))
    return [
        _bar(chart, label, each, highest, index * step, step)
        for index, (label, each) in enumerate(zip(groups, values, strict=True))
    ]


def _bar(
    chart: Chart, label: str, values: Sequence[float], highest: float, x: float, step: float
) -> Bar:
    rectangles = []
    y = HEIGHT
    for part, value in zip(chart.parts, values, strict=True):
        if value <= 0:
            continue
        height = min(y, max(_MIN_HEIGHT, HEIGHT * value / highest))
        y -= height
        left, width = x + step * _GAP / 2, step * (1 - _GAP)
        place = (round(left, 2), round(y, 2), round(width, 2), round(height, 2))
        rectangles.append(Rectangle(*place, part.tone))
    whole = chart.shown(sum(values))
    text = f"{label or 'none'}: {whole}"
    if len(chart.parts) > 1:
        named = zip(chart.parts, values, strict=True)
        said = ", ".join(f"{part.name} {chart.shown(value)}" for part, value in named)
        text = f"{text} ({said})"
    return Bar(label, text, whole, tuple(rectangles), round(x, 2), round(step, 2))


def dollars(value: float) -> str:
    """`$0.0312`, `$12.40`."""
    return f"${value:.4f}" if 0 < value < 1 else f"${value:,.2f}"


def count(value: float) -> str:
    """`12,345`."""
    return f"{value:,.0f}"


def seconds(value: float) -> str:
    """`0.8 s`, `12 min`, `3.5 h`."""
    if value < 100:
        return f"{value:.1f} s"
    return f"{value / 60:.0f} min" if value < 6000 else f"{value / 3600:.1f} h"


CHARTS = (
    Chart(
        "sessions",
        "Sessions",
        (
            Part("succeeded", "good", lambda figures: figures.succeeded),
            Part("failed", "bad", lambda figures: figures.failed),
            Part("cancelled", "quiet", lambda figures: figures.cancelled),
            Part("live", "live", lambda figures: figures.live),
        ),
        count,
        lambda figures: figures.sessions,
    ),
    Chart(
        "cost",
        "Cost",
        (Part("cost", "live", lambda figures: figures.cost_usd),),
        dollars,
        lambda figures: figures.cost_usd,
    ),
    Chart(
        "tokens",
        "Tokens",
        (
            Part("read", "quiet", lambda figures: figures.input_tokens),
            Part("written", "live", lambda figures: figures.output_tokens),
        ),
        count,
        lambda figures: figures.input_tokens + figures.output_tokens,
    ),
    Chart(
        "word",
        "Time to the first word (median)",
        (Part("median", "live", lambda figures: figures.first_word_seconds or 0.0),),
        seconds,
        lambda figures: figures.first_word_seconds or 0.0,
    ),
    Chart(
        "waiting",
        "Time spent waiting for a person",
        (Part("waited", "warn", lambda figures: figures.waited_seconds),),
        seconds,
        lambda figures: figures.waited_seconds,
    ),
)
