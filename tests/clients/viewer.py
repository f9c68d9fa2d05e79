"""A viewer over HTTP that reads a stream event by event."""

from collections.abc import Iterator
from types import TracebackType
from typing import Any

import httpx

from tests.clients.event_source import Dispatched, EventSource


class Viewer:
    """An open stream. Iterate over it; pings are left out.

    `last_id` as bytes is sent as it is.
    """

    def __init__(
        self, url: str, session_id: str, *, last_id: str | bytes | None = None, query: str = ""
    ) -> None:
        self._client = httpx.Client(timeout=60, verify=False)
        headers = {}
        if last_id is not None:
            headers = {b"Last-Event-ID": last_id.encode() if isinstance(last_id, str) else last_id}
        target = query or f"sessionId={session_id}"
        request = self._client.build_request(
            "GET", f"{url}/api/agent-stream?{target}", headers=headers
        )
        self.response = self._client.send(request, stream=True)
        known = last_id.decode("latin-1") if isinstance(last_id, bytes) else last_id
        self._source = EventSource(last_event_id=known or "")

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

    def __iter__(self) -> Iterator[Dispatched]:
        for piece in self.response.iter_bytes():
            for event in self._source.feed(piece):
                if event.type != "ping":
                    yield event


def watch(url: str, session_id: str, **options: Any) -> list[Dispatched]:
    """All events of a session, to the end of the response."""
    with Viewer(url, session_id, **options) as viewer:
        viewer.response.raise_for_status()
        return list(viewer)
