"""The id of an event: the position in the log of a viewer that has received it."""

import re
from typing import NamedTuple

_ID = re.compile(r"(\d+)(?:\.(\d+))?", re.ASCII)
_OFFSET_DIGITS = 19
"""Enough to be past the end of any file: off_t has no more."""


class EventId(NamedTuple):
    """A position between two events; ids are ordered as their events are.

    As text `<offset>`, or `<offset>.<seen>` in the middle of a record that gives several events.
    """

    offset: int
    """A boundary of the log: everything before it has been seen."""
    seen: int = 0
    """How many events of the record that begins there have been seen too."""

    def __str__(self) -> str:
        return f"{self.offset}.{self.seen}" if self.seen else str(self.offset)


BEGINNING = EventId(0)
"""Nothing has been seen."""


def read_id(text: str) -> EventId | None:
    """An id as a client sent it; None for garbage."""
    found = _ID.fullmatch(text)
    if found is None:
        return None
    offset, seen = found.groups(default="0")
    return EventId(int(offset[:_OFFSET_DIGITS]), int(seen[:_OFFSET_DIGITS]))
