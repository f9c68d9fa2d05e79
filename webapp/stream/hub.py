"""All the feeds of one worker, and the one clock that looks after them."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from webapp.errors import ServiceUnavailable
from webapp.stream.feed import Feed

if TYPE_CHECKING:
    from webapp.stream.push import Push

LOOK_SECONDS = 1.0
"""How often a feed is looked at though nothing was heard of it."""
_TICK_SECONDS = 0.25
_RETRY_AFTER_SECONDS = 5

logger = logging.getLogger(__name__)


class Hub:
    """Hands out feeds, one a watched log, and drops them with their last viewer."""

    def __init__(
        self,
        end_abandoned: Callable[[str], dict[str, object] | None],
        max_streams: int = 10_000,
    ) -> None:
        """`end_abandoned` writes off a session that lost its runner, in log and row; it
        returns how the row says that it ended, or None while it is live."""
        self._end_abandoned = end_abandoned
        self.max_streams = max_streams
        self._feeds: dict[str, Feed] = {}
        self._lock = threading.Lock()
        self._clock: threading.Thread | None = None
        self.should_stop: Callable[[], bool] = lambda: False
        """Whether the worker is told to end; set by the server that runs it."""
        self.is_login_live: Callable[[str], bool] = lambda login: True
        """Whether a viewer's login has not ended; set by the app that knows the logins."""
        self.other_streams: Callable[[], int] = lambda: 0
        """How many streams of another kind this worker has open; they count too."""
        self.count_sent: Callable[[int, int], None] = lambda events, size: None
        """Told how many events, and of how many bytes, have been sent to viewers."""
        self.push: Push | None = None
        """Takes over viewers' connections, where the server lets it; set by that server."""

    def give_way(self) -> None:
        """Let the live viewers hear what is due, between two steps of answering a newcomer."""
        if self.push is not None:
            self.push.give_way()

    def admit(self) -> None:
        """Raise ServiceUnavailable if this worker has as many streams as it may have."""
        count = self.viewers + self.other_streams()
        if count >= self.max_streams:
            raise ServiceUnavailable(
                f"This worker has {count} streams open and may have {self.max_streams} "
                "(AGENT_STREAM_MAX_STREAMS); try again in a moment.",
                retry_after=_RETRY_AFTER_SECONDS,
            )

    def may_go_on(self, login: str | None) -> bool:
        """Whether a stream goes on: its worker does not end, nor has its login ended."""
        return not self.should_stop() and (login is None or self.is_login_live(login))

    def acquire(self, session_id: str, path: Path) -> Feed:
        """The feed of a session for one viewer, until `release`.

        FileNotFoundError where there is no log.
        """
        with self._lock:
            feed = self._feeds.get(session_id)
            if feed is None:
                feed = self._feeds[session_id] = Feed(session_id, path)
            feed.holders += 1
            if self._clock is None:
                self._clock = threading.Thread(target=self._run_clock, name="hub", daemon=True)
                self._clock.start()
        return feed

    def release(self, feed: Feed) -> None:
        """One viewer has gone."""
        with self._lock:
            feed.holders -= 1
            if feed.holders == 0:
                del self._feeds[feed.session_id]
                feed.close()

    @property
    def viewers(self) -> int:
        """How many streams are open in this worker."""
        return sum(feed.holders for feed in list(self._feeds.values()))

    def _run_clock(self) -> None:
        pause = threading.Event()
        ticks = 0
        while True:
            pause.wait(_TICK_SECONDS)
            ticks += 1
            if self.should_stop():
                self._wake_all()
            elif ticks % int(LOOK_SECONDS / _TICK_SECONDS) == 0:
                self._look()

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
                logger.exception("cannot look after %s; trying on", session_id)
            finally:
                self.release(feed)

    def _look_at(self, feed: Feed) -> None:
        feed.look()
        if feed.end_by_row is None and feed.is_abandoned():
            end = self._end_abandoned(feed.session_id)
            if end is not None and feed.is_abandoned():
                feed.end_by_row = end
            feed.wake()

    def _wake_all(self) -> None:
        for feed in list(self._feeds.values()):
            feed.wake()
