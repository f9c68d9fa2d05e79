"""Viewers who have all there is of one log: parked, and written to when there is more."""

import os
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
    """Who takes back a connection that does not stay parked."""

    def serve_slow(self, connection: Connection, cursor: Cursor, rest: bytes) -> None:
        """It did not take a frame whole: `rest` of it is to be sent, then what follows."""

    def drop_parked(self, connection: Connection, feed: Feed) -> None:
        """The viewer is gone."""

    def finish_parked(self, connection: Connection, feed: Feed) -> None:
        """The viewer has everything."""

    def count_sent(self, events: int, size: int) -> None:
        """So many events, of so many bytes, have been sent to viewers."""


class Tail:
    """Viewers of one log in one format, all at the same place."""

    def __init__(self, cursor: Cursor, owner: Owner, on_empty: Callable[["Tail"], None]) -> None:
        self.cursor = cursor
        self.heard_at = time.monotonic()
        """When all of them were last written to, on the monotonic clock."""
        self._owner = owner
        self._on_empty = on_empty
        self._chunked: dict[int, Connection] = {}
        self._raw: dict[int, Connection] = {}
        self._is_pumping_later = False

    @property
    def is_empty(self) -> bool:
        """Whether nobody is parked here."""
        return not self._chunked and not self._raw

    def park(self, connection: Connection) -> None:
        """Add a viewer that is at this tail's place."""
        connection.tail = self
        self._kin(connection)[connection.fd] = connection

    def unpark(self, connection: Connection) -> None:
        """Take a viewer out again; it is the caller's then."""
        connection.tail = None
        del self._kin(connection)[connection.fd]
        if self.is_empty:
            self._on_empty(self)

    def _kin(self, connection: Connection) -> dict[int, Connection]:
        return self._chunked if connection.is_chunked else self._raw

    def wake(self) -> None:
        """The log may have changed: send what is new."""
        for _ in range(PIECES_AT_ONCE):
            told = self.cursor.told
            piece = self.cursor.read()
            if piece is not None:
                self.heard_at = time.monotonic()
                viewers = len(self._chunked) + len(self._raw)
                self._send(self._chunked, chunk(piece))
                if self._raw:
                    self._send(self._raw, piece)
                self._owner.count_sent((self.cursor.told - told) * viewers, len(piece) * viewers)
            if self.cursor.is_over:
                self.end()
            if piece is None or self.is_empty:
                return
        if not self._is_pumping_later:
            self._is_pumping_later = True
            gevent.spawn(self._pump_later)

    def _pump_later(self) -> None:
        gevent.idle()
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
                self._lose(connections[fd])
                continue
            if sent < size:
                self._give_up(connections[fd], wire[sent:])

    def _lose(self, connection: Connection) -> None:
        self.unpark(connection)
        self._owner.drop_parked(connection, self.cursor.feed)

    def _give_up(self, connection: Connection, rest: bytes) -> None:
        self.unpark(connection)
        self._owner.serve_slow(connection, self.cursor.copy(), rest)

    def ping(self) -> None:
        """Tell everybody that the line is alive; in steps, so that no event waits for it."""
        self.heard_at = time.monotonic()
        everybody = [*self._chunked.values(), *self._raw.values()]
        for start in range(0, len(everybody), _PINGS_AT_ONCE):
            for connection in everybody[start : start + _PINGS_AT_ONCE]:
                if connection.tail is self:
                    self.probe(connection)
            gevent.idle()

    def probe(self, connection: Connection) -> None:
        """Tell one viewer that the line is alive, and so learn whether it is."""
        self._send({connection.fd: connection}, connection.frame(self.cursor.form.ping()))

    def end(self) -> None:
        """The streams are over."""
        for connection in (*self._chunked.values(), *self._raw.values()):
            self.unpark(connection)
            self._owner.finish_parked(connection, self.cursor.feed)
