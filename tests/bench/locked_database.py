"""Live viewers while a sqlite3 shell holds the write lock for a minute."""

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.report import Figure
from tests.bench.sessions import bench_server, counter, running_session, stream_path, ticker
from tests.bench.viewers import Report, live_viewers
from tests.faults.surroundings import row
from tests.server import Server, wait_for
from webapp.store.engine import FILE_NAME

RATE = 10
VIEWERS = 100
LOCK_SECONDS = 60
WITHOUT_SECONDS = 30
"""Measured before and again after, so that both ways are as long."""
SETTLE_SECONDS = 2
INVOKE_EVERY_SECONDS = 6
ENDING = 5
ENDING_SECONDS = 20
"""These sessions end while the lock is held."""


def measure(folder: Path, _runs: int) -> list[Figure]:
    """Once: it takes over two minutes."""
    agents = {"ticker": ticker(RATE), "ending": counter(1, ENDING_SECONDS)}
    with (
        bench_server(folder, agents, workers=2) as server,
        running_session(server, "ticker") as session_id,
    ):
        path = stream_path(session_id)
        before = _watch(server, path, WITHOUT_SECONDS)
        ending = [server.invoke("ending") for _ in range(ENDING)]
        wait_for(lambda: all(row(server, one)["status"] == "running" for one in ending))
        refusals = Refusals(server)
        with sqlite3_shell(server.var / FILE_NAME), refusals.asking():
            during = _watch(server, path, LOCK_SECONDS)
            assert all(row(server, one)["status"] == "running" for one in ending)
        recorded_seconds = _until_recorded(server, ending)
        after = _watch(server, path, WITHOUT_SECONDS)
    without = (before.p99_ms + after.p99_ms) / 2
    group = f"{VIEWERS} live viewers, the write lock held for {LOCK_SECONDS} s"
    apart = f"{before.p99_ms:.2f} ms before, {after.p99_ms:.2f} ms after"
    return [
        Figure(group, "p99 without it", without, "ms", note=apart),
        Figure(group, "p99 with it", during.p99_ms, "ms", note=f"most {during.max_ms:.0f} ms"),
        Figure(group, "with to without", during.p99_ms / without, "x", 1.2),
        *refusals.figures(group),
        Figure(group, f"{ENDING} exits recorded after", recorded_seconds, "s", 5),
    ]


def _watch(server: Server, path: str, seconds: float) -> Report:
    with live_viewers(server.port, VIEWERS, [path]) as live:
        time.sleep(SETTLE_SECONDS)
        return live.measure(seconds - SETTLE_SECONDS)


class Refusals:
    """Invokes that come while the lock is held, and how they are answered."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._workflow_id = server.create_workflow()
        self._seconds: list[float] = []
        self._good = 0
        self._is_over = threading.Event()

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask every few seconds meanwhile."""
        thread = threading.Thread(target=self._ask)
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            thread.join()

    def _ask(self) -> None:
        asked = {"workflowId": self._workflow_id, "agent": "ticker"}
        while not self._is_over.wait(INVOKE_EVERY_SECONDS):
            began = time.monotonic()
            answer = self._server.call("workflow.invokeAgent", asked)
            self._seconds.append(time.monotonic() - began)
            self._good += answer.status_code == 503 and "Retry-After" in answer.headers

    def figures(self, group: str) -> list[Figure]:
        """How many were told to try again, and how soon."""
        count = len(self._seconds)
        return [
            Figure(group, "invokes", count, ""),
            Figure(group, "answered 503, Retry-After", self._good, "", count, at_least=True),
            Figure(group, "the slowest answer", max(self._seconds), "s", 5),
        ]


def _until_recorded(server: Server, ending: list[str]) -> float:
    """Seconds from now until the rows of all have their end."""
    began = time.monotonic()
    wait_for(lambda: all(row(server, one)["status"] == "succeeded" for one in ending), 30)
    return time.monotonic() - began


@contextmanager
def sqlite3_shell(database: Path) -> Iterator[None]:
    """A shell in which somebody has begun to write, and gone for a coffee."""
    shell = shutil.which("sqlite3")
    if shell is None:
        raise SystemExit("This needs the sqlite3 shell: apt-get install sqlite3")
    pipe = subprocess.PIPE
    with subprocess.Popen([shell, str(database)], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("BEGIN IMMEDIATE;\nSELECT 'held';\n")
        process.stdin.flush()
        assert process.stdout.readline() == "held\n", "the shell did not get the lock"
        try:
            yield
        finally:
            process.stdin.write("ROLLBACK;\n.quit\n")
            process.stdin.close()
            process.wait()
