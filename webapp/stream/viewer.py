"""One viewer's stream: what the log holds, then what comes, until `done`."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from webapp.log import reader
from webapp.stream import sse
from webapp.stream.feed import Feed, Format
from webapp.stream.hub import Hub

RETRY_MS = (500, 2000)
"""When a client should come back after a break: jittered, so that not all come at once."""


@dataclass(frozen=True)
class View:
    """What one viewer asked for."""

    session_id: str
    log: Path
    offset: int | None
    """Where to begin; None for an id that makes no sense."""
    form: Format
    first_id: str | None
    """Told to the client before the first event, so that even an early reconnect resumes."""
    ping_seconds: float
    recorded_end: Callable[[], dict[str, object] | None]
    """How the session ended by its row; None while it is live."""


def stream(hub: Hub, view: View) -> Iterator[bytes]:
    """The body of a `text/event-stream` response, piece by piece."""
    yield sse.encode_prelude(random.randint(*RETRY_MS), view.first_id)
    try:
        with hub.feed(view.session_id, view.log) as feed:
            yield from _follow(hub, feed, view)
    except FileNotFoundError:
        yield _gap(view, "the log is gone")
        yield from _end_by_row(view)


def _follow(hub: Hub, feed: Feed, view: View) -> Iterator[bytes]:
    offset, is_gap = reader.find_start(feed.fd, view.offset)
    if is_gap:
        yield _gap(view, "no event has this id")

    goes_on = reader.is_continuation(feed.fd, offset)
    heard_at, has_new = time.monotonic(), False
    while not hub.should_stop():
        size = feed.size()
        frame = feed.frame_at(offset, view.form, goes_on=goes_on)
        if frame is not None:
            yield frame.data
            if frame.is_done:
                return
            offset, goes_on, heard_at = frame.end, frame.goes_on, time.monotonic()
            has_new = True
            time.sleep(0)  # a viewer that catches up fast must not hold up the live ones
        elif size < offset:
            feed.forget_frames()
            offset = reader.find_end(feed.fd, size)
            goes_on = reader.is_continuation(feed.fd, offset)
            yield _gap(view, "the log was cut")
        elif offset == size and not has_new and feed.is_complete():
            return  # the viewer had its `done` when it came
        elif feed.end_by_row is not None:
            yield _gap(view, "the log has lost its end")
            yield _own(view, "done", feed.end_by_row)
            return
        elif not feed.wait(size, heard_at + view.ping_seconds - time.monotonic()):
            yield _own(view, "ping", {"type": "ping"})
            heard_at = time.monotonic()


def _end_by_row(view: View) -> Iterator[bytes]:
    end = view.recorded_end()
    if end is not None:
        yield _own(view, "done", end)


def _gap(view: View, reason: str) -> bytes:
    return _own(view, "notice", {"type": "gap", "reason": reason})


def _own(view: View, name: str, content: dict[str, object]) -> bytes:
    return sse.encode_own(name, content, as_envelope=view.form.as_envelope)
