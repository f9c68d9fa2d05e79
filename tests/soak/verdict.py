"""Whether all went well: nothing lost, nothing twice, and nothing that grows."""

from collections.abc import Sequence

from tests.soak.sample import Process, Sample
from tests.soak.viewer import LOST, Seen

MEMORY_SHARE = 0.10
MEMORY_BYTES = 4_000_000
"""More than at the start, in share and bytes: what allocators keep, not what leaks."""
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
    found += _growth("the master", first.master, last.master)
    found += _growth("the oldest worker", first.oldest_worker, last.oldest_worker)
    for sample in samples:
        for what, count in (("zombies", sample.zombies), ("leftovers", sample.leftovers)):
            if count:
                found.append(f"{what} in minute {sample.minute:g}: {count}")
        if sample.wal_bytes > WAL_BYTES:
            found.append(f"WAL in minute {sample.minute:g}: {sample.wal_bytes:,} bytes")
    if last.runners or last.viewers:
        found.append(f"at the end there are {last.runners} runners, {last.viewers} viewers")
    return found


def _growth(who: str, first: Process, last: Process) -> list[str]:
    found = []
    for what, before, after in (
        ("resident", first.resident_bytes, last.resident_bytes),
        ("proportional", first.proportional_bytes, last.proportional_bytes),
    ):
        if after > before * (1 + MEMORY_SHARE) + MEMORY_BYTES:
            found.append(f"{who}: {what} memory from {before:,} to {after:,} bytes")
    if last.descriptors > first.descriptors + DESCRIPTORS:
        found.append(f"{who}: descriptors from {first.descriptors} to {last.descriptors}")
    if last.threads > first.threads + THREADS:
        found.append(f"{who}: threads from {first.threads} to {last.threads}")
    return found
