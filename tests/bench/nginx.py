"""What the shipped nginx configuration adds to a live event's way."""

import time
from pathlib import Path

from tests.bench.fanout import SETTLE_SECONDS
from tests.bench.report import Figure, median
from tests.bench.sessions import bench_server, running_session, stream_path, ticker
from tests.bench.viewers import Report, live_viewers
from tests.nginx import running_nginx

RATE = 50
SECONDS = 6
VIEWERS = 10


def measure(folder: Path, runs: int) -> list[Figure]:
    """The same viewers with nginx and without it, in turn; without TLS, which they cannot."""
    direct, behind = [], []
    with (
        bench_server(folder, {"ticker": ticker(RATE)}) as server,
        running_nginx(server, folder / "nginx", tls=False) as proxy,
    ):
        for _ in range(runs):
            with running_session(server, "ticker") as session_id:
                direct.append(_watch(server.port, stream_path(session_id)))
                behind.append(_watch(proxy.port, stream_path(session_id)))
    group = f"nginx in front, {VIEWERS} viewers"
    without, through = (median([run.p50_ms for run in reports]) for reports in (direct, behind))
    return [
        Figure(group, "p50 without", without, "ms"),
        Figure(group, "p50 through nginx", through, "ms"),
        Figure(group, "p50, what nginx adds", through - without, "ms", 1),
        Figure(group, "p99 without", median([run.p99_ms for run in direct]), "ms"),
        Figure(group, "p99 through nginx", median([run.p99_ms for run in behind]), "ms"),
    ]


def _watch(port: int, path: str) -> Report:
    with live_viewers(port, VIEWERS, [path]) as live:
        time.sleep(SETTLE_SECONDS)
        return live.measure(SECONDS)
