"""A stream through plain WSGI: the server asks for the next piece, and waits with us.

For every server, thread or test that has no socket to give; it holds a thread (or a greenlet)
a viewer. `takeover/` is the other way; viewers get the same by both.
"""

import threading
import time
from collections.abc import Iterator

from webapp import clock
from webapp.stream import fairness
from webapp.stream.feed import Feed
from webapp.stream.hub import STOP_SECONDS, Hub
from webapp.stream.source import Source, end_without_log, open_source
from webapp.stream.view import View


class _WakeEvent:
    """Wakes one thread that waits for a log to change."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def wake(self) -> None:
        """The log may have changed."""
        self._rung.set()

    def wait(self, timeout_seconds: float) -> bool:
        """Until it rings; at once if it has rung since the last time. False after the timeout."""
        rung = self._rung.wait(max(timeout_seconds, 0))
        self._rung.clear()
        return rung


def body(hub: Hub, view: View) -> Iterator[bytes]:
    """The response after its prelude, piece by piece, until `done` or the worker's end."""
    try:
        feed = hub.acquire(view.session_id, view.log)
    except FileNotFoundError:
        yield end_without_log(view)
        return
    wake_event = _WakeEvent()
    feed.waiters.add(wake_event)
    try:
        yield from _follow(hub, feed, view, wake_event)
    finally:
        feed.waiters.discard(wake_event)
        hub.release(feed)


def _follow(hub: Hub, feed: Feed, view: View, wake_event: _WakeEvent) -> Iterator[bytes]:
    first, source = open_source(feed, view)
    if first:
        yield first
    sent_at = clock.now()
    while hub.may_go_on(view.login) and not source.is_over:
        events_before = source.cursor.events_read
        piece = source.read()
        if isinstance(piece, bytes):
            yield piece
            hub.count_sent(source.cursor.events_read - events_before, len(piece))
            sent_at = clock.now()
            fairness.pause()
        elif source.is_over:
            return
        elif not _wait(source, wake_event, piece, sent_at + view.ping_seconds):
            yield view.form.ping()
            sent_at = clock.now()


def _wait(
    source: Source, wake_event: _WakeEvent, pause_seconds: float | None, ping_at: float
) -> bool:
    """Until there may be more; False if it is time for a ping."""
    left_seconds = ping_at - clock.now()
    if pause_seconds is None:
        return source.cursor.feed.start_watch() or wake_event.wait(left_seconds)
    if pause_seconds > left_seconds:
        time.sleep(max(left_seconds, 0))
        return False
    time.sleep(min(pause_seconds, STOP_SECONDS))
    return True
