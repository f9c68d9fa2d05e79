"""What a server's workers hold, and whether it is given back after an attack."""

import time
from dataclasses import dataclass

from tests.bench.processes import descriptors, resident_bytes, threads
from tests.bench.report import Figure
from tests.server import Server

BACK_SECONDS = 60
MEMORY_BYTES = 8_000_000
"""More than before, for a worker: what its allocator keeps of the memory of 1,000 viewers."""


@dataclass(frozen=True)
class Held:
    """What the workers hold together."""

    descriptors: int
    threads: int
    resident_bytes: int


def held(server: Server) -> Held:
    """What they hold now."""
    workers = server.worker_pids()
    return Held(sum(map(descriptors, workers)), sum(map(threads, workers)), resident_bytes(workers))


def wait_until_back(server: Server, before: Held) -> tuple[Held, float]:
    """What they hold once all is gone that an attack cost, or when time is over; seconds."""
    began = time.monotonic()
    while True:
        now, seconds = held(server), time.monotonic() - began
        is_back = (
            now.descriptors <= before.descriptors
            and now.threads <= before.threads
            and now.resident_bytes <= before.resident_bytes + 2 * MEMORY_BYTES
        )
        if is_back or seconds > BACK_SECONDS:
            return now, seconds
        time.sleep(0.5)


def figures(group: str, before: Held, back: Held, seconds: float) -> list[Figure]:
    """How it went."""
    more_bytes = back.resident_bytes - before.resident_bytes
    return [
        Figure(group, "all back as before after", seconds, "s", BACK_SECONDS),
        Figure(group, "descriptors more", back.descriptors - before.descriptors, "", 0),
        Figure(group, "threads more", back.threads - before.threads, "", 0),
        Figure(group, "memory more", more_bytes / 1e6, "MB", 2 * MEMORY_BYTES / 1e6),
    ]
