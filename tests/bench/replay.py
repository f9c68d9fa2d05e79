"""A long session that has ended, streamed to one viewer, beside the raw file."""

from pathlib import Path

from tests.bench.report import Figure, median
from tests.bench.sessions import BLOCK_EVENTS, add_finished, bench_server, stream_path
from tests.bench.viewers import Report, drain

BLOCKS = 10
EVENTS = BLOCKS * BLOCK_EVENTS


def measure(folder: Path, runs: int) -> list[Figure]:
    """The log and its replay in turn, from one and the same worker."""
    files, replays = [], []
    with bench_server(folder, workers=1) as server:
        session_id = add_finished(server, BLOCKS)
        for _ in range(runs):
            files.append(drain(server.port, f"/api/sessions/{session_id}/log"))
            replays.append(drain(server.port, stream_path(session_id)))
    assert all(report.events == EVENTS + 2 for report in replays), replays

    events = median([report.events / report.seconds for report in replays])
    raw, stream = _rate(files), _rate(replays)
    group = f"replay of {EVENTS:,} events"
    return [
        Figure(group, "raw log", raw, "MB/s", note=_cpu(files)),
        Figure(group, "events a second", events, "/s", 1_000_000, at_least=True),
        Figure(group, "stream", stream, "MB/s", note=_cpu(replays)),
        Figure(group, "stream to raw log", 100 * stream / raw, "%"),
    ]


def _rate(reports: list[Report]) -> float:
    return median([report.bytes / report.seconds / 1e6 for report in reports])


def _cpu(reports: list[Report]) -> str:
    return f"the viewer took {100 * median([r.cpu_share for r in reports]):.0f} % of a core"
