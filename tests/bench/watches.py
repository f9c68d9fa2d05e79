"""What a worker needs to hear of many logs: threads and inotify instances."""

import time
from pathlib import Path

from tests.bench.processes import inotify_watches, threads
from tests.bench.report import Figure
from tests.bench.sessions import QUIET, bench_server, stream_path
from tests.bench.viewers import live_viewers
from tests.server import Server

SESSIONS = 500
SETTLE_SECONDS = 2


def measure(folder: Path, _runs: int) -> list[Figure]:
    """With one watched session, and with all. Counted, so once is enough."""
    with bench_server(folder, {"quiet": QUIET}, workers=1) as server:
        workflow_id = server.create_workflow()
        ids = [server.invoke("quiet", workflow_id=workflow_id) for _ in range(SESSIONS)]
        threads_of_one, instances_of_one, _ = _count(server, ids[:1])
        threads_of_all, instances_of_all, watches = _count(server, ids)
    group = f"1 and {SESSIONS} watched sessions"
    return [
        Figure(
            group,
            "threads more",
            threads_of_all - threads_of_one,
            "",
            0,
            note=f"{threads_of_one} and {threads_of_all}",
        ),
        Figure(
            group,
            "inotify instances more",
            instances_of_all - instances_of_one,
            "",
            0,
            note=f"{instances_of_one} and {instances_of_all}; watches in the end: {watches}",
        ),
    ]


def _count(server: Server, ids: list[str]) -> tuple[int, int, int]:
    """Threads, inotify instances and watches of the worker while these have a viewer."""
    paths = [stream_path(session_id) for session_id in ids]
    with live_viewers(server.port, len(paths), paths):
        time.sleep(SETTLE_SECONDS)
        (worker,) = server.worker_pids()
        watches = inotify_watches(worker)
        return threads(worker), len(watches), sum(watches)
