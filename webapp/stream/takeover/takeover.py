"""All streams of a worker whose sockets are ours.

A viewer's connection is taken over as soon as its response has begun. While it catches up, a
greenlet of ours writes to it. At the tail it is *parked*: a descriptor in a set, nothing more,
and each new frame is written to all that are parked by the very event that announced it. One
that cannot take a frame whole gets a greenlet again, which goes on at the byte where it stopped.
"""

import logging
from contextvars import copy_context
from datetime import datetime
from time import time as wall_time
from typing import Any, NoReturn

import gevent
from gevent.lock import Semaphore
from gevent.socket import wait_write

from webapp import clock
from webapp.clock import Ticker
from webapp.stream.cursor import Cursor
from webapp.stream.fairness import LARGE_PIECE_BYTES, Arrivals
from webapp.stream.feed import Feed
from webapp.stream.format import Format
from webapp.stream.hub import STOP_SECONDS, Hub
from webapp.stream.source import Source, end_without_log, open_source
from webapp.stream.takeover.connection import Connection, HandedOver, drop_sent, take
from webapp.stream.takeover.hangups import Hangups
from webapp.stream.takeover.tail import Tail
from webapp.stream.takeover.turn import end_turn
from webapp.stream.view import View

logger = logging.getLogger(__name__)


