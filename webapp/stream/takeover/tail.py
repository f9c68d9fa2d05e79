"""Viewers who have all there is of one log: parked, and written to when there is more."""

import os
from collections.abc import Callable
from typing import Protocol

import gevent

from webapp import clock
from webapp.stream.cursor import Cursor
from webapp.stream.fairness import FRAMES_AT_ONCE, PINGS_AT_ONCE
from webapp.stream.feed import Feed
from webapp.stream.takeover.connection import Connection, chunk
from webapp.stream.takeover.turn import end_turn


class Owner(Protocol):
    """What takes back a connection that does not stay parked."""

    def serve_slow(self, connection: Connection, cursor: Cursor, rest: bytes) -> None:
        """It did not take a frame whole: `rest` of it is to be sent, then what follows."""

    def drop_parked(self, connection: Connection, feed: Feed) -> None:
        """The viewer is gone."""

    def finish_parked(self, connection: Connection, feed: Feed) -> None:
        """The viewer has everything."""

    def count_sent(self, events: int, size: int) -> None:
        """This many events, of this many bytes, were sent to viewers."""

    def count_delay(self, time: bytes) -> None:
        """A record of this time, the newest of its log, was sent to viewers just now."""


class Tail:
    """Viewers of one log in one format, all at the same position."""

    def __init__(self, cursor: Cursor, owner: Owner, on_empty: Callable[["Tail"], None]) -> None:
        self.cursor = cursor
        self.written_at = clock.now()
        """When all of them were last written to."""
        self._owner = owner
        self._on_empty = on_empty
        self._chunked: dict[int, Connection] = {}
        self._raw: dict[int, Connection] = {}
        self._is_pumping_later = False

    @property
    def is_empty(self) -> bool:
        """Whether nobody is parked here."""
        return not self._chunked and not self._raw

    def find(self, fd: int) -> Connection:
        """The viewer with this descriptor, which is parked here."""
        return self._chunked.get(fd) or self._raw[fd]

    def park(self, connection: Connection) -> None:
        """Add a viewer that is at this tail's position."""
        self._alike(connection)[connection.fd] = connection

    def unpark(self, connection: Connection) -> None:
        """Remove a viewer; it is the caller's then."""
        del self._alike(connection)[connection.fd]
        if self.is_empty:
            self._on_empty(self)

    def _alike(self, connection: Connection) -> dict[int, Connection]:
        """The viewers that get the same bytes."""
        return self._chunked if connection.is_chunked else self._raw

    def wake(self) -> None:
        """The log may have changed: send what is new."""
        for _ in range(FRAMES_AT_ONCE):
            events_before = self.cursor.events_read
            piece = self.cursor.read()
            if piece is not None:
                self.written_at = clock.now()
                viewers = len(self._chunked) + len(self._raw)
                self._send(self._chunked, chunk(piece))
                if self._raw:
                    self._send(self._raw, piece)
                events = self.cursor.events_read - events_before
                self._owner.count_sent(events * viewers, len(piece) * viewers)
                self._owner.count_delay(self.cursor.feed.newest_time)
            if self.cursor.is_over:
                self.end()
            if piece is None or self.is_empty:
                return
        if not self._is_pumping_later:
            self._is_pumping_later = True
            gevent.spawn(self._pump_later)

    def _pump_later(self) -> None:
        end_turn()
        self._is_pumping_later = False
        if not self.is_empty:
            self.wake()

    def _send(self, connections: dict[int, Connection], wire: bytes) -> None:
        """Write to viewer after viewer: what a frame's way to thousands of them consists of."""
        size = len(wire)
        write = os.write
        for fd in tuple(connections):
            try:
                sent = write(fd, wire)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._drop(connections[fd])
                continue
            if sent < size:
                self._give_back(connections[fd], wire[sent:])

    def _drop(self, connection: Connection) -> None:
        self.unpark(connection)
        self._owner.drop_parked(connection, self.cursor.feed)

    def _give_back(self, connection: Connection, rest: bytes) -> None:
        self.unpark(connection)
        self._owner.serve_slow(connection, self.cursor.copy(), rest)

    def ping(self) -> None:
        """Ping everybody, in steps, so that no event waits for it."""
        self.written_at = clock.now()
        everybody = [*self._chunked.values(), *self._raw.values()]
        for start in range(0, len(everybody), PINGS_AT_ONCE):
            for connection in everybody[start : start + PINGS_AT_ONCE]:
                if self._alike(connection).get(connection.fd) is connection:
                    self.probe(connection)
            end_turn()

    def probe(self, connection: Connection) -> None:
        """Ping one viewer: the kernel may answer that it is gone."""
        self._send({connection.fd: connection}, connection.frame(self.cursor.form.ping()))

    def end(self) -> None:
        """The streams are over."""
        for connection in (*self._chunked.values(), *self._raw.values()):
            self.unpark(connection)
            self._owner.finish_parked(connection, self.cursor.feed)
