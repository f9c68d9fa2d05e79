"""The encoder of Server-Sent Events: pure.

`encode.py` has a faster way for runs of records, and `http/trpc/event_stream.py` writes what tRPC
adds.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

import re

from webapp.log.events import Event, to_json


def encode_event(event: Event, id_prefix: str = "") -> bytes:
    """An event of the log as a frame; its id follows the prefix."""
    name, data = _one_line(event.name), _data_lines(event.data)
    frame = f"{id_line(id_prefix)}{event.id}\nevent: {name}\ndata: {data}\n\n"
    return frame.encode("utf-8", "replace")


def id_line(id_prefix: str) -> str:
    """The line of an event's id, less the id at its end."""
    return f"id: {_one_line(id_prefix)}"


def encode_envelope(event: Event, id_prefix: str = "") -> bytes:
    """As `encode_event`, with the event's time and stream around its data."""
    return encode_event(event._replace(data=envelope(event)), id_prefix)


def envelope(event: Event) -> str:
    """All that there is to an event but its id, as a JSON object."""
    return (
        f'{{"time":{to_json(event.time)},"stream":{to_json(event.stream)},'
        f'"event":{to_json(event.name)},"data":{event.data}}}'
    )


def encode_own(name: str, content: dict[str, object], *, as_envelope: bool = False) -> bytes:
    """An event of the server itself, which has no id: it is not in the log."""
    data = to_json(content)
    if as_envelope:
        data = f'{{"time":"","stream":"","event":{to_json(name)},"data":{data}}}'
    return f"event: {_one_line(name)}\ndata: {_data_lines(data)}\n\n".encode()


_LINE_ENDS = re.compile("\r\n|\r|\n")


def _one_line(text: str) -> str:
    """Nothing in a name or an id can begin another field."""
    return _LINE_ENDS.sub(" ", text) if "\n" in text or "\r" in text else text


def _data_lines(data: str) -> str:
    """Data of several lines takes as many fields, which the client joins again."""
    return _LINE_ENDS.sub("\ndata: ", data) if "\n" in data or "\r" in data else data


def encode_prelude(retry_ms: int, last_id: str | None = None) -> bytes:
    """The first lines of a response: they belong to the block of the first event.

    A block of their own would be nothing to a browser, but an empty message to other clients:
    https://github.com/florimondmanca/httpx-sse. Only `last_id` needs one, since an id counts
    from the end of its block on: it sets the client's last event id at once.
    """
    identity = f"id: {last_id}\n\n" if last_id is not None else ""
    return f"retry: {retry_ms}\n{identity}".encode()
