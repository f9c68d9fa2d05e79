"""From an agent's `write()` to one viewer: pipe, runner, log, worker, socket."""

import json
import time
from datetime import datetime
from pathlib import Path

from tests.bench.fanout import SETTLE_SECONDS
from tests.bench.floor import running_floor
from tests.bench.report import Figure, median, percentile
from tests.bench.sessions import bench_server, running_session, stream_path, ticker
from tests.bench.viewers import Report, live_viewers
from webapp.log.record import TIME_BYTES, parse_record

RATE = 50
SECONDS = 6


def measure(folder: Path, runs: int) -> list[Figure]:
    """One viewer; and how much of its latency is the runner's, by the times in the log."""
    floors, servers, runners = [], [], []
    with bench_server(folder, {"ticker": ticker(RATE)}, workers=2) as server:
        for _ in range(runs):
            with running_floor(folder, RATE) as port:
                floors.append(_watch(port, "/"))
            with running_session(server, "ticker") as session_id:
                servers.append(_watch(server.port, stream_path(session_id)))
                runners.append(percentile(_to_log_ms(server.log_path(session_id)), 0.5))
    group = "agent's write() to viewer"
    return [
        Figure(group, "p50", median([report.p50_ms for report in servers]), "ms", 1),
        Figure(group, "p50, as far as the log", median(runners), "ms"),
        Figure(group, "p50, floor", median([report.p50_ms for report in floors]), "ms"),
        Figure(group, "p99", median([report.p99_ms for report in servers]), "ms"),
        Figure(group, "p99, floor", median([report.p99_ms for report in floors]), "ms"),
    ]


def _watch(port: int, path: str) -> Report:
    with live_viewers(port, 1, [path]) as live:
        time.sleep(SETTLE_SECONDS)
        return live.measure(SECONDS)


def _to_log_ms(log: Path) -> list[float]:
    """From the time that the agent printed to the time that the runner wrote beside it."""
    found = []
    for line in log.read_bytes().split(b"\n"):
        record = parse_record(line)
        if record is not None and record.stream == b"stdout":
            written_ns = _to_ns(record.time)
            found.append((written_ns - json.loads(record.content)["n"]) / 1e6)
    return found


def _to_ns(time_text: str) -> int:
    assert len(time_text) == TIME_BYTES
    second = datetime.fromisoformat(time_text[:19] + "+00:00")
    return int(second.timestamp()) * 1_000_000_000 + int(time_text[20:29])