class Takeover:
    """The connections that one worker has taken over. Made in the worker, after its fork."""

    def __init__(
        self, hub: Hub, arrivals: Arrivals, *, ping_seconds: float, send_timeout_seconds: float
    ) -> None:
        self._hub = hub
        self._arrivals = arrivals
        self._ping_seconds = ping_seconds
        self._send_timeout_seconds = send_timeout_seconds
        self._tails: dict[tuple[str, Format], Tail] = {}
        self._parked: dict[int, Tail] = {}
        self._parked_of_login: dict[str, set[Connection]] = {}
        self._turn = Semaphore()
        self._hangups = Hangups(self._on_half_closed, self._on_gone)
        self._ticker = Ticker("parked streams", STOP_SECONDS, self._tick)
        self._ticker.start()

    def take_over(self, environ: dict[str, Any], view: View) -> NoReturn:
        """Own the connection from now on; its response has begun, and ends by HandedOver."""
        connection = take(environ, view.login)
        gevent.spawn(copy_context().run, self._begin, connection, view)  # its log names the request
        raise HandedOver

    def join(self, fd: int, head: bytes, view: View, feed: Feed) -> None:
        """Answer a viewer of a log that is watched here, on its connection, which is ours now.

        The feed was acquired for it. What it can be sent at once goes out with the head.
        """
        connection = Connection(fd, is_chunked=True, login=view.login)
        try:
            first, source = open_source(feed, view)
            piece = source.read()
            events = source.cursor.events_read
            sent = piece if isinstance(piece, bytes) else b""
            body = b"".join([view.prelude(), first, sent])
            parts: list[bytes | memoryview] = [head, *connection.parts(body)]
            drop_sent(parts, connection.write(parts))
            self.count_sent(events, len(sent))
            if parts or not self._park(connection, source.cursor):
                gevent.spawn(self._serve, connection, source, b"".join(parts))
        except OSError:
            self._close(connection, feed)
        except BaseException:
            self._close(connection, feed)
            raise

    def yield_to_live(self) -> None:
        """Let all who are parked get what is due."""
        if self._parked:
            end_turn()

    def stop(self) -> None:
        """End the streams of all who are parked; they resume on another worker."""
        for tail in list(self._tails.values()):
            tail.end()

    # --- a greenlet a viewer, while it catches up ---------------------------------------

    def _begin(self, connection: Connection, view: View) -> None:
        try:
            feed = self._hub.acquire(view.session_id, view.log)
        except FileNotFoundError:
            self._send_end(connection, view)
            return
        except OSError:
            logger.exception("cannot open the log of %s", view.session_id)
            connection.close()  # the viewer comes back, perhaps when there is room again
            return
        try:
            first, source = open_source(feed, view)
        except BaseException:
            self._close(connection, feed)
            raise
        self._serve(connection, source, connection.frame(first) if first else b"")

    def _send_end(self, connection: Connection, view: View) -> None:
        try:
            self._send_all(connection, *connection.parts(end_without_log(view)))
        except OSError:
            connection.close()
        else:
            connection.finish()

    def _serve(self, connection: Connection, source: Source, rest: bytes) -> None:
        """Send what is there until the viewer can be parked, has all, or is gone."""
        feed = source.cursor.feed
        try:
            if rest:
                self._send_all(connection, rest)
            ping_at = clock.now() + self._ping_seconds
            while not source.is_over and self._hub.may_go_on(connection.login):
                events_before = source.cursor.events_read
                piece = source.read()
                if piece is None:
                    if self._park(connection, source.cursor):
                        return
                    continue
                if isinstance(piece, float):
                    piece = self._pause(source, piece, ping_at)
                if piece:
                    self._send_all(connection, *connection.parts(piece))
                    self.count_sent(source.cursor.events_read - events_before, len(piece))
                    ping_at = clock.now() + self._ping_seconds
                    if len(piece) >= LARGE_PIECE_BYTES:
                        self._wait_for_turn()
            self._finish(connection, feed)
        except OSError:
            self._close(connection, feed)
        except BaseException:
            self._close(connection, feed)
            raise

    def _wait_for_turn(self) -> None:
        """There is one turn at a time: the event loop would let all viewers who catch up go on
        in the very same turn of its own."""
        with self._turn:
            end_turn()

    def _pause(self, source: Source, seconds: float, ping_at: float) -> bytes:
        """Wait a little for a timed replay; a ping if it is time for one, else nothing."""
        gevent.sleep(min(seconds, STOP_SECONDS))
        return source.cursor.form.ping() if clock.now() >= ping_at else b""

    def _send_all(self, connection: Connection, *parts: bytes) -> None:
        """Send them whole. OSError if the viewer is gone, or takes nothing for too long."""
        left: list[bytes | memoryview] = list(parts)
        while left:
            drop_sent(left, connection.write(left))
            if left:
                # Nothing in this frame names the error: the two would refer to each other, and
                # hold all that was to be sent until the garbage collector comes by.
                wait_write(
                    connection.fd,
                    self._send_timeout_seconds,
                    TimeoutError("the viewer does not read"),
                )

    # --- parked -------------------------------------------------------------------------

    def _park(self, connection: Connection, cursor: Cursor) -> bool:
        """Park a viewer at the tail; False if that is not where it is, or if it has all.

        Nothing in here lets another greenlet run.
        """
        if cursor.is_over or cursor.feed.start_watch():
            return False
        tail = self._tail(cursor)
        tail.wake()
        is_here = tail.cursor.position == cursor.position and not tail.cursor.is_over
        if not is_here and tail.is_empty:
            self._remove(tail)
        if not is_here or self._tails.get((cursor.feed.session_id, cursor.form)) is not tail:
            return False  # or all who were there are gone, and the tail with the last of them
        tail.park(connection)
        self._parked[connection.fd] = tail
        if connection.login is not None:
            self._parked_of_login.setdefault(connection.login, set()).add(connection)
        self._hangups.add(connection.fd)
        return True

    def _tail(self, cursor: Cursor) -> Tail:
        key = (cursor.feed.session_id, cursor.form)
        tail = self._tails.get(key)
        if tail is None:
            tail = self._tails[key] = Tail(cursor.copy(), self, self._remove)
            cursor.feed.waiters.add(tail)
        return tail

    def _remove(self, tail: Tail) -> None:
        cursor = tail.cursor
        key = (cursor.feed.session_id, cursor.form)
        if self._tails.get(key) is tail:
            del self._tails[key]
            cursor.feed.waiters.discard(tail)

    def _unpark(self, connection: Connection) -> None:
        del self._parked[connection.fd]
        if connection.login is not None:
            of_login = self._parked_of_login[connection.login]
            of_login.discard(connection)
            if not of_login:
                del self._parked_of_login[connection.login]
        self._hangups.remove(connection.fd)

    # As the tails' owner: each of these connections has just been taken out of its tail.

    def serve_slow(self, connection: Connection, cursor: Cursor, rest: bytes) -> None:
        """Give it a greenlet again, which sends the rest and goes on from the cursor."""
        self._unpark(connection)
        gevent.spawn(self._serve, connection, Source(cursor, None), rest)

    def drop_parked(self, connection: Connection, feed: Feed) -> None:
        """The viewer is gone."""
        self._unpark(connection)
        self._close(connection, feed)

    def finish_parked(self, connection: Connection, feed: Feed) -> None:
        """The viewer has all, or the worker ends."""
        self._unpark(connection)
        self._finish(connection, feed)

    def count_sent(self, events: int, size: int) -> None:
        """This many events, of this many bytes, were sent to viewers."""
        self._hub.count_sent(events, size)

    def count_delay(self, time: bytes) -> None:
        """A record of this time, the newest of its log, was sent to viewers just now."""
        try:
            second, nanoseconds = datetime.fromisoformat(f"{time[:19].decode()}Z"), int(time[20:29])
        except ValueError:
            return
        written = second.timestamp() + nanoseconds / 1e9
        self._arrivals.count_delay(max(0.0, wall_time() - written), clock.now())

    # --- the end of a connection ----------------------------------------------------------

    def _finish(self, connection: Connection, feed: Feed) -> None:
        connection.finish()
        self._hub.release(feed)

    def _close(self, connection: Connection, feed: Feed) -> None:
        connection.close()
        self._hub.release(feed)

    def _on_half_closed(self, fd: int) -> None:
        """A viewer that is gone answers a ping with a reset; one that has only ended its
        request goes on reading."""
        tail = self._parked.get(fd)
        if tail is not None:
            tail.probe(tail.find(fd))

    def _on_gone(self, fd: int) -> None:
        tail = self._parked.get(fd)
        if tail is not None:
            connection = tail.find(fd)
            tail.unpark(connection)
            self.drop_parked(connection, tail.cursor.feed)

    # --- now and then -----------------------------------------------------------------------

    def _tick(self) -> None:
        if self._hub.should_stop():
            self.stop()
            return
        self._end_logged_out()
        silent_since = clock.now() - self._ping_seconds
        for tail in list(self._tails.values()):
            if tail.written_at <= silent_since:
                tail.ping()

    def _end_logged_out(self) -> None:
        for login, connections in list(self._parked_of_login.items()):
            if self._hub.may_go_on(login):
                continue
            for connection in list(connections):
                tail = self._parked[connection.fd]
                tail.unpark(connection)
                self.finish_parked(connection, tail.cursor.feed)
