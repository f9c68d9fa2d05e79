"""All that waits for a person, followed in this worker."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from typing import NamedTuple

from webapp.errors import ServiceUnavailable
from webapp.http.commit_board import CommitBoard
from webapp.store import conversations, shapes
from webapp.store.conversations import Waiting
from webapp.store.engine import Database

logger = logging.getLogger(__name__)


class Change(NamedTuple):
    """The whole list, when it has changed."""

    id: str
    approvals: list[dict[str, object]]


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
        self._seen: list[Waiting] = []
        self._made: tuple[list[Waiting], Change] = ([], Change("", []))

    @property
    def followers(self) -> int:
        """How many follow in this worker."""
        return self._board.followers

    def read(self) -> list[dict[str, object]]:
        """All open approvals: their records, each with its session and workflow."""
        return self._make(self._find()).approvals

    def follow(self, ping_seconds: float) -> Iterator[Change | None]:
        """The list as it is, then at each change, until the worker stops.

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

    def _look(self) -> list[Waiting]:
        self._seen = self._find()
        return self._seen

    def _find(self) -> list[Waiting]:
        with self._database.read() as orm:
            return conversations.find_waiting(orm)

    def _change(self, waiting: list[Waiting]) -> Change:
        """As `_make`, once for all who follow."""
        if self._made[0] is not waiting:
            self._made = waiting, self._make(waiting)
        return self._made[1]

    def _make(self, waiting: list[Waiting]) -> Change:
        """The list that clients get."""
        approvals = [
            {"sessionId": session.session_id, "workflowId": session.workflow_id, **record}
            for session in waiting
            if self._waits(session)
            for record in shapes.read_list(session.open_approvals)
            if isinstance(record, dict)
        ]
        content = json.dumps(approvals).encode()
        return Change(hashlib.sha256(content).hexdigest()[:16], approvals)

    def _waits(self, session: Waiting) -> bool:
        try:
            return self._is_live(session.session_id)
        except (OSError, ServiceUnavailable):
            logger.exception("cannot find out whether %s still runs", session.session_id)
            return True
