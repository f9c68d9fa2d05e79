"""Many viewers of one session, beside the C floor under the very same viewers."""

import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench import picture
from tests.bench.floor import running_floor
from tests.bench.report import Figure, median
from tests.bench.sessions import bench_server, running_session, stream_path, ticker
from tests.bench.viewers import Report, live_viewers

SIZES = {100: 1.25, 1000: 1.25, 5000: 1.5}
"""Viewers, and how many times the floor's latency is allowed."""
PERCENTILES = ("p50", "p99")
RATE = 10
"""Events a second."""
SECONDS = 8
SETTLE_SECONDS = 1
"""After the last viewer has come: everybody has read what was there before."""


def measure(folder: Path, runs: int) -> list[Figure]:
    """Floor and server in turn, from the writer's `write()` to each viewer."""
    figures = []
    with bench_server(folder, {"ticker": ticker(RATE)}, workers=2) as server:
        for viewers, bar in SIZES.items():
            floors, servers = [], []
            for _ in range(runs):
                with running_floor(folder, RATE) as port:
                    floors.append(_watch(port, viewers, "/"))
                with running_session(server, "ticker") as session_id:
                    servers.append(_watch(server.port, viewers, stream_path(session_id)))
            figures += _compare(viewers, bar, floors, servers)
    return figures


def draw(figures: Sequence[Figure]) -> str:
    """The README's picture: an SVG."""
    found = {(figure.group, figure.name): figure.value for figure in figures}
    rows = [
        picture.Row(
            group=f"{viewers:,} viewers",
            name=name,
            floor=found[_group(viewers), f"{name}, floor"],
            server=found[_group(viewers), f"{name}, server"],
        )
        for viewers in SIZES
        for name in PERCENTILES
    ]
    return picture.draw(
        "How long an agent's line takes to all of its viewers",
        f"{RATE} lines a second, from the agent's write() to each viewer's read(), "
        "on a logarithmic axis",
        rows,
    )


def _group(viewers: int) -> str:
    return f"fan-out, {viewers:,} viewers"


def _watch(port: int, viewers: int, path: str) -> Report:
    with live_viewers(port, viewers, [path]) as live:
        time.sleep(SETTLE_SECONDS)
        return live.measure(SECONDS)


def _compare(viewers: int, bar: float, floors: list[Report], servers: list[Report]) -> list[Figure]:
    group = _group(viewers)
    figures = []
    for name in PERCENTILES:
        floor = median([getattr(report, f"{name}_ms") for report in floors])
        ours = median([getattr(report, f"{name}_ms") for report in servers])
        figures += [
            Figure(group, f"{name}, floor", floor, "ms"),
            Figure(group, f"{name}, server", ours, "ms"),
            Figure(group, f"{name}, server to floor", ours / floor, "x", bar),
        ]
    figures.append(_load(group, floors, servers))
    return figures


def _load(group: str, floors: list[Report], servers: list[Report]) -> Figure:
    """What the viewers cost themselves: if they were the limit, it would show here."""
    at_floor, ours = (100 * median([r.cpu_share for r in run]) for run in (floors, servers))
    sizes = " and ".join(f"{run[-1].bytes / run[-1].events:.0f}" for run in (floors, servers))
    note = f"{at_floor:.0f} % at the floor; {sizes} bytes an event; {_arrival(servers[-1])}"
    return Figure(group, "the viewers' own CPU", ours, "% of a core", note=note)


def _arrival(report: Report) -> str:
    split = " + ".join(str(count) for count in report.workers.values())
    late = f"; {report.late:,} events very late" if report.late else ""
    return f"{split} connected in {report.connect_seconds:.1f} s{late}"
