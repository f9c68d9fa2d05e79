"""Every number once, though a random worker is killed each second."""

import os
import random
import signal
import time
from pathlib import Path

from tests.bench.report import Figure
from tests.bench.sessions import bench_server, counter, stream_path
from tests.bench.viewers import exact_viewers
from tests.server import Server

VIEWERS = 50
LINES = 100_000
SECONDS = 60
PATIENCE_SECONDS = 60
"""For the viewers to get their `done`, after the last worker was killed."""


def measure(folder: Path, _runs: int) -> list[Figure]:
    """Once, for a minute."""
    with bench_server(folder, {"counter": counter(LINES / SECONDS, LINES)}) as server:
        path = stream_path(server.invoke("counter"))
        with exact_viewers(server.port, VIEWERS, LINES, path) as viewers:
            killed = _kill_workers(server)
            report = viewers.report(PATIENCE_SECONDS)
    group = f"{LINES:,} lines, {VIEWERS} viewers, a worker killed each second"
    note = f"{killed} killed; {report.breaks} reconnects; {report.refused} refused"
    return [
        Figure(group, "missing", report.missing, "", 0),
        Figure(group, "twice", report.twice, "", 0),
        Figure(group, "viewers with their done", report.done, "", VIEWERS, True, note),
    ]


def _kill_workers(server: Server) -> int:
    """How many were killed. No mercy: SIGKILL."""
    killed = 0
    for second in range(SECONDS):
        time.sleep(1)
        for pid in random.sample(sorted(server.worker_pids()), 1):
            os.kill(pid, signal.SIGKILL)
            killed = second + 1
    return killed
