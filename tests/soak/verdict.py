"""Whether all went well: nothing lost, nothing twice, and nothing that grows."""

from collections.abc import Sequence
from statistics import median

from tests.soak.sample import Process, Sample
from tests.soak.viewer import LOST, Seen

MEMORY_SHARE = 0.03
MEMORY_BYTES = 2_000_000
"""More in the last quarter than in the second, medians, in share and bytes. Through the first
quarter memory grows to what the most that went on at once has ever needed."""
WARM_SHARE = 0.5
"""More at the end than at the start, with nothing going on either time."""
DESCRIPTORS = 8
"""The pool of database connections holds up to four, with two files each."""
THREADS = 10
"""gevent's pool of threads fills up to ten as it is used, and stays."""
WAL_BYTES = 16_000_000


def complaints(samples: Sequence[Sample], seen: Seen) -> list[str]:
    """What is wrong, in words; nothing if all is well."""
    found = [f"{what}: {seen.counts[what]}" for what in LOST if seen.counts[what]]
    first, last = samples[0], samples[-1]
    if seen.counts["saw it all"] == 0:
        found.append("no viewer saw a session to its end")
    if first.oldest_worker.pid != last.oldest_worker.pid:
        found.append("the worker that nobody kills was replaced")
    found += _growth("the master", [sample.master for sample in samples])
    found += _growth("the oldest worker", [sample.oldest_worker for sample in samples])
    for sample in samples:
        for what, count in (("zombies", sample.zombies), ("leftovers", sample.leftovers)):
            if count:
                found.append(f"{what} in minute {sample.minute:g}: {count}")
        if sample.wal_bytes > WAL_BYTES:
            found.append(f"WAL in minute {sample.minute:g}: {sample.wal_bytes:,} bytes")
    if last.runners or last.viewers:
        found.append(f"at the end there are {last.runners} runners, {last.viewers} viewers")
    return found


def _growth(who: str, processes: Sequence[Process]) -> list[str]:
    first, last = processes[0], processes[-1]
    found = []
    for what, series in (
        ("resident", [process.resident_bytes for process in processes]),
        ("proportional", [process.proportional_bytes for process in processes]),
    ):
        quarter = len(series) // 4
        if series[-1] > series[0] * (1 + WARM_SHARE):
            found.append(f"{who}: {what} memory from {series[0]:,} to {series[-1]:,} bytes")
        if not quarter:
            continue
        before, after = median(series[quarter : 2 * quarter]), median(series[-quarter:])
        if after > before * (1 + MEMORY_SHARE) + MEMORY_BYTES:
            found.append(f"{who}: {what} memory still grows, from {before:,} to {after:,} bytes")
    if last.descriptors > first.descriptors + DESCRIPTORS:
        found.append(f"{who}: descriptors from {first.descriptors} to {last.descriptors}")
    if last.threads > first.threads + THREADS:
        found.append(f"{who}: threads from {first.threads} to {last.threads}")
    return found
