"""The verdict of a soak: what counts as lost, what as grown."""

from dataclasses import replace

import pytest

from tests.soak.sample import Process, Sample
from tests.soak.verdict import complaints
from tests.soak.viewer import LOST, Seen

PROCESS = Process(
    pid=1,
    age_seconds=60,
    resident_bytes=60_000_000,
    proportional_bytes=40_000_000,
    descriptors=20,
    threads=1,
    cpu_seconds=1,
)
SAMPLE = Sample(
    minute=0,
    master=PROCESS,
    workers=[PROCESS, replace(PROCESS, pid=2)],
    runners=0,
    runner_bytes=0,
    leftovers=0,
    zombies=0,
    database_bytes=100_000,
    wal_bytes=4_000_000,
    log_bytes=0,
    sessions=10,
    viewers=0,
)


def all_well() -> Seen:
    """Viewers who have nothing to complain of."""
    seen = Seen()
    seen.counts["saw it all"] = 10
    return seen


def test_nothing_is_said_where_nothing_is_wrong() -> None:
    last = replace(PROCESS, resident_bytes=61_000_000, descriptors=24)
    assert complaints([SAMPLE, replace(SAMPLE, master=last)], all_well()) == []


@pytest.mark.parametrize("what", LOST)
def test_anything_lost_is_said(what: str) -> None:
    seen = all_well()
    seen.blame(what, 1, "an example")
    assert complaints([SAMPLE, SAMPLE], seen) == [f"{what}: 1"]


def test_soak_that_nobody_watched_proves_nothing() -> None:
    assert complaints([SAMPLE, SAMPLE], Seen()) != []


@pytest.mark.parametrize(
    "grown",
    [
        replace(PROCESS, resident_bytes=91_000_000),
        replace(PROCESS, proportional_bytes=61_000_000),
        replace(PROCESS, descriptors=40),
        replace(PROCESS, threads=20),
    ],
)
def test_growth_of_the_master_or_the_oldest_worker_is_said(grown: Process) -> None:
    assert len(complaints([SAMPLE, replace(SAMPLE, master=grown)], all_well())) == 1
    assert len(complaints([SAMPLE, replace(SAMPLE, workers=[grown])], all_well())) == 1


def samples_of(sizes: list[int]) -> list[Sample]:
    """Samples of an oldest worker of these sizes, in MB."""
    workers = [replace(PROCESS, resident_bytes=size * 1_000_000) for size in sizes]
    return [replace(SAMPLE, workers=[worker]) for worker in workers]


def test_memory_may_grow_in_the_first_quarter_only() -> None:
    warm_up, flat = list(range(60, 75)), [75] * 45
    assert complaints(samples_of(warm_up + flat), all_well()) == []
    (complaint,) = complaints(samples_of([60 + n // 4 for n in range(60)]), all_well())
    assert "still grows" in complaint


@pytest.mark.parametrize(
    "last",
    [
        replace(SAMPLE, zombies=1),
        replace(SAMPLE, leftovers=1),
        replace(SAMPLE, runners=1),
        replace(SAMPLE, viewers=1),
        replace(SAMPLE, wal_bytes=100_000_000),
        replace(SAMPLE, workers=[replace(PROCESS, pid=3)]),
    ],
)
def test_what_is_left_over_or_replaced_is_said(last: Sample) -> None:
    assert len(complaints([SAMPLE, last], all_well())) == 1
