"""The records of a log, and those that are still to come, without a server."""

import logging
import threading
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from webapp.commands.var_folder import VarFolder
from webapp.log import lock, reader
from webapp.log.dialects.translate import Translate, read_dialect
from webapp.log.events import Event, is_part, parse_events
from webapp.log.opened import OpenLog
from webapp.log.watch import watch_file
from webapp.store.models import Session

LOOK_SECONDS = 1.0
"""A file event is only a hint: look so often, whatever was heard."""
_RETRY_SECONDS = 0.1

logger = logging.getLogger(__name__)


class Chunk(NamedTuple):
    """Some whole records of a log, beginning at a boundary."""

    offset: int
    records: bytes

    @property
    def end(self) -> int:
        """Where the log goes on."""
        return self.offset + len(self.records)


def read_chunks(log: OpenLog, offset: int, end: int | None = None) -> Iterator[Chunk]:
    """What the log holds from a boundary on, up to the boundary `end` or as far as it is now."""
    while end is None or offset < end:
        limit = reader.STEP_BYTES if end is None else min(reader.STEP_BYTES, end - offset)
        records = reader.read_records(log, offset, limit)
        if not records:
            return
        yield Chunk(offset, records)
        offset += len(records)


class Stop:
    """Lets another thread end a `follow`."""

    def __init__(self) -> None:
        self.changed = threading.Event()
        self.is_set = False

    def set(self) -> None:
        """Nothing more is wanted."""
        self.is_set = True
        self.changed.set()


def follow(
    var_folder: VarFolder, session: Session, log: OpenLog, offset: int, stop: Stop | None = None
) -> Iterator[Chunk]:
    """What the log holds and what comes, up to its `done`.

    Ends without one only where the log has lost it for good (it was removed), or on `stop`.
    """
    stop = stop or Stop()
    changed = stop.changed
    watch = watch_file(var_folder.log(session), changed.set)
    try:
        while not stop.is_set:
            changed.clear()
            size = log.size()
            if size < offset:
                logger.warning("the log of %s was cut: what was cut off is lost", session.id)
                offset = reader.find_end(log, size)
            for chunk in read_chunks(log, offset):
                yield chunk
                offset = chunk.end

            if reader.is_complete(log) and offset == log.size():
                return
            if lock.is_held(log.fd):
                changed.wait(LOOK_SECONDS)
            elif var_folder.settle(session.id).is_live:
                changed.wait(_RETRY_SECONDS)  # somebody else had the lock for a moment
            elif not reader.read_records(log, offset):
                return
    finally:
        if watch is not None:
            watch.close()


class EventParser:
    """The events of chunks that follow each other from a boundary on.

    Without the first `seen` of the record that begins there.
    """

    def __init__(self, log: OpenLog, offset: int, seen: int = 0) -> None:
        self._log = log
        self._is_continuation = reader.line_state(log, offset)
        self._seen = seen

    def parse(self, chunk: Chunk) -> Iterator[Event]:
        """The events of the next chunk, without the parts of a line that is an event itself."""
        is_continuation = self._is_continuation
        self._is_continuation = reader.goes_on_after(chunk.records, is_continuation)
        seen, self._seen = self._seen, 0
        events = parse_events(
            chunk.records,
            chunk.offset,
            is_continuation=is_continuation,
            dialect=self._dialect,
            seen=seen,
        )
        return (event for event in events if not is_part(event))

    @cached_property
    def _dialect(self) -> Translate | None:
        """Read with the first chunk: before that, the log may be empty yet."""
        return read_dialect(self._log).translate
