"""A viewer whose stream a thread reads, so that a test can wait for what it has got."""

import threading
from collections.abc import Callable

from tests.clients.event_source import Dispatched, EventSource, texts_of
from tests.server import wait_for


class ThreadViewer:
    """`events` is what it has got so far."""

    def __init__(self, read: Callable[["ThreadViewer"], None]) -> None:
        """`read` calls `take` until the stream is over."""
        self.body = b""
        self._source = EventSource()
        self.failure: BaseException | None = None
        self._read = read
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._read(self)
        except BaseException as failure:
            self.failure = failure

    def take(self, piece: bytes) -> None:
        """A piece of the stream."""
        self.body += piece
        self._source.feed(piece)

    @property
    def events(self) -> list[Dispatched]:
        """What it has got so far, pings left out."""
        return [event for event in list(self._source.events) if event.type != "ping"]

    @property
    def pings(self) -> int:
        """How many pings it has got so far."""
        return sum(event.type == "ping" for event in list(self._source.events))

    @property
    def texts(self) -> list[str]:
        """The contents of its messages."""
        return texts_of(self.events)

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
