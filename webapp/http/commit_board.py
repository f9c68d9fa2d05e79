"""What wakes those who follow something in the database, in this worker.

The database is the channel between the workers: one thread asks it whether anybody has
committed, and then whether what is followed has changed, as long as somebody follows.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from webapp.store.commits import CommitWatch
from webapp.store.engine import Database

POLL_SECONDS = 0.05
"""Between two looks for a commit: no change is later than this."""
_RETRY_SECONDS = 1.0
"""After a look that failed."""

logger = logging.getLogger(__name__)


class CommitBoard:
    """Wakes its followers after each commit that changed what `look` returns."""

    def __init__(
        self,
        name: str,
        database: Database,
        should_stop: Callable[[], bool],
        look: Callable[[], object],
    ) -> None:
        """`name`: what its thread is called, and what is followed."""
        self._name = name
        self._database = database
        self._should_stop = should_stop
        self._look = look
        self._lock = threading.Lock()
        self._followers: set[threading.Event] = set()
        self._is_running = False

    @property
    def followers(self) -> int:
        """How many follow in this worker."""
        return len(self._followers)

    @contextmanager
    def following(self) -> Iterator[threading.Event]:
        """An event that is set at each change, for the caller to clear before it looks."""
        has_news = threading.Event()
        with self._lock:
            self._followers.add(has_news)
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name=self._name, daemon=True).start()
        try:
            yield has_news
        finally:
            with self._lock:
                self._followers.discard(has_news)

    def _run(self) -> None:
        """Look for changes as long as anybody follows."""
        commits = CommitWatch(self._database)
        seen: object = None
        while self._is_needed():
            pause_seconds = POLL_SECONDS
            try:
                if commits.has_changed():
                    found = self._look()
                    if found != seen:
                        seen = found
                        self._wake_all()
            except Exception:
                logger.exception("cannot look for news of the %s; trying again", self._name)
                commits.close()
                pause_seconds = _RETRY_SECONDS
            time.sleep(pause_seconds)
        commits.close()

    def _is_needed(self) -> bool:
        """Whether anybody follows. If not, the thread ends, and the next follower starts one."""
        if self._should_stop():
            self._wake_all()
        with self._lock:
            self._is_running = bool(self._followers)
            return self._is_running

    def _wake_all(self) -> None:
        for has_news in list(self._followers):
            has_news.set()
