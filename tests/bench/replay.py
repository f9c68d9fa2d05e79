"""A long session that has ended, streamed to one viewer, beside the raw file."""

from pathlib import Path

from tests.bench.report import Figure, median
from tests.bench.sessions import BLOCK_EVENTS, add_finished, bench_server, stream_path
from tests.bench.viewers import Report, drain

BLOCKS = 10
EVENTS = BLOCKS * BLOCK_EVENTS


def measure(folder: Path, runs: int) -> list[Figure]:
    """Log and stream in turn, from one and the same worker."""
    files, streams = [], []
    with bench_server(folder, workers=1) as server:
        session_id = add_finished(server, BLOCKS)
        for _ in range(runs):
            files.append(drain(server.port, f"/api/sessions/{session_id}/log"))
            streams.append(drain(server.port, stream_path(session_id)))
    assert all(report.events == EVENTS + 2 for report in streams), streams

    events = median([report.events / report.seconds for report in streams])
    raw, ours = (median([_megabytes_a_second(r) for r in run]) for run in (files, streams))
    shares = " and ".join(f"{100 * run[-1].cpu_share:.0f}" for run in (files, streams))
    group = f"replay of {EVENTS:,} events"
    return [
        Figure(group, "events a second", events, "/s", 1_000_000, at_least=True),
        Figure(group, "raw log", raw, "MB/s", note=f"the viewer took {shares} % of a core"),
        Figure(group, "stream", ours, "MB/s"),
        Figure(group, "stream to raw log", 100 * ours / raw, "%", 25, at_least=True),
    ]


def _megabytes_a_second(report: Report) -> float:
    return report.bytes / report.seconds / 1e6
