"""A long session that has ended, streamed to one viewer, beside the raw file."""

import shutil
from pathlib import Path

from tests.bench.report import Figure, median
from tests.bench.sessions import BLOCK_EVENTS, add_finished, bench_server, stream_path
from tests.bench.viewers import Report, drain
from tests.server import wait_for
from webapp.store.models import now
from webapp.stream.kept_folder import PART_SUFFIX, folder_in

BLOCKS = 10
EVENTS = BLOCKS * BLOCK_EVENTS


def measure(folder: Path, runs: int) -> list[Figure]:
    """The log, a first replay, which encodes it, a later one, whose frames were kept, and the
    first one of a session that has just ended, whose frames the keeper has prepared: in turn,
    from one and the same worker. The first session ended too long ago for the keeper."""
    files, firsts, laters, prepared = [], [], [], []
    with bench_server(folder, workers=1) as server:
        session_id = add_finished(server, BLOCKS)
        kept = folder_in(server.var)
        for _ in range(runs):
            files.append(drain(server.port, f"/api/sessions/{session_id}/log"))
            firsts.append(drain(server.port, stream_path(session_id)))
            wait_for(lambda: _are_kept(kept, session_id))
            laters.append(drain(server.port, stream_path(session_id)))
            shutil.rmtree(kept)
            fresh_id = add_finished(server, BLOCKS, ended_at=now())
            wait_for(lambda fresh=fresh_id: _are_kept(kept, fresh))  # type: ignore[misc]
            prepared.append(drain(server.port, stream_path(fresh_id)))
            shutil.rmtree(kept)
    replays = firsts + laters + prepared
    assert all(report.events == EVENTS + 2 for report in replays), replays

    raw = _rate(files)
    group = f"replay of {EVENTS:,} events"
    return [
        Figure(group, "raw log", raw, "MB/s", note=_cpu(files)),
        *_compare(group, "first time, not prepared", raw, firsts, bar=None),
        *_compare(group, "first time, prepared by the keeper", raw, prepared, bar=25),
        *_compare(group, "later", raw, laters, bar=25),
    ]


def _are_kept(folder: Path, session_id: str) -> bool:
    found = list(folder.glob(f"{session_id}.*"))
    return len(found) == 1 and found[0].suffix != PART_SUFFIX


def _compare(
    group: str, name: str, raw: float, reports: list[Report], bar: float | None
) -> list[Figure]:
    events = median([report.events / report.seconds for report in reports])
    ours = _rate(reports)
    share = 100 * ours / raw
    return [
        Figure(group, f"{name}, events a second", events, "/s", 1_000_000, at_least=True),
        Figure(group, f"{name}, stream", ours, "MB/s", note=_cpu(reports)),
        Figure(group, f"{name}, stream to raw log", share, "%", bar, at_least=True),
    ]


def _rate(reports: list[Report]) -> float:
    return median([report.bytes / report.seconds / 1e6 for report in reports])


def _cpu(reports: list[Report]) -> str:
    return f"the viewer took {100 * median([r.cpu_share for r in reports]):.0f} % of a core"
