"""What a viewer's stream is read from, whichever way it then takes to the viewer.

`read()` gives bytes to send, the seconds to wait before there are some (a timed replay), or
None at the tail: then the viewer waits for the log to change, or has its end (`is_over`).
"""

from typing import NamedTuple

from webapp.stream import sse
from webapp.stream.cursor import Cursor
from webapp.stream.feed import Feed
from webapp.stream.replay import Replay
from webapp.stream.view import View


class Source(NamedTuple):
    """A cursor, and the replay that moves it on if the viewer asked for one."""

    cursor: Cursor
    replay: Replay | None

    @property
    def is_over(self) -> bool:
        """Whether the viewer has all there will ever be."""
        return self.cursor.is_over

    def read(self) -> bytes | float | None:
        """The next piece, a pause, or None at the tail."""
        return self.cursor.read() if self.replay is None else self.replay.read()


def open_source(feed: Feed, view: View) -> tuple[bytes, Source]:
    """What to send to the viewer first (often nothing), and where the rest comes from."""
    offset, is_gap, seen = view.find_start(feed.log, feed.dialect(view.form))
    cursor = Cursor(feed, view.form, feed.position_at(offset, seen))
    replay = Replay(cursor, view.pace) if view.pace is not None else None
    first = view.form.gap("no event has this id") if is_gap else b""
    return first, Source(cursor, replay)


def end_without_log(view: View) -> bytes:
    """All that is left to send of a session whose log is gone: its end, where the row knows it.

    That has the id that it had in the log, so that a client that has seen it does not come back.
    """
    reason = f"the log was deleted at {view.deleted_at}" if view.deleted_at else "the log is gone"
    gone, end = view.form.gap(reason), view.recorded_end()
    if end is None:
        return gone
    id_line = f"{sse.id_line(view.form.id_prefix)}{view.end_offset}\n" if view.end_offset else ""
    return gone + id_line.encode() + view.form.own("done", end)
