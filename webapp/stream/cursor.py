"""One way through a log: what comes next from a position."""

from webapp.log import reader
from webapp.stream.feed import Feed, NoBoundary, Position
from webapp.stream.format import Format


class Cursor:
    """A position in a feed that advances with what is read from there."""

    __slots__ = ("_has_read", "events_read", "feed", "form", "is_over", "position")

    def __init__(self, feed: Feed, form: Format, position: Position) -> None:
        self.feed = feed
        self.form = form
        self.position = position
        self.is_over = False
        """Nothing will ever follow: the session's end has been read."""
        self.events_read = 0
        """How many events of the log have been read here."""
        self._has_read = False

    def copy(self) -> "Cursor":
        """Another one at the same position."""
        other = Cursor(self.feed, self.form, self.position)
        other.is_over = self.is_over
        other._has_read = self._has_read
        return other

    def advance(self, position: Position, is_over: bool, events: int) -> None:
        """Advance past `events` events that have been read."""
        self.position, self.is_over, self._has_read = position, is_over, True
        self.events_read += events

    def read(self) -> bytes | None:
        """The next frames; None at the tail, where there is nothing to send now."""
        try:
            frame = self.feed.frame_at(self.position, self.form)
        except NoBoundary:
            log = self.feed.log
            return self._go_to(reader.next_boundary(log, self.position.offset, log.size()))
        if frame is not None:
            self.advance(frame.end, frame.is_done, frame.events)
            return frame.data
        size = self.feed.size()
        if size < self.position.offset:
            return self._go_to(reader.find_end(self.feed.log, size))
        if self.position.offset == size and not self._has_read and self.feed.is_complete():
            self.is_over = True  # a viewer who begins here had the `done` before
            return None
        if self.feed.end_by_row is not None:
            self.is_over = True
            lost = self.form.gap("the log has lost its end")
            return lost + self.form.own("done", self.feed.end_by_row)
        return None

    def _go_to(self, boundary: int) -> bytes:
        """The log was cut: go on from another boundary."""
        self.feed.forget_frames()
        self.position = self.feed.position_at(boundary)
        return self.form.gap("the log was cut")
