"""The figures of a soak for people and for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.soak.sample import Process, Sample
from tests.soak.viewer import Seen

_COLUMNS = (
    "minute",
    "master: RSS, PSS, fds, threads",
    "oldest worker: …, CPU",
    "newest worker: age, …",
    "runners: PSS",
    "left, zombies",
    "db, WAL",
    "sessions",
    "viewers",
)


def line(sample: Sample) -> tuple[str, ...]:
    """One sample as a row of the table."""
    oldest, newest = sample.oldest_worker, sample.workers[-1]
    return (
        f"{sample.minute:.1f}",
        _process(sample.master),
        f"{_process(oldest)}, {100 * oldest.cpu_seconds / oldest.age_seconds:.1f} %",
        f"{newest.age_seconds:.0f} s, {_process(newest)}",
        f"{sample.runners}: {sample.runner_bytes / 1e6:.1f} MB",
        f"{sample.leftovers}, {sample.zombies}",
        f"{sample.database_bytes / 1e6:.2f}, {sample.wal_bytes / 1e6:.2f} MB",
        str(sample.sessions),
        str(sample.viewers),
    )


def _process(process: Process) -> str:
    resident, proportional = process.resident_bytes / 1e6, process.proportional_bytes / 1e6
    return (
        f"{resident:.1f}, {proportional:.1f} MB, {process.descriptors} fds, {process.threads} thr"
    )


def show(samples: Sequence[Sample], seen: Seen, complaints: Sequence[str]) -> None:
    """The table, what the viewers saw, and the verdict."""
    table = Table(*_COLUMNS, title="soak")
    for sample in samples:
        table.add_row(*line(sample))
    console = Console(width=170)
    console.print(table)
    counts = ", ".join(f"{what} {count:,}" for what, count in sorted(seen.counts.items()))
    console.print(counts, highlight=False)
    for complaint in [*complaints, *seen.examples]:
        console.print(f"WRONG: {complaint}", highlight=False)
    console.print("FAILED" if complaints else "All is well: nothing lost, nothing twice, flat.")


def write_json(
    samples: Sequence[Sample], seen: Seen, complaints: Sequence[str], path: Path
) -> None:
    """The same for programs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "samples": [asdict(sample) for sample in samples],
        "seen": dict(seen.counts),
        "complaints": [*complaints, *seen.examples],
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
