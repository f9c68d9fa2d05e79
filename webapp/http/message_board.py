"""The histories that are followed in this worker, and what wakes their followers.

The database is the channel between the workers: one thread of each worker asks it whether
anybody has committed, and then whether there is a new message, as long as somebody follows.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from webapp.store import messages, shapes
from webapp.store.commits import CommitWatch
from webapp.store.engine import Database

POLL_SECONDS = 0.05
"""Between two looks for a commit: no message is later than this."""
_RETRY_SECONDS = 1.0
"""After a look that failed."""
_PAGE = 100
"""How many messages are read at once, and so how many a follower far behind holds in memory."""

logger = logging.getLogger(__name__)


class MessageBoard:
    """Wakes the followers of histories when there is a new message. One a process."""

    def __init__(self, database: Database, should_stop: Callable[[], bool]) -> None:
        self._database = database
        self._should_stop = should_stop
        self._lock = threading.Lock()
        self._followers: set[threading.Event] = set()
        self._is_running = False

    @property
    def followers(self) -> int:
        """How many histories are being followed in this worker."""
        return len(self._followers)

    def follow(
        self, workflow_id: str, after: str, ping_seconds: float
    ) -> Iterator[dict[str, object] | None]:
        """The messages after an id, then each new one, until the worker stops.

        None after `ping_seconds` without a message. An id that no message of this workflow has
        means the beginning. No database session is held across a `yield`.
        """
        last_id = self._checked(workflow_id, after)
        sent_at = time.monotonic()
        with self._following() as has_news:
            while not self._should_stop():
                has_news.clear()
                found = self._read_after(workflow_id, last_id)
                yield from found
                if found:
                    last_id, sent_at = int(str(found[-1]["id"])), time.monotonic()
                elif not has_news.wait(sent_at + ping_seconds - time.monotonic()):
                    yield None
                    sent_at = time.monotonic()

    def _checked(self, workflow_id: str, text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            return 0
        with self._database.read() as orm:
            return int(text) if messages.has_message(orm, workflow_id, int(text)) else 0

    def _read_after(self, workflow_id: str, last_id: int) -> list[dict[str, object]]:
        with self._database.read() as orm:
            found = messages.messages_after(orm, workflow_id, last_id, _PAGE)
            return [shapes.message(message) for message in found]

    @contextmanager
    def _following(self) -> Iterator[threading.Event]:
        has_news = threading.Event()
        with self._lock:
            self._followers.add(has_news)
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="message-board", daemon=True).start()
        try:
            yield has_news
        finally:
            with self._lock:
                self._followers.discard(has_news)

    def _run(self) -> None:
        """Look for new messages as long as anybody follows."""
        commits = CommitWatch(self._database)
        newest = -1
        while self._is_needed():
            pause_seconds = POLL_SECONDS
            try:
                if commits.has_changed():
                    newest = self._look(newest)
            except Exception:
                logger.exception("cannot look for new messages; trying again")
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

    def _look(self, newest: int) -> int:
        """The newest message's id; wakes all followers if it is not the one given."""
        with self._database.read() as orm:
            found = messages.newest_message_id(orm)
        if found != newest:
            self._wake_all()
        return found

    def _wake_all(self) -> None:
        for has_news in list(self._followers):
            has_news.set()
