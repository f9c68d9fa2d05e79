"""What one worker counts. It knows no other room."""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping

from webapp.metrics.memory import GAUGE, Memory

BUCKETS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the histogram's buckets, in seconds."""

PUBLISH_SECONDS = 1.0
"""How old the other workers' gauges may be."""

SEPARATOR = "\t"
"""Between the parts of a key: what is counted, then the values of its labels."""


class Meter:
    """Counts in memory that the workers of a server share."""

    def __init__(self, memory: Memory, slot: int) -> None:
        """Only this process writes to the slot."""
        self._memory = memory
        self._slot = memory.slot(slot)
        self._lock = threading.Lock()

    def count_request(self, method: str, route: str, status: int) -> None:
        """A request has been answered."""
        self._add("requests", 1, method, route, str(status))

    def count_sent(self, events: int, size: int) -> None:
        """This many events, of this many bytes, were sent to viewers."""
        with self._lock:
            self._slot.add("events_sent", events)
            self._slot.add("bytes_sent", size)

    def count_invoke(self, seconds: float) -> None:
        """A session has been started, or found by its idempotency key."""
        bucket = bisect_left(BUCKETS, seconds)
        with self._lock:
            self._slot.add(f"invoke_bucket{SEPARATOR}{bucket}", 1)
            self._slot.add("invoke_microseconds", int(seconds * 1e6))

    def count_runner_failure(self, reason: str) -> None:
        """A runner could not be started (`start`), or was found gone (`lost`)."""
        self._add("runner_failures", 1, reason)

    def count_lock_wait(self, seconds: float) -> None:
        """Somebody had to wait for the database's lock."""
        with self._lock:
            self._slot.add("lock_waits", 1)
            self._slot.add("lock_wait_microseconds", int(seconds * 1e6))

    def publish(self, streams: Mapping[str, int]) -> None:
        """Let the other workers know how many streams of each kind are open here."""
        with self._lock:
            self._slot.set(f"{GAUGE}workers", 1)
            for kind, number in streams.items():
                self._slot.set(f"{GAUGE}streams{SEPARATOR}{kind}", number)

    def totals(self) -> Counter[str]:
        """Everything that this server's workers have counted and published."""
        return self._memory.totals()

    def _add(self, name: str, number: int, *labels: str) -> None:
        with self._lock:
            self._slot.add(SEPARATOR.join((name, *labels)), number)
