"""Viewers who have all there is of one log: parked, and written to when there is more."""

import time
from collections.abc import Callable
from typing import Protocol

import gevent

from webapp.stream.connection import Connection, chunk
from webapp.stream.cursor import Cursor
from webapp.stream.feed import Feed

PIECES_AT_ONCE = 4
"""After so many frames others have their turn, before the rest of a flood."""
_PINGS_AT_ONCE = 100


class Owner(Protocol):
    """Who takes back a connection that cannot stay parked."""

    def serve_slow(self, connection: Connection, cursor: Cursor, rest: bytes) -> None:
        """It did not take a frame whole: `rest` of it is to be sent, then what follows."""

    def drop_parked(self, connection: Connection, feed: Feed) -> None:
        """The viewer is gone."""

    def finish_parked(self, connection: Connection, feed: Feed) -> None:
        """The viewer has everything."""


class Tail:
    """Viewers of one log in one format, all at the same place."""

    def __init__(self, cursor: Cursor, owner: Owner, on_empty: Callable[["Tail"], None]) -> None:
        self.cursor = cursor
        self.connections: dict[int, Connection] = {}
        self.heard_at = time.monotonic()
        """When all of them were last written to, on the monotonic clock."""
        self._owner = owner
        self._on_empty = on_empty
        self._is_pumping_later = False

    def park(self, connection: Connection) -> None:
        """Add a viewer that is at this tail's place."""
        connection.tail = self
        self.connections[connection.fd] = connection

    def unpark(self, connection: Connection) -> None:
        """Take a viewer out again; it is the caller's then."""
        connection.tail = None
        del self.connections[connection.fd]
        if not self.connections:
            self._on_empty(self)

    def wake(self) -> None:
        """The log may have changed: send what is new."""
        for _ in range(PIECES_AT_ONCE):
            piece = self.cursor.read()
            if piece is not None:
                self._send_to_all(piece)
            if self.cursor.is_over:
                self.end()
            if piece is None or not self.connections:
                return
        self._pump_later()

    def _pump_later(self) -> None:
        if not self._is_pumping_later:
            self._is_pumping_later = True
            gevent.spawn(self._go_on)

    def _go_on(self) -> None:
        gevent.sleep(0)
        self._is_pumping_later = False
        if self.connections:
            self.wake()

    def _send_to_all(self, piece: bytes) -> None:
        self.heard_at = time.monotonic()
        chunked = chunk(piece)
        for connection in list(self.connections.values()):
            self._send(connection, chunked if connection.is_chunked else piece)

    def _send(self, connection: Connection, wire: bytes) -> None:
        try:
            sent = connection.write(wire)
        except OSError:
            self.unpark(connection)
            self._owner.drop_parked(connection, self.cursor.feed)
            return
        if sent < len(wire):
            self.unpark(connection)
            self._owner.serve_slow(connection, self.cursor.copy(), wire[sent:])

    def ping(self) -> None:
        """Tell everybody that the line is alive; in steps, so that no event waits for it."""
        self.heard_at = time.monotonic()
        piece = self.cursor.form.ping()
        everybody = list(self.connections.values())
        for start in range(0, len(everybody), _PINGS_AT_ONCE):
            for connection in everybody[start : start + _PINGS_AT_ONCE]:
                self.probe(connection, piece)
            gevent.sleep(0)

    def probe(self, connection: Connection, piece: bytes) -> None:
        """Write something to one viewer, if it is still parked here."""
        if connection.tail is self:
            self._send(connection, connection.frame(piece))

    def end(self) -> None:
        """The streams are over."""
        for connection in list(self.connections.values()):
            self.unpark(connection)
            self._owner.finish_parked(connection, self.cursor.feed)
