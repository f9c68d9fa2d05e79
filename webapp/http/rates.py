"""How often a client may do a thing, counted across all workers of this server.

Libraries that count across processes (Flask-Limiter and the `limits` below it) want Redis,
Memcached or the like; in memory, they count each worker for itself. The workers share the
disk, so the counts lie in one small file there: a table of fixed size, which no flood of
addresses can make grow, under a lock that the kernel takes back from a worker that dies.

The algorithm is GCRA, which keeps one number a client: the time at which all that it has
done so far would have been done at the allowed pace.
https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
"""

import hashlib
import math
import os
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from webapp import flock
from webapp.errors import SetupError

FILE_NAME = "rates"

_ENTRY = struct.Struct("<Qd")
"""A client's hash, and its time; an entry of zeros is free."""
_ENTRIES_A_BUCKET = 8
_BUCKETS = 4096
_BUCKET = struct.Struct("<" + "Qd" * _ENTRIES_A_BUCKET)


@dataclass(frozen=True)
class Rate:
    """How often a thing may be done a minute; all of that may be used at once."""

    name: str
    per_minute: int

    @property
    def interval_seconds(self) -> float:
        """The pace at which it may go on for ever."""
        return 60 / self.per_minute


class Rates:
    """The table of one `var` folder; every worker opens it for itself."""

    def __init__(self, var: Path, clock: Callable[[], float] = time.time) -> None:
        """SetupError where the file cannot be made."""
        self._clock = clock
        self._thread_lock = threading.Lock()  # flock(2) does not keep threads apart
        try:
            self._fd = flock.open_file(var / FILE_NAME)
            # Room for all of it now: a disk that is full later does no harm.
            os.posix_fallocate(self._fd, 0, _BUCKETS * _BUCKET.size)
        except OSError as error:
            raise SetupError(f"Cannot write {var / FILE_NAME}: {error.strerror}.") from None

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)

    def take(self, rate: Rate, client: str, cost: int = 1) -> float:
        """Do it `cost` times. 0.0: it may be done; otherwise nothing is counted.

        Then it returns the seconds to wait, infinity for more than a minute's worth at once.
        """
        return self._use(rate, client, cost, counts=True)

    def wait_seconds(self, rate: Rate, client: str) -> float:
        """What `take` would answer, without doing it."""
        return self._use(rate, client, 1, counts=False)

    def _use(self, rate: Rate, client: str, cost: int, *, counts: bool) -> float:
        if cost > rate.per_minute:
            return math.inf
        cost_seconds = cost * rate.interval_seconds
        digest = hashlib.blake2b(f"{rate.name} {client}".encode(), digest_size=16).digest()
        key = int.from_bytes(digest[:8], "little") or 1
        place = int.from_bytes(digest[8:], "little") % _BUCKETS * _BUCKET.size
        with self._thread_lock, flock.held(self._fd):
            now = self._clock()
            entries = list(_ENTRY.iter_unpack(os.pread(self._fd, _BUCKET.size, place)))
            index = _find(entries, key, now)
            due = max(entries[index][1], now) if entries[index][0] == key else now
            if due > now + 61:
                due = now  # none of ours is so late: the clock was set back
            wait = due + cost_seconds - (now + 60)
            if wait > 1e-6:
                return wait
            if counts:
                entry = _ENTRY.pack(key, due + cost_seconds)
                os.pwrite(self._fd, entry, place + index * _ENTRY.size)
            return 0.0


def _find(entries: list[tuple[int, float]], key: int, now: float) -> int:
    """The client's entry, or the one that is missed least: free, over, or soonest over."""
    for index, (other, _due) in enumerate(entries):
        if other == key:
            return index
    return min(range(len(entries)), key=lambda index: max(entries[index][1], now))
