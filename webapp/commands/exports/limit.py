"""A page that a browser can open: of a long session its beginning and its end."""

import json
from collections import deque
from collections.abc import Iterable, Iterator

from webapp.log.events import Event

MOST_EVENTS = 20_000
MOST_BYTES = 16 << 20
"""Of events' data, whatever their number: what comes of it is some three times as much."""


class Limit:
    """Lets so many events through, half of them from the beginning and half from the end."""

    def __init__(self, max_events: int, max_bytes: int, advice: str) -> None:
        """`advice` stands where events were left out: how to get them."""
        self.left_out = 0
        """Known once all events have come."""
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._advice = advice

    def apply(self, events: Iterable[Event]) -> Iterator[Event]:
        """The events; a notice instead of those beyond the limit."""
        source = iter(events)
        count = size = 0
        for event in source:
            if 2 * count >= self._max_events or 2 * size >= self._max_bytes:
                yield from self._end(event, source)
                return
            count, size = count + 1, size + len(event.data)
            yield event

    def _end(self, first: Event, rest: Iterable[Event]) -> Iterator[Event]:
        kept, size = deque([first]), len(first.data)
        for event in rest:
            kept.append(event)
            size += len(event.data)
            while len(kept) > 1 and (
                2 * len(kept) > self._max_events or 2 * size > self._max_bytes
            ):
                size -= len(kept.popleft().data)
                self.left_out += 1
        if self.left_out:
            yield _notice(kept[0], self.message())
        yield from kept

    def message(self) -> str:
        """What was left out, and how to get it, once all events have come."""
        return f"{self.left_out:,} events in the middle were left out. {self._advice}"


def _notice(before: Event, message: str) -> Event:
    data = json.dumps({"type": "left out", "message": message})
    return Event(before.offset, before.time, "system", "notice", data)
