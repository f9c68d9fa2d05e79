"""A client's side of Server-Sent Events, line by line as the standard has it.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

import json
import re
from typing import Any, NamedTuple

_LINE_END = re.compile(b"\r\n|\r|\n")
_BYTE_ORDER_MARK = "\ufeff"


class Dispatched(NamedTuple):
    """An event as a page gets it."""

    type: str
    data: str
    last_event_id: str

    def json(self) -> Any:
        """Its data."""
        return json.loads(self.data)


class EventSource:
    """What a response means to a client, all of it or as far as it has come."""

    def __init__(self, body: bytes = b"", last_event_id: str = "") -> None:
        self.events: list[Dispatched] = []
        self.last_event_id = last_event_id
        self.retry_ms: int | None = None
        self._type, self._data, self._id = "", "", last_event_id
        self._rest = b""
        self._is_first_line = True
        self.feed(body)

    def feed(self, data: bytes) -> list[Dispatched]:
        """Read on; the events that this completes."""
        before = len(self.events)
        whole = self._rest + data
        held = whole[-1:] if whole.endswith(b"\r") else b""  # perhaps the first half of CR LF
        *lines, self._rest = _LINE_END.split(whole.removesuffix(held))
        self._rest += held
        for line in lines:
            text = line.decode("utf-8", "replace")
            if self._is_first_line:
                text, self._is_first_line = text.removeprefix(_BYTE_ORDER_MARK), False
            self._take(text)
        return self.events[before:]

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


def texts_of(events: list[Dispatched]) -> list[str]:
    """The contents of the `message` events; of one that is JSON of the agent's, all of it."""
    messages = [event for event in events if event.type == "message"]
    return [event.json().get("content", event.data) for event in messages]
