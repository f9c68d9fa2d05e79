"""The feeds of one worker: each log that is watched here, opened once."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from webapp.clock import Ticker
from webapp.log.watch import WatchFile, watch_file
from webapp.stream.feed import Feed

STOP_SECONDS = 0.25
"""How soon a stream notices that its worker is to end."""
_LOOK_SECONDS = 1.0
"""A file event is only a hint: each feed is looked at this often."""

logger = logging.getLogger(__name__)


class Hub:
    """Hands out feeds, one a watched log, and closes them with their last viewer."""

    def __init__(
        self,
        end_abandoned: Callable[[str], dict[str, object] | None],
        *,
        should_stop: Callable[[], bool] = lambda: False,
        is_login_live: Callable[[str], bool] = lambda login: True,
        count_sent: Callable[[int, int], None] = lambda events, size: None,
        look_seconds: float = _LOOK_SECONDS,
        watch: WatchFile = watch_file,
    ) -> None:
        """`end_abandoned` ends a session that lost its runner, in log and row; it returns how
        the row says that it ended, or None while it is live.

        `should_stop`: whether the worker is to end. `is_login_live`: whether a viewer's login has
        not ended. `count_sent` gets the number of events, and of bytes, that were sent to viewers.
        """
        self.should_stop = should_stop
        self.count_sent = count_sent
        self._is_login_live = is_login_live
        self._end_abandoned = end_abandoned
        self._watch = watch
        self.viewers = 0
        """How many streams are open in this worker."""
        self._feeds: dict[str, Feed] = {}
        self._lock = threading.Lock()
        self._stopping = Ticker("hub stop", STOP_SECONDS, self._wake_if_stopping)
        self._looking = Ticker("hub look", look_seconds, self._look)

    def may_go_on(self, login: str | None) -> bool:
        """Whether a stream goes on: its worker does not end, nor has its login ended."""
        return not self.should_stop() and (login is None or self._is_login_live(login))

    def acquire(self, session_id: str, path: Path) -> Feed:
        """The feed of a session for one viewer, until `release`.

        FileNotFoundError where there is no log.
        """
        with self._lock:
            feed = self._feeds.get(session_id)
            if feed is None:
                feed = self._feeds[session_id] = Feed(session_id, path, self._watch)
            feed.holders += 1
            self.viewers += 1
        self._stopping.start()
        self._looking.start()
        return feed

    def join(self, session_id: str) -> Feed | None:
        """As `acquire`, of a feed that somebody has; None if nobody does."""
        with self._lock:
            feed = self._feeds.get(session_id)
            if feed is not None:
                feed.holders += 1
                self.viewers += 1
        return feed

    def release(self, feed: Feed) -> None:
        """One viewer has gone."""
        with self._lock:
            self.viewers -= 1
            self._let_go(feed)

    def _let_go(self, feed: Feed) -> None:
        feed.holders -= 1
        if feed.holders == 0:
            del self._feeds[feed.session_id]
            feed.close()

    def _wake_if_stopping(self) -> None:
        if self.should_stop():
            for feed in list(self._feeds.values()):
                feed.wake()

    def _look(self) -> None:
        for session_id in list(self._feeds):
            with self._lock:
                feed = self._feeds.get(session_id)
                if feed is None:
                    continue
                feed.holders += 1  # its descriptor must not be closed, and then be another's
            try:
                self._look_at(feed)
            except Exception:
                logger.exception("cannot look at %s; it is tried again", session_id)
            finally:
                with self._lock:
                    self._let_go(feed)

    def _look_at(self, feed: Feed) -> None:
        feed.look()
        if feed.end_by_row is None and feed.is_abandoned():
            end = self._end_abandoned(feed.session_id)
            if end is not None and feed.is_abandoned():
                feed.end_by_row = end
            feed.wake()
