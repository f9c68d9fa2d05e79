"""One viewer replays a gigabyte; the live viewers on the same worker must not feel it."""

import time
from pathlib import Path

from tests.bench.fanout import SETTLE_SECONDS
from tests.bench.report import Figure, median
from tests.bench.sessions import add_finished, bench_server, running_session, stream_path, ticker
from tests.bench.viewers import drain, live_viewers

RATE = 10
VIEWERS = 100
REPLAY_BYTES = 1_000_000_000
BLOCKS = 65
"""About 155 bytes an event, so more than a gigabyte."""


def measure(folder: Path, runs: int) -> list[Figure]:
    """Live viewers are measured from the replay's start to its end, and before, without it."""
    alone, beside, rates = [], [], []
    with bench_server(folder, {"ticker": ticker(RATE)}, workers=1) as server:
        long_id = add_finished(server, BLOCKS)
        assert server.log_path(long_id).stat().st_size >= REPLAY_BYTES
        with running_session(server, "ticker") as session_id:
            paths = [stream_path(session_id)]
            for _ in range(runs):
                with live_viewers(server.port, VIEWERS, paths) as live:
                    time.sleep(SETTLE_SECONDS)
                    alone.append(live.measure(3))
                with live_viewers(server.port, VIEWERS, paths) as live:
                    time.sleep(SETTLE_SECONDS)
                    live.begin()
                    replay = drain(server.port, stream_path(long_id))
                    beside.append(live.end())
                    rates.append(replay.bytes / replay.seconds / 1e6)
    group = f"{VIEWERS} live viewers beside a replay of 1 GB"
    seconds = median([report.seconds for report in beside])
    return [
        Figure(group, "p99 without it", median([r.p99_ms for r in alone]), "ms"),
        Figure(group, "p50", median([r.p50_ms for r in beside]), "ms"),
        Figure(group, "p99", median([r.p99_ms for r in beside]), "ms", 20),
        Figure(group, "max", median([r.max_ms for r in beside]), "ms"),
        Figure(group, "the replay", median(rates), "MB/s", note=f"took {seconds:.1f} s"),
    ]
