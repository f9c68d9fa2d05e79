"""The histories that are followed in this worker."""

import time
from collections.abc import Callable, Iterator

from webapp.http.commit_board import CommitBoard
from webapp.store import messages, shapes
from webapp.store.engine import Database

_PAGE = 100
"""How many messages are read at once, and so how many a follower far behind holds in memory."""


class MessageBoard:
    """Wakes the followers of histories when there is a new message. One a process."""

    def __init__(self, database: Database, should_stop: Callable[[], bool]) -> None:
        self._database = database
        self._should_stop = should_stop
        self._board = CommitBoard("message-board", database, should_stop, self._newest)

    @property
    def followers(self) -> int:
        """How many histories are being followed in this worker."""
        return self._board.followers

    def follow(
        self, workflow_id: str, after: str, ping_seconds: float
    ) -> Iterator[dict[str, object] | None]:
        """The messages after an id, then each new one, until the worker stops.

        None after `ping_seconds` without a message. An id that no message of this workflow has
        means the beginning. No database session is held across a `yield`.
        """
        last_id = self._checked(workflow_id, after)
        sent_at = time.monotonic()
        with self._board.following() as has_news:
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

    def _newest(self) -> int:
        with self._database.read() as orm:
            return messages.newest_message_id(orm)
