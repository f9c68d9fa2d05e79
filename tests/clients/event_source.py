"""A client's side of Server-Sent Events, line by line as the standard tells it.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Dispatched(NamedTuple):
    """An event as a page gets it."""

    type: str
    data: str
    last_event_id: str

    def json(self) -> Any:
        """Its data."""
        return json.loads(self.data)


@dataclass
class EventSource:
    """All that a whole response means to a client."""

    events: list[Dispatched] = field(default_factory=list)
    last_event_id: str = ""
    retry_ms: int | None = None

    def __init__(self, body: bytes) -> None:
        self.events, self.last_event_id, self.retry_ms = [], "", None
        self._type, self._data, self._id = "", "", ""
        text = body.decode("utf-8", "replace").removeprefix("\ufeff")
        for line in re.split("\r\n|\r|\n", text)[:-1]:
            self._take(line)

    def _take(self, line: str) -> None:
        if line == "":
            self._dispatch()
        elif not line.startswith(":"):
            name, _colon, value = line.partition(":")
            self._set(name, value.removeprefix(" "))

    def _set(self, name: str, value: str) -> None:
        if name == "event":
            self._type = value
        elif name == "data":
            self._data += value + "\n"
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry_ms = int(value)

    def _dispatch(self) -> None:
        self.last_event_id = self._id
        if self._data:
            data = self._data.removesuffix("\n")
            self.events.append(Dispatched(self._type or "message", data, self._id))
        self._type, self._data = "", ""


def events_of(body: bytes) -> list[Dispatched]:
    """The events of a response."""
    return EventSource(body).events
