"""What one viewer asked for, and where in the log that begins."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from webapp.log import position, seek
from webapp.log.dialects.translate import Translate
from webapp.log.event_id import BEGINNING, EventId
from webapp.log.opened import OpenLog
from webapp.log.reader import Start
from webapp.stream import sse
from webapp.stream.format import Format

RETRY_MS = (500, 2000)
"""When a client should come back after a break: jittered, so that not all come at once."""


@dataclass(frozen=True)
class Pace:
    """A replay at the agent's own rhythm."""

    speed: float
    """How many seconds of the agent's time pass in one second."""
    max_gap_seconds: float
    """A longer silence counts for no more than this of the agent's time."""


@dataclass(frozen=True)
class View:
    """What one viewer asked for."""

    session_id: str
    log: Path
    form: Format
    ping_seconds: float
    recorded_end: Callable[[], dict[str, object] | None]
    """How the session ended by its row; None while it is live."""
    end_offset: int | None = None
    """The id of the event that says so, as the row knows it."""
    deleted_at: str | None = None
    """When its log was deleted, if it was."""
    after: EventId | None = BEGINNING
    """Begin after the event of this id; None for one that makes no sense."""
    last_events: int | None = None
    """Begin this many events before the end instead."""
    time: bytes | None = None
    """Begin at this time instead: RFC 3339 with nine decimals, as in the log."""
    pace: Pace | None = None
    """None: what there is comes as fast as the viewer reads."""
    login: str | None = None
    """The login with which the stream ends; None for a client that showed the token."""
    first_id: str | None = None
    """Sent to the client before the first event, so that even an early reconnect resumes."""

    def find_start(self, log: OpenLog, dialect: Translate | None) -> Start:
        """Where in the log this begins, and whether that is not quite what was asked for."""
        if self.last_events is not None:
            offset, seen = position.find_last(log, self.last_events, dialect)
            return Start(offset, is_gap=False, seen=seen)
        if self.time is not None:
            return Start(seek.find_time(log, self.time), is_gap=False)
        return position.find_start(log, self.after, dialect)

    def prelude(self) -> bytes:
        """The lines before the first event: see `sse.encode_prelude`."""
        return sse.encode_prelude(random.randint(*RETRY_MS), self.first_id)
