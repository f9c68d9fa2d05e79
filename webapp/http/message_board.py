"""Histories that are followed in this worker: told of each new message, by any worker.

The database itself is the channel. Every commit grows or rewrites SQLite's WAL file, which
inotify tells us of; then one query for the whole worker finds out whether there is a new
message. Where nobody follows, nothing is watched and nothing is asked.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from webapp.store import messages, shapes
from webapp.store.engine import Database
from webapp.stream.watch import Watch, watch_file

PAGE = 100
"""Messages that are read at once: a follower who is far behind holds no more in memory."""

_TICK_SECONDS = 0.25
_LOOK_SECONDS = 1.0
"""How often the database is asked though nothing was heard of it."""
_DEAF_SECONDS = 0.1
"""The same where there is no inotify."""
_SETTLE_SECONDS = (0.01, 0.02, 0.04, 0.08)
"""A commit writes to the WAL a moment before readers can see it, so ask again after these."""
_BURST_SECONDS = 0.005
"""What is written within so short a time is one piece of news."""

logger = logging.getLogger(__name__)


class HistoryPlace(NamedTuple):
    """A workflow's history, and the id of the last message that a follower has had."""

    workflow_id: str
    last_id: str


class MessageBoard:
    """Wakes those who follow a history when there is a new message. One a process."""

    def __init__(self, database: Database, should_stop: Callable[[], bool]) -> None:
        self._database = database
        self._should_stop = should_stop
        self._lock = threading.Lock()
        self._followers: set[threading.Event] = set()
        self._bell = threading.Event()
        self._is_running = False

    @property
    def followers(self) -> int:
        """How many histories are being followed in this worker."""
        return len(self._followers)

    def follow(
        self, place: HistoryPlace, ping_seconds: float
    ) -> Iterator[dict[str, object] | None]:
        """The messages after a place, then those that are added, until the worker stops.

        None after so many seconds without one. An id that is none of this workflow's
        messages begins at the first one: nothing is left out. No database session is held
        across a `yield`.
        """
        last_id = self._checked(place)
        heard_at = time.monotonic()
        with self._following() as has_news:
            while not self._should_stop():
                has_news.clear()
                found = self._read_after(place.workflow_id, last_id)
                yield from found
                if found:
                    last_id, heard_at = int(str(found[-1]["id"])), time.monotonic()
                elif not has_news.wait(heard_at + ping_seconds - time.monotonic()):
                    yield None
                    heard_at = time.monotonic()

    def _checked(self, place: HistoryPlace) -> int:
        text = place.last_id
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            return 0
        with self._database.read() as orm:
            return int(text) if messages.has_message(orm, place.workflow_id, int(text)) else 0

    def _read_after(self, workflow_id: str, last_id: int) -> list[dict[str, object]]:
        with self._database.read() as orm:
            found = messages.messages_after(orm, workflow_id, last_id, PAGE)
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
        """Look for news as long as anybody follows."""
        ear = _Ear(self._database.path, self._bell.set)
        newest, asked_at, pauses = -1, 0.0, list[float]()
        while self._is_needed():
            ear.listen()
            is_settling = bool(pauses)
            if self._bell.wait(pauses.pop(0) if pauses else ear.patience_seconds):
                time.sleep(_BURST_SECONDS)
                self._bell.clear()
                pauses = list(_SETTLE_SECONDS)
            elif not is_settling and not ear.is_deaf and not self._is_due(asked_at):
                continue
            asked_at = time.monotonic()
            newest = self._look(newest)
        ear.close()

    def _is_needed(self) -> bool:
        """Whether anybody follows. If not, the thread ends, and the next follower starts one."""
        if self._should_stop():
            self._wake_all()
        with self._lock:
            self._is_running = bool(self._followers)
            return self._is_running

    def _is_due(self, asked_at: float) -> bool:
        return time.monotonic() >= asked_at + _LOOK_SECONDS

    def _look(self, newest: int) -> int:
        """Wake everybody if there is a message newer than the newest so far."""
        try:
            with self._database.read() as orm:
                found = messages.newest_message_id(orm)
        except Exception:
            logger.exception("cannot look for new messages; trying on")
            return newest
        if found != newest:
            self._wake_all()
        return found

    def _wake_all(self) -> None:
        for has_news in list(self._followers):
            has_news.set()


class _Ear:
    """Listens to the WAL file, and to its successor when SQLite has replaced it."""

    def __init__(self, database: Path, on_change: Callable[[], None]) -> None:
        self._path = database.with_name(database.name + "-wal")
        self._on_change = on_change
        self._watch: Watch | None = None
        self._inode: int | None = None

    @property
    def is_deaf(self) -> bool:
        """Whether there is no inotify, so that only looking helps."""
        return self._watch is None

    @property
    def patience_seconds(self) -> float:
        """How long to wait for a change before looking round."""
        return _DEAF_SECONDS if self.is_deaf else _TICK_SECONDS

    def listen(self) -> None:
        """Watch the file that is there now."""
        try:
            inode = os.stat(self._path).st_ino
        except OSError:
            inode = None
        if inode != self._inode:
            self.close()
            self._inode = inode
            self._watch = None if inode is None else watch_file(self._path, self._on_change)
            self._on_change()

    def close(self) -> None:
        """Stop listening."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None
