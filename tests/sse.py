"""A viewer for tests: reads a stream event by event and keeps every byte of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import httpx

from webapp.log.events import to_json


@dataclass
class Received:
    """One event as a client gets it."""

    id: str | None = None
    event: str = "message"
    data: str = ""
    fields: list[str] = field(default_factory=list)

    def json(self) -> Any:
        """Its data."""
        import json

        return json.loads(self.data)


class Viewer:
    """An open stream. Iterate over it; pings are left out unless asked for.

    `last_id` as bytes is sent as it is.
    """

    def __init__(
        self,
        url: str,
        session_id: str,
        *,
        last_id: str | bytes | None = None,
        query: str = "",
        with_pings: bool = False,
    ) -> None:
        self.last_id = last_id.decode("latin-1") if isinstance(last_id, bytes) else last_id
        self.with_pings = with_pings
        self._client = httpx.Client(timeout=60, verify=False)
        headers = {}
        if last_id is not None:
            sent = last_id.encode() if isinstance(last_id, str) else last_id
            headers = {b"Last-Event-ID": sent}
        target = query or f"sessionId={session_id}"
        request = self._client.build_request(
            "GET", f"{url}/api/agent-stream?{target}", headers=headers
        )
        self.response = self._client.send(request, stream=True)

    def __enter__(self) -> "Viewer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.response.close()
        self._client.close()

    @property
    def worker_pid(self) -> int:
        """The worker that serves this stream."""
        return int(self.response.headers["X-Worker-Pid"])

    def __iter__(self) -> Iterator[Received]:
        current, is_empty = Received(), True
        for line in split_lines(self.response.iter_bytes()):
            if line == "":
                if not is_empty and (self.with_pings or current.event != "ping"):
                    yield current
                current, is_empty = Received(id=self.last_id), True
                continue
            name, _colon, value = line.partition(":")
            value = value.removeprefix(" ")
            current.fields.append(name)
            if name == "id":
                current.id = self.last_id = value
            elif name == "event":
                current.event = value
            elif name == "data":
                current.data, is_empty = value, False


def split_lines(chunks: Iterator[bytes]) -> Iterator[str]:
    """Lines as the SSE standard ends them: CR LF, CR or LF, and nothing else."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        *lines, rest = rest.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for line in lines:
            yield line.decode("utf-8")


def watch(url: str, session_id: str, **options: Any) -> list[Received]:
    """All events of a session, to the end of the response."""
    with Viewer(url, session_id, **options) as viewer:
        viewer.response.raise_for_status()
        return list(viewer)


def contents(events: list[Received]) -> list[str]:
    """The texts of the `message` events."""
    return [
        event.json().get("content", to_json(event.json()))
        for event in events
        if event.event == "message"
    ]
