"""The picture of the README: latency of server and floor on one logarithmic axis, as SVG.

On such an axis a ratio is a distance: the nearer the two dots, the nearer the server is to
what the machine can do at all.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH = 760
PLOT_LEFT, PLOT_RIGHT = 178, 636
ROW_HEIGHT = 26
GROUP_GAP = 16
HEAD_HEIGHT = 92
FOOT_HEIGHT = 34
LABEL_GAP = 11
TIMES = "\N{MULTIPLICATION SIGN}"

STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif;
       fill: #24292f; }
.title { font-size: 16px; font-weight: 600; }
.group { font-weight: 600; }
.muted { fill: #636c76; }
.number { font-size: 12px; font-variant-numeric: tabular-nums; }
.grid { stroke: #d8dee4; stroke-width: 1; }
.span { stroke: #b6c2cf; stroke-width: 3; stroke-linecap: round; }
.server { fill: #2f6fc4; }
.floor { fill: #8c959f; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .muted { fill: #9198a1; }
  .grid { stroke: #30363d; }
  .span { stroke: #4b5563; }
  .server { fill: #6cb0ff; }
  .floor { fill: #848d97; }
}
"""


@dataclass(frozen=True)
class Row:
    """One comparison: both values in milliseconds."""

    group: str
    name: str
    floor: float
    server: float


def draw(title: str, subtitle: str, rows: Sequence[Row]) -> str:
    """An SVG document; rows of one group stand together."""
    values = [value for row in rows for value in (row.floor, row.server)]
    axis = Axis(min(values), max(values))
    parts: list[str] = []
    y, last_group = float(HEAD_HEIGHT), ""
    for row in rows:
        is_new = row.group != last_group
        if is_new and parts:
            y += GROUP_GAP
        parts.append(_row(row, axis, y, shows_group=is_new))
        last_group = row.group
        y += ROW_HEIGHT
    height = y + FOOT_HEIGHT
    body = [_head(title, subtitle), _grid(axis, y), *parts]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" '
        f'width="{WIDTH}" height="{height:g}" role="img" aria-labelledby="title">\n'
        f'<title id="title">{escape(title)}</title>\n<style>{STYLE}</style>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


class Axis:
    """A logarithmic scale over whole powers of ten."""

    def __init__(self, least: float, most: float) -> None:
        self.low = math.floor(math.log10(least))
        self.high = max(self.low + 1, math.ceil(math.log10(most)))

    def at(self, value: float) -> float:
        """Where a value stands, in pixels from the left."""
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return PLOT_LEFT + share * (PLOT_RIGHT - PLOT_LEFT)

    @property
    def ticks(self) -> list[float]:
        """1, 2 and 5 of each power of ten, where there is room; else the powers alone."""
        steps = (1.0, 2.0, 5.0) if self.high - self.low <= 3 else (1.0,)
        powers = range(self.low, self.high)
        return [step * 10.0**power for power in powers for step in steps] + [10.0**self.high]


def number(value: float) -> str:
    """Three digits that count: 0.758, 4.81, 13.5, 2,479."""
    decimals = max(0, 2 - math.floor(math.log10(value)))
    return f"{value:,.{decimals}f}"


def _text(x: float, y: float, content: str, kind: str = "", anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">'
        f"{escape(content)}</text>"
    )


def _dot(x: float, y: float, kind: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" class="{kind}"/>'


def _head(title: str, subtitle: str) -> str:
    legend_y = HEAD_HEIGHT - 26
    return "\n".join(
        [
            _text(0, 18, title, "title"),
            _text(0, 38, subtitle, "muted"),
            _dot(PLOT_LEFT + 6, legend_y - 4.5, "server"),
            _text(PLOT_LEFT + 17, legend_y, "agent-stream"),
            _dot(PLOT_LEFT + 126, legend_y - 4.5, "floor"),
            _text(PLOT_LEFT + 137, legend_y, "the floor, a bare epoll loop in C"),
            _text(WIDTH, legend_y, "ratio", "muted", "end"),
        ]
    )


def _grid(axis: Axis, bottom: float) -> str:
    top = HEAD_HEIGHT - 10
    parts = []
    for tick in axis.ticks:
        x = axis.at(tick)
        parts.append(f'<path class="grid" d="M{x:.1f} {top}V{bottom:g}"/>')
        parts.append(_text(x, bottom + 18, f"{tick:,.12g}", "muted number", "middle"))
    parts.append(_text(PLOT_RIGHT + 28, bottom + 18, "ms", "muted number"))
    return "\n".join(parts)


def _row(row: Row, axis: Axis, y: float, *, shows_group: bool) -> str:
    middle = y + ROW_HEIGHT / 2
    baseline = middle + 4.5
    floor_x, server_x = axis.at(row.floor), axis.at(row.server)
    floor_first = floor_x <= server_x
    sides = ((-LABEL_GAP, "end"), (LABEL_GAP, "start"))
    floor_side, server_side = sides if floor_first else sides[::-1]
    parts = [
        _text(0, baseline, row.group, "group") if shows_group else "",
        _text(PLOT_LEFT - 26, baseline, row.name, "muted", "end"),
        f'<path class="span" d="M{floor_x:.1f} {middle:.1f}H{server_x:.1f}"/>',
        _dot(floor_x, middle, "floor"),
        _dot(server_x, middle, "server"),
        _text(floor_x + floor_side[0], baseline, number(row.floor), "muted number", floor_side[1]),
        _text(server_x + server_side[0], baseline, number(row.server), "number", server_side[1]),
        _text(WIDTH, baseline, f"{number(row.server / row.floor)} {TIMES}", "number", "end"),
    ]
    return "\n".join(part for part in parts if part)
