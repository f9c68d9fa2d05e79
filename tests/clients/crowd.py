"""A crowd of viewers in one thread: each comes back with its last id, as an EventSource does."""

import contextlib
import re
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.clients.event_source import EventSource

_HEAD_END = b"\r\n\r\n"
_CHUNK = re.compile(rb"([0-9a-fA-F]+)\r\n")


@dataclass
class Connection:
    """One response, from its request to its end."""

    began_at: float
    status: int = 0
    """0 until it has been answered."""
    worker: int = 0
    ended_at: float | None = None
    is_whole: bool = False
    """Whether the server ended the body as HTTP/1.1 wants it, and did not just hang up."""


@dataclass(eq=False)
class Viewer:
    """One of the crowd: what it has seen, over all its connections."""

    connections: list[Connection] = field(default_factory=list)
    last_id: str | None = None
    retry_ms: int = 0
    retries_ms: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    back_at: float | None = 0.0
    wire: bytes = b""
    source: EventSource = field(default_factory=EventSource)
    """Of the newest connection."""

    @property
    def has_done(self) -> bool:
        """Whether it has seen the session's end."""
        return "done" in self.names

    @property
    def is_watching(self) -> bool:
        """Whether its connection has been answered and goes on."""
        last = self.connections[-1] if self.connections else None
        return last is not None and last.status != 0 and last.ended_at is None


class Crowd:
    """Some viewers of one session. `with crowd(…)` runs it."""

    def __init__(self, port: int, session_id: str, count: int) -> None:
        self.viewers = [Viewer() for _ in range(count)]
        self._port = port
        self._path = f"/api/agent-stream?sessionId={session_id}"
        self._selector = selectors.DefaultSelector()
        self._should_stop = False
        self.trouble: Exception | None = None

    @property
    def connections(self) -> list[Connection]:
        """All of them, of all viewers."""
        return [one for viewer in self.viewers for one in viewer.connections]

    def are_watching(self) -> bool:
        """Whether all have a connection that goes on."""
        return self._is_well() and all(viewer.is_watching for viewer in self.viewers)

    def have_seen(self, count: int) -> bool:
        """Whether each has this many texts."""
        return self._is_well() and all(len(viewer.texts) >= count for viewer in self.viewers)

    def have_done(self) -> bool:
        """Whether each has seen the end."""
        return self._is_well() and all(viewer.has_done for viewer in self.viewers)

    def _is_well(self) -> bool:
        assert self.trouble is None, repr(self.trouble)
        return True

    def check_exact(self) -> None:
        """Each has seen every line once, in order, and one end; nobody was ever refused."""
        expected = [f"line {number}" for number in range(len(self.viewers[0].texts))]
        for viewer in self.viewers:
            assert viewer.texts == expected
            assert viewer.names.count("done") == 1
            assert "notice" not in viewer.names
        statuses = {one.status for one in self.connections}
        assert statuses <= {200, 0}, statuses

    # --- the thread -------------------------------------------------------------------

    def run(self) -> None:
        """Until `stop`."""
        try:
            while not self._should_stop:
                self._come_back()
                for key, _mask in self._selector.select(0.02):
                    assert isinstance(key.fileobj, socket.socket)
                    self._read(key.fileobj, key.data)
        except Exception as error:  # for the test's own thread to see
            self.trouble = error
        finally:
            for key in list(self._selector.get_map().values()):
                assert isinstance(key.fileobj, socket.socket)
                key.fileobj.close()
            self._selector.close()

    def stop(self) -> None:
        """Hang up."""
        self._should_stop = True

    def _come_back(self) -> None:
        now = time.monotonic()
        for viewer in self.viewers:
            if viewer.back_at is not None and now >= viewer.back_at and not viewer.has_done:
                viewer.back_at = None
                self._connect(viewer)

    def _connect(self, viewer: Viewer) -> None:
        viewer.wire, viewer.source = b"", EventSource(last_event_id=viewer.last_id or "")
        viewer.connections.append(Connection(time.monotonic()))
        again = "" if viewer.last_id is None else f"Last-Event-ID: {viewer.last_id}\r\n"
        request = f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n{again}\r\n"
        try:
            connection = socket.create_connection(("127.0.0.1", self._port), timeout=30)
            connection.sendall(request.encode())
        except OSError:  # nobody listens now
            self._end(viewer)
            return
        connection.setblocking(False)
        self._selector.register(connection, selectors.EVENT_READ, viewer)

    def _end(self, viewer: Viewer) -> None:
        viewer.connections[-1].ended_at = time.monotonic()
        viewer.back_at = time.monotonic() + (viewer.retry_ms or 500) / 1000

    def _read(self, connection: socket.socket, viewer: Viewer) -> None:
        try:
            data = connection.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            viewer.wire += data
            self._parse(viewer)
        if not data or viewer.connections[-1].is_whole:
            self._selector.unregister(connection)
            connection.close()
            self._end(viewer)

    def _parse(self, viewer: Viewer) -> None:
        now = viewer.connections[-1]
        if now.status == 0:
            head, end, rest = viewer.wire.partition(_HEAD_END)
            if not end:
                return
            now.status = int(head.split(b" ", 2)[1])
            worker = re.search(rb"X-Worker-Pid: (\d+)", head)
            now.worker = int(worker[1]) if worker else 0
            viewer.wire = rest
        if now.status != 200:
            return
        while chunk := _CHUNK.match(viewer.wire):
            start, size = chunk.end(), int(chunk[1], 16)
            if len(viewer.wire) < start + size + 2:
                return
            now.is_whole = size == 0
            self._take(viewer, viewer.wire[start : start + size])
            viewer.wire = viewer.wire[start + size + 2 :]

    def _take(self, viewer: Viewer, body: bytes) -> None:
        had_retry = viewer.source.retry_ms is not None
        events = viewer.source.feed(body)
        viewer.last_id = viewer.source.last_event_id or None
        if viewer.source.retry_ms is not None and not had_retry:
            viewer.retry_ms = viewer.source.retry_ms
            viewer.retries_ms.append(viewer.retry_ms)
        for event in events:
            if event.type != "ping":
                viewer.names.append(event.type)
            if event.type == "notice":
                viewer.notices.append(event.json()["type"])
            if event.type == "message":
                viewer.texts.append(event.data.removeprefix('{"content":"').removesuffix('"}'))


@contextlib.contextmanager
def crowd(port: int, session_id: str, count: int) -> Iterator[Crowd]:
    """A crowd that watches, and hangs up at the end."""
    watching = Crowd(port, session_id, count)
    thread = threading.Thread(target=watching.run, daemon=True)
    thread.start()
    try:
        yield watching
    finally:
        watching.stop()
        thread.join()
