"""One way through a log: what comes next from where somebody is."""

from webapp.log import reader
from webapp.stream.feed import Feed, NoBoundary, Place
from webapp.stream.format import Format


class Cursor:
    """A place in a feed that moves on with what is read from there."""

    __slots__ = ("_has_read", "feed", "form", "is_over", "place", "told")

    def __init__(self, feed: Feed, form: Format, place: Place) -> None:
        self.feed = feed
        self.form = form
        self.place = place
        self.is_over = False
        """Nothing will ever follow: the session's end has been read."""
        self.told = 0
        """How many events of the log have been read here."""
        self._has_read = False

    def copy(self) -> "Cursor":
        """Another one at the same place."""
        other = Cursor(self.feed, self.form, self.place)
        other.is_over = self.is_over
        other._has_read = self._has_read
        return other

    def move(self, place: Place, is_over: bool, events: int) -> None:
        """Go on to a place, past this many events that have been read."""
        self.place, self.is_over, self._has_read = place, is_over, True
        self.told += events

    def read(self) -> bytes | None:
        """The next frames; None at the tail, where there is nothing to be told now."""
        try:
            frame = self.feed.frame_at(self.place, self.form)
        except NoBoundary:
            log = self.feed.log
            return self._go_to(reader.next_boundary(log, self.place.offset, log.size()))
        if frame is not None:
            self.move(frame.end, frame.is_done, frame.events)
            return frame.data
        size = self.feed.size()
        if size < self.place.offset:
            return self._go_to(reader.find_end(self.feed.log, size))
        if self.place.offset == size and not self._has_read and self.feed.is_complete():
            self.is_over = True  # whoever comes here had its `done` before
            return None
        if self.feed.end_by_row is not None:
            self.is_over = True
            lost = self.form.gap("the log has lost its end")
            return lost + self.form.own("done", self.feed.end_by_row)
        return None

    def _go_to(self, boundary: int) -> bytes:
        """The log was cut: go on from another place."""
        self.feed.forget_frames()
        self.place = self.feed.place_at(boundary)
        return self.form.gap("the log was cut")
