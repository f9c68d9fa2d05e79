"""The clock by which this process measures durations, and work that it does at intervals."""

import logging
import threading
import time
from collections.abc import Callable

now = time.monotonic
"""Seconds on a clock that no correction of the date moves."""

logger = logging.getLogger(__name__)


class Ticker:
    """Does work at intervals, in a thread, or a greenlet where threads are greenlets."""

    def __init__(self, name: str, seconds: float, work: Callable[[], object]) -> None:
        """An error of `work` is logged, and does not end the ticker."""
        self._name = name
        self._seconds = seconds
        self._work = work
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Do the work after each interval from now on; has no effect a second time."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Stop. Does not wait for work that has begun."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            try:
                self._work()
            except Exception:
                logger.exception("%s failed; it is tried again", self._name)
