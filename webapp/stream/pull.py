"""A stream through plain WSGI: the server asks for the next piece, and waits with us.

The way for every server, thread or test that has no socket to give away; it holds a thread
(or a greenlet) a viewer. `push.py` is the other way; what is told is the same.
"""

import threading
import time
from collections.abc import Iterator

from webapp.stream.feed import Feed
from webapp.stream.hub import Hub
from webapp.stream.source import Source, end_without_log, open_source
from webapp.stream.view import View

YIELD_SECONDS = 0.0001
"""A viewer that catches up fast must not hold up the live ones; where threads are greenlets,
a sleep of 0 would let no descriptor be looked at."""


class _Bell:
    """Wakes one thread that waits for a log to change."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def wake(self) -> None:
        """The log may have changed."""
        self._rung.set()

    def wait(self, timeout_seconds: float) -> bool:
        """Until it rings; at once if it has rung since the last time. False: time is over."""
        rung = self._rung.wait(max(timeout_seconds, 0))
        self._rung.clear()
        return rung


def pull(hub: Hub, view: View) -> Iterator[bytes]:
    """The body after its prelude, piece by piece, until `done` or the worker's end."""
    try:
        feed = hub.acquire(view.session_id, view.log)
    except FileNotFoundError:
        yield end_without_log(view)
        return
    bell = _Bell()
    feed.waiters.add(bell)
    try:
        yield from _follow(hub, feed, view, bell)
    finally:
        feed.waiters.discard(bell)
        hub.release(feed)


def _follow(hub: Hub, feed: Feed, view: View, bell: _Bell) -> Iterator[bytes]:
    first, source = open_source(feed, view)
    if first:
        yield first
    heard_at = time.monotonic()
    while hub.may_go_on(view.login) and not source.is_over:
        told = source.cursor.told
        piece = source.read()
        if isinstance(piece, bytes):
            yield piece
            hub.count_sent(source.cursor.told - told, len(piece))
            heard_at = time.monotonic()
            time.sleep(YIELD_SECONDS)
        elif source.is_over:
            return
        elif not _wait(source, bell, piece, heard_at + view.ping_seconds):
            yield view.form.ping()
            heard_at = time.monotonic()


def _wait(source: Source, bell: _Bell, pause_seconds: float | None, ping_at: float) -> bool:
    """Until there may be more; False if it is time for a ping."""
    left_seconds = ping_at - time.monotonic()
    if pause_seconds is None:
        return source.cursor.feed.start_watch() or bell.wait(left_seconds)
    if pause_seconds > left_seconds:
        time.sleep(max(left_seconds, 0))
        return False
    time.sleep(min(pause_seconds, 0.25))  # so that the worker's end is not waited for
    return True
