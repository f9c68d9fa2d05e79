"""All that concerns a person, followed in this worker: open approvals, and notices."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from typing import NamedTuple

from webapp.errors import ServiceUnavailable
from webapp.http.commit_board import CommitBoard
from webapp.store import conversations, notices, shapes
from webapp.store.conversations import Waiting
from webapp.store.engine import Database

logger = logging.getLogger(__name__)


class Found(NamedTuple):
    """What the database knows of it."""

    waiting: list[Waiting]
    notices: list[dict[str, object]]


class Change(NamedTuple):
    """All of it, when it has changed."""

    id: str
    lists: dict[str, list[dict[str, object]]]
    """`approvals`, oldest session first, and `notices`, newest first."""


class ApprovalBoard:
    """Reads what waits, and wakes its followers when that changes. One a process."""

    def __init__(
        self,
        database: Database,
        should_stop: Callable[[], bool],
        is_live: Callable[[str], bool],
    ) -> None:
        """`is_live`: whether a session is; one that lost its runner is ended by the question."""
        self._database = database
        self._should_stop = should_stop
        self._is_live = is_live
        self._board = CommitBoard("approval-board", database, should_stop, self._look)
        self._seen = Found([], [])
        self._made: tuple[Found, Change] = (self._seen, Change("", {}))

    @property
    def followers(self) -> int:
        """How many follow in this worker."""
        return self._board.followers

    def read(self) -> dict[str, list[dict[str, object]]]:
        """All open approvals, each with its session and workflow, and all open notices."""
        return self._make(self._find()).lists

    def follow(self, ping_seconds: float) -> Iterator[Change | None]:
        """The lists as they are, then at each change, until the worker stops.

        None after `ping_seconds` without one. No database session is held across a `yield`.
        """
        last_id = ""
        with self._board.following() as has_news:
            change = self._make(self._find())
            while not self._should_stop():
                if change.id != last_id:
                    last_id = change.id
                    yield change
                if has_news.wait(ping_seconds):
                    has_news.clear()
                    change = self._change(self._seen)
                else:
                    yield None
                    change = self._make(self._find())  # a runner that was killed told nobody

    def _look(self) -> Found:
        self._seen = self._find()
        return self._seen

    def _find(self) -> Found:
        with self._database.read() as orm:
            return Found(conversations.find_waiting(orm), notices.find_open(orm))

    def _change(self, found: Found) -> Change:
        """As `_make`, once for all who follow."""
        if self._made[0] is not found:
            self._made = found, self._make(found)
        return self._made[1]

    def _make(self, found: Found) -> Change:
        """The lists that clients get."""
        approvals = [
            {"sessionId": session.session_id, "workflowId": session.workflow_id, **record}
            for session in found.waiting
            if self._waits(session)
            for record in shapes.read_list(session.open_approvals)
            if isinstance(record, dict)
        ]
        lists = {"approvals": approvals, "notices": found.notices}
        content = json.dumps(lists).encode()
        return Change(hashlib.sha256(content).hexdigest()[:16], lists)

    def _waits(self, session: Waiting) -> bool:
        try:
            return self._is_live(session.session_id)
        except (OSError, ServiceUnavailable):
            logger.exception("cannot find out whether %s still runs", session.session_id)
            return True
