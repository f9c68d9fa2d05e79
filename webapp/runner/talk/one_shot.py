"""What an agent of one message says of its conversation, so that the next one can go on with it."""

from collections.abc import Callable

from webapp.log.dialects.normalized import Dialect
from webapp.runner.row import ConversationUpdate
from webapp.runner.talk.lines import LineScanner, read_object


class OneShot:
    """Looks for the id of the conversation until it is found, and for why there is none."""

    def __init__(
        self,
        dialect: Dialect,
        resumed: str | None,
        max_line_bytes: int,
        append: Callable[[dict[str, object]], None],
        schedule_write: Callable[[], None],
    ) -> None:
        """`resumed`: the conversation that the agent is to go on with."""
        self._dialect = dialect
        self._resumed = resumed
        self._append = append
        self._schedule_write = schedule_write
        self._id: str | None = None
        self._is_lost = False
        marks = (dialect.conversation_mark, dialect.lost_mark)
        self._scanners = [
            LineScanner(marks, dialect.conversation_mark, max_line_bytes) for _ in range(2)
        ]

    @property
    def is_done(self) -> bool:
        """Whether nothing more is to be found."""
        return self._id is not None or self._is_lost

    def feed(self, data: bytes) -> None:
        """What comes on stdout."""
        self._feed(data, self._scanners[0])

    def feed_stderr(self, data: bytes) -> None:
        """What comes on stderr, where some agents say that they do not know the conversation."""
        self._feed(data, self._scanners[1])

    def _feed(self, data: bytes, scanner: LineScanner) -> None:
        for line in () if self.is_done else scanner.feed(data):
            if not self.is_done:
                self._read(line)

    def _read(self, line: bytes) -> None:
        if self._resumed is not None and self._dialect.lost_mark in line:
            self._is_lost = True
            error = "The agent does not know it any more."
            record = {"conversationId": self._resumed, "error": error}
            self._append({"type": "conversation_lost", **record})
            return
        found = read_object(line)
        self._id = None if found is None else self._dialect.conversation_of(found)
        if self._id is not None:
            self._append({"type": "conversation", "conversationId": self._id})
            self._schedule_write()

    def take(self) -> ConversationUpdate:
        """What the session's row is to hold."""
        return ConversationUpdate({"conversation_id": self._id}, [], [])
