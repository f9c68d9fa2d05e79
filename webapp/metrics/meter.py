"""What one worker counts. It knows no other room: whoever does the work tells it."""

import logging
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable

from webapp.metrics.memory import GAUGE, Memory, Slot

BUCKETS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds of the histogram's buckets, in seconds."""

PUBLISH_SECONDS = 1.0
"""How old the other workers' gauges may be."""

SEPARATOR = "\t"
"""Between the parts of a key: what is counted, then the values of its labels."""

logger = logging.getLogger(__name__)


class Meter:
    """Counts in memory of this process's own, until it joins that of a server."""

    def __init__(self) -> None:
        self._memory = Memory(1)
        self._slot = self._memory.slot(0)
        self._lock = threading.Lock()
        self.gauges: dict[str, Callable[[], int]] = {}
        """What is asked for when it is to be published, by kind of stream."""

    def join(self, memory: Memory, slot: Slot) -> None:
        """Count in a slot of a server's memory from now on."""
        self._memory, self._slot = memory, slot
        self.publish()

    def count_request(self, method: str, route: str, status: int) -> None:
        """A request has been answered."""
        self._add("requests", 1, method, route, str(status))

    def count_sent(self, events: int, size: int) -> None:
        """So many events, of so many bytes, have been sent to viewers."""
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

    def publish(self) -> None:
        """Let the other workers know how things stand here."""
        numbers = {kind: ask() for kind, ask in self.gauges.items()}
        with self._lock:
            self._slot.set(f"{GAUGE}workers", 1)
            for kind, number in numbers.items():
                self._slot.set(f"{GAUGE}streams{SEPARATOR}{kind}", number)

    def start_publishing(self) -> None:
        """Publish each second from now on, for the worker that will be asked."""
        threading.Thread(target=self._publish_for_ever, name="meter", daemon=True).start()

    def _publish_for_ever(self) -> None:
        pause = threading.Event()
        while not pause.wait(PUBLISH_SECONDS):
            try:
                self.publish()
            except Exception:
                logger.exception("cannot publish how things stand; trying on")

    def totals(self) -> Counter[str]:
        """Everything that this server's workers have counted."""
        self.publish()
        return self._memory.totals()

    def _add(self, name: str, number: int, *labels: str) -> None:
        with self._lock:
            self._slot.add(SEPARATOR.join((name, *labels)), number)
