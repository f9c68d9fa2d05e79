"""Viewers of a session that says nothing: what they hold, and what their heartbeats cost."""

import time
from pathlib import Path

from tests.bench.processes import cpu_seconds, resident_bytes
from tests.bench.report import Figure, median
from tests.bench.sessions import QUIET, bench_server, running_session, stream_path
from tests.bench.viewers import Report, live_viewers
from tests.server import Server

VIEWERS = 5000
MOST_VIEWERS = 10_000
WARM_UP_VIEWERS = 200
"""They come and go first: what the first ones load is not the price of one more."""
SETTLE_SECONDS = 3
WINDOW_SECONDS = 15
"""As long as the silence before a ping: each viewer gets one meanwhile."""


def measure(folder: Path, runs: int) -> list[Figure]:
    """Memory and CPU of the workers, each run in a new server."""
    measured = []
    for run in range(runs):
        place = folder / str(run)
        place.mkdir()
        measured.append(_idle(place))
    group = f"{VIEWERS:,} idle viewers"
    memory, shares, pings = ([row[column] for row in measured] for column in range(3))
    note = f"{median(pings):.2f} pings a viewer in {WINDOW_SECONDS} s"
    return [
        Figure(group, "resident memory each", median(memory) / 1e3, "KB", 20),
        Figure(group, "CPU", 100 * median(shares), "% of a core", 2, note=note),
        _hold(folder),
    ]


def _idle(folder: Path) -> tuple[float, float, float]:
    """Bytes a viewer, the workers' share of a core, pings a viewer."""
    with (
        bench_server(folder, {"quiet": QUIET}, workers=2) as server,
        running_session(server, "quiet") as session_id,
    ):
        path = stream_path(session_id)
        with live_viewers(server.port, WARM_UP_VIEWERS, [path]):
            pass
        workers = server.worker_pids()
        before = resident_bytes(workers)
        with live_viewers(server.port, VIEWERS, [path]) as live:
            time.sleep(SETTLE_SECONDS)
            held = resident_bytes(workers) - before
            started_at, computed = time.monotonic(), cpu_seconds(workers)
            report = live.measure(WINDOW_SECONDS)
            share = (cpu_seconds(workers) - computed) / (time.monotonic() - started_at)
        _check_workers(server, workers)
        return held / VIEWERS, share, report.pings / VIEWERS


def _hold(folder: Path) -> Figure:
    """How many of the most viewers are there and have been pinged after a while."""
    place = folder / "most"
    place.mkdir()
    with (
        bench_server(place, {"quiet": QUIET}, workers=2) as server,
        running_session(server, "quiet") as session_id,
    ):
        workers = server.worker_pids()
        with live_viewers(server.port, MOST_VIEWERS, [stream_path(session_id)]) as live:
            report: Report = live.measure(WINDOW_SECONDS + 5)
        _check_workers(server, workers)
    note = f"of {MOST_VIEWERS:,}; {report.pings / MOST_VIEWERS:.2f} pings each"
    held = min(report.watching, report.pings)
    name = f"hold {WINDOW_SECONDS + 5} s, pinged"
    return Figure("idle viewers", name, held, "", MOST_VIEWERS, at_least=True, note=note)


def _check_workers(server: Server, workers: set[int]) -> None:
    assert server.worker_pids() == workers, "a worker was replaced"
