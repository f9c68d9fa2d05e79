"""Many sessions at once, each with a few viewers."""

import time
from pathlib import Path

from tests.bench.processes import cpu_seconds
from tests.bench.report import Figure, median
from tests.bench.sessions import bench_server, stream_path, ticker
from tests.bench.viewers import Report, live_viewers
from tests.server import Server

SESSIONS = 200
VIEWERS_EACH = 5
RATE = 10
SECONDS = 6
SETTLE_SECONDS = 3


def measure(folder: Path, runs: int) -> list[Figure]:
    """The same sessions throughout; new viewers for each run."""
    with bench_server(folder, {"ticker": ticker(RATE)}, workers=2) as server:
        workflow_id = server.create_workflow()
        ids = [server.invoke("ticker", workflow_id=workflow_id) for _ in range(SESSIONS)]
        measured = [_watch(server, ids) for _ in range(runs)]
    reports = [report for report, _share in measured]
    group = f"{SESSIONS} sessions, {VIEWERS_EACH} viewers each"
    workers = median([share for _report, share in measured])
    viewers = median([report.cpu_share for report in reports])
    note = f"the workers: {100 * workers:.0f} % of a core; the viewers: {100 * viewers:.0f} %"
    return [
        Figure(group, "p50", median([report.p50_ms for report in reports]), "ms"),
        Figure(group, "p99", median([report.p99_ms for report in reports]), "ms", 25, note=note),
    ]


def _watch(server: Server, ids: list[str]) -> tuple[Report, float]:
    """What the viewers saw, and the workers' share of a core meanwhile."""
    paths = [stream_path(session_id) for session_id in ids]
    with live_viewers(server.port, SESSIONS * VIEWERS_EACH, paths) as live:
        time.sleep(SETTLE_SECONDS)
        before = cpu_seconds(server.worker_pids())
        report = live.measure(SECONDS)
        return report, (cpu_seconds(server.worker_pids()) - before) / report.seconds
