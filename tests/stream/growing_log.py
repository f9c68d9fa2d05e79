"""A log that grows under a viewer's eyes, and viewers that run in threads."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.server import wait_for
from tests.stream.event_source import Dispatched, EventSource
from webapp.log import lock
from webapp.log.record import format_record
from webapp.stream.feed import Feed
from webapp.stream.format import Format
from webapp.stream.hub import Hub
from webapp.stream.respond import respond
from webapp.stream.view import View

DONE = b'{"type":"done","exitCode":0,"signal":null,"status":"succeeded"}'
BY_ROW: dict[str, object] = {"exitCode": None, "signal": None, "status": "lost"}
LONG_SECONDS = 3600.0


class GrowingLog:
    """A log and its one writer, which holds the lock as a runner does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        assert lock.acquire(self.fd)

    def say(self, text: str, tag: bytes = b"F", stream: bytes = b"stdout") -> int:
        """Append a record; the log's size then."""
        os.write(self.fd, format_record(1, stream, text.encode(), tag))
        return os.fstat(self.fd).st_size

    def end(self) -> int:
        """Append the `done`; the log's size then."""
        os.write(self.fd, format_record(2, b"system", DONE))
        return os.fstat(self.fd).st_size

    def die(self) -> None:
        """Let go of the lock, as a killed runner does."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


@contextmanager
def held_feed(hub: Hub, session_id: str, path: Path) -> Iterator[Feed]:
    """A log's feed, held as by one viewer."""
    feed = hub.acquire(session_id, path)
    try:
        yield feed
    finally:
        hub.release(feed)


class Viewer:
    """One viewer in a thread; `events` is what it has got so far."""

    def __init__(self, hub: Hub, view: View) -> None:
        self.body = b""
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._read, args=(hub, view), daemon=True)
        self._thread.start()

    def _read(self, hub: Hub, view: View) -> None:
        try:
            for piece in respond(hub, view, {}, LONG_SECONDS):
                self.body += piece
        except BaseException as failure:
            self.failure = failure

    @property
    def events(self) -> list[Dispatched]:
        """What it has got so far, pings left out."""
        return [event for event in EventSource(self.body).events if event.type != "ping"]

    @property
    def pings(self) -> int:
        """How many pings it has got so far."""
        return sum(event.type == "ping" for event in EventSource(self.body).events)

    @property
    def texts(self) -> list[str]:
        """The contents of its messages."""
        return [event.json()["content"] for event in self.events if event.type == "message"]

    @property
    def names(self) -> list[str]:
        """The names of its events."""
        return [event.type for event in self.events]

    @property
    def has_ended(self) -> bool:
        """Whether its stream is over."""
        return not self._thread.is_alive()

    def wait_for_texts(self, *texts: str) -> None:
        """Until it has got these messages and no others."""
        wait_for(lambda: len(self.texts) >= len(texts))
        assert self.texts == list(texts)

    def wait_until_ended(self) -> None:
        """Until its stream is over."""
        wait_for(lambda: self.has_ended)
        assert self.failure is None


class Theatre:
    """A hub with viewers of one log."""

    def __init__(self, folder: Path) -> None:
        self.log = GrowingLog(folder / "output.log")
        self.abandoned: list[str] = []
        self.end_abandoned: Callable[[], dict[str, object] | None] = lambda: None
        self.recorded_end: Callable[[], dict[str, object] | None] = lambda: None
        self.hub = Hub(self._end_abandoned)
        self.is_stopping = False
        self.hub.should_stop = lambda: self.is_stopping

    def _end_abandoned(self, session_id: str) -> dict[str, object] | None:
        self.abandoned.append(session_id)
        return self.end_abandoned()

    def watch(self, offset: int | None = 0, **options: Any) -> Viewer:
        """A new viewer of the log."""
        view = View(
            session_id="session",
            log=self.log.path,
            offset=offset,
            form=options.pop("form", Format()),
            first_id=options.pop("first_id", None),
            ping_seconds=options.pop("ping_seconds", LONG_SECONDS),
            recorded_end=self.recorded_end,
        )
        assert not options
        return Viewer(self.hub, view)


@contextmanager
def theatre(folder: Path) -> Iterator[Theatre]:
    """A theatre that is closed at the end: no viewer is left behind."""
    stage = Theatre(folder)
    try:
        yield stage
    finally:
        stage.is_stopping = True
        wait_for(lambda: stage.hub.viewers == 0)
        stage.log.die()
