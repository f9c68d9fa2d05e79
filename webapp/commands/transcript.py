"""Events → the text that a terminal or a pipe gets, as it comes."""

from collections.abc import Iterator
from typing import NamedTuple

from webapp.commands.conversation_parts import is_of_conversation
from webapp.commands.follow import EventParser, read_chunks
from webapp.commands.parts import Line, Source, Text, parts_of
from webapp.commands.screen import Screen
from webapp.commands.terminal import RESET, paint
from webapp.log import reader
from webapp.log.events import Event
from webapp.log.joining import Joiner
from webapp.log.opened import OpenLog
from webapp.log.seek import find_last

MAX_REDRAWN_ROWS = 16
"""Rows above have left what a small terminal shows."""
HELD_ROWS = 64
"""How far up a program can change what it has printed, where that need not be shown at once."""
STDERR_MARK = "! "
_RECORDS_A_LINE = 4
"""A guess: how many records make one line."""


class Passage(NamedTuple):
    """Some text that is finished."""

    source: Source | None
    """None for a line."""
    at: int
    """When it began."""
    text: str


class Transcript:
    """What was printed so far, as much of it as decides how the next piece is put to it."""

    def __init__(
        self, *, colour: bool, marks: bool = True, redraws: bool = False, held_rows: int = 1
    ) -> None:
        """`marks`: whether lines of stderr show that they are. `redraws`: for a terminal, whose
        last rows can be changed. Otherwise the last `held_rows` of a run wait until nothing
        changes them.
        """
        self._colour = colour
        self._has_marks = marks
        self._redraws = redraws
        self._held_rows = MAX_REDRAWN_ROWS if redraws else held_rows
        self._joiner = Joiner()
        self._source: Source | None = None
        self._topic: str | None = None
        self._is_conversation = False
        self._screen = Screen(colour=colour)
        self._times: list[int] = []
        """When each row of the screen began."""
        self._shown: list[str] = []
        """The rows as a terminal shows them."""

    def show(self, event: Event) -> str:
        """The text that this event adds."""
        return "".join(map(self.show_part, self.parts_of(event)))

    def parts_of(self, event: Event) -> Iterator[Text | Line]:
        """What to show of the next event. In a conversation the runner's records say what an
        agent says of itself; that is its protocol, and nothing for people."""
        self._is_conversation |= event.stream == "system" and is_of_conversation(event.name)
        for part in parts_of(event):
            is_about_itself = isinstance(part, Line) and part.topic is not None
            if not (is_about_itself and self._is_conversation):
                yield part

    def show_part(self, part: Text | Line) -> str:
        """The text that a part of an event adds."""
        if self._is_quiet(part):
            return ""
        if isinstance(part, Line):
            self._topic = part.topic
            return f"{self.end()}{paint(part.text, part.style, colour=self._colour)}\n"
        closing = self.end() if part.source != self._source else ""
        return closing + "".join(passage.text for passage in self._run(part, 0))

    def end(self) -> str:
        """End the run that is open: its last line, and its colours."""
        if self._source is None:
            return ""
        left = "".join(passage.text for passage in self._end_run())
        return left + (RESET if self._colour else "") + ("\n" if self._screen.rows[-1] else "")

    def hold_one_row(self) -> str:
        """From now on only the last row waits: what else has waited."""
        self._held_rows = 1
        return "" if self._source is None else "".join(row.text for row in self._take(1))

    def start_redraws(self) -> str:
        """From now on the text goes to a terminal: the row that has waited."""
        self._redraws, self._held_rows = True, MAX_REDRAWN_ROWS
        self._shown = [self._marked(row) for row in self._screen.rows]
        return self.unfinished

    @property
    def unfinished(self) -> str:
        """The row that waits, as it is now."""
        return "" if self._source is None else self._marked(self._screen.rows[-1])

    def passages(self, part: Text | Line | None, at: int) -> list[Passage]:
        """What a part that came at a time adds, and before it the rest of a run that ends there.

        None stands for the end.
        """
        if part is not None and self._is_quiet(part):
            return []
        is_same = isinstance(part, Text) and part.source == self._source
        closing = [] if is_same or self._source is None else self._end_run()
        if isinstance(part, Text):
            return [*closing, *self._run(part, at)]
        if part is None:
            return closing
        self._topic = part.topic
        return [*closing, Passage(None, at, part.text)]

    def _is_quiet(self, part: Text | Line) -> bool:
        """Whether a line is not shown: more of one topic, or in the middle of a text."""
        is_topic = isinstance(part, Line) and part.topic is not None
        return is_topic and (self._joiner.is_open or part.topic == self._topic)  # type: ignore[union-attr]

    def _run(self, part: Text, at: int) -> list[Passage]:
        if self._source is None:
            self._screen, self._shown, self._times = Screen(colour=self._colour), [""], [at]
        self._source, self._topic = part.source, None
        text = self._joiner.add(part.form, part.content)
        if part.form in ("line", "whole"):
            self._screen.feed(text.removesuffix("\n"))
            self._screen.finish()
            text = "\n" if text.endswith("\n") else ""
        self._screen.feed(text)
        del self._times[len(self._screen.rows) :]
        self._times += [at] * (len(self._screen.rows) - len(self._times))
        if self._redraws:
            return [Passage(self._source, at, self._redraw())]
        return self._take(self._held_rows)

    def _end_run(self) -> list[Passage]:
        """What has not been shown of the run that is open."""
        self._screen.finish()
        self._joiner.end_run()
        if self._redraws:
            left = [Passage(self._source, self._times[-1], self._redraw())]
        else:
            left = self._take(1)
            last = self._marked(self._screen.rows[-1])
            left += [Passage(self._source, self._times[0], last)] if last else []
        self._source = None
        return left

    def _take(self, keep: int) -> list[Passage]:
        """The rows that are finished."""
        rows = self._screen.take(keep)
        times = self._times[: len(rows)]
        del self._times[: len(rows)]
        return [
            Passage(self._source, at, f"{self._marked(row)}\n")
            for at, row in zip(times, rows, strict=True)
        ]

    def _redraw(self) -> str:
        """What makes a terminal that shows the rows as they were show them as they are."""
        before, self._shown = self._shown, [self._marked(row) for row in self._screen.rows]
        after, last = self._shown, len(before) - 1
        pairs = zip(before, after, strict=False)
        same = next((at for at, (old, new) in enumerate(pairs) if old != new), len(before))
        if same >= last and len(after) > last and after[last].startswith(before[last]):
            text = "\n".join([after[last][len(before[last]) :], *after[last + 1 :]])
        else:
            same = min(same, len(after) - 1)
            up = f"\x1b[{last - same}A" if last > same else ""
            text = f"{up}\r\x1b[J" + "\n".join(after[same:])
        taken = len(self._screen.take(self._held_rows))
        del self._shown[:taken], self._times[:taken]
        return text

    def _marked(self, row: str) -> str:
        """A row of stderr begins with the mark of it, unless it is empty."""
        if not row or self._source != "stderr" or not self._has_marks:
            return row
        return paint(STDERR_MARK, "yellow", colour=self._colour) + row


def last_lines(
    log: OpenLog, end: int, count: int, *, colour: bool, redraws: bool = False
) -> tuple[str, Transcript]:
    """The last lines up to the boundary `end`, and the transcript that goes on from there."""
    records = count * _RECORDS_A_LINE + 1
    while True:
        start = find_last(log, records, end)
        transcript = Transcript(colour=colour, held_rows=HELD_ROWS)
        parser = EventParser(log, start)
        shown = "".join(
            transcript.show(event)
            for chunk in read_chunks(log, start, end)
            for event in parser.parse(chunk)
        )
        shown += transcript.hold_one_row()
        lines = shown.removesuffix("\n").split("\n")
        waits = bool(transcript.unfinished)
        if start == 0 or len(lines) + waits > count:
            kept = lines[max(0, len(lines) + waits - count) :] if shown else []
            text = "".join(f"{line}\n" for line in kept) if count else ""
            return text + (transcript.start_redraws() if redraws else ""), transcript
        records *= 4


def last_line_texts(log: OpenLog, count: int) -> list[str]:
    """The last lines of a log as it is now, without colours."""
    end = reader.find_end(log, log.size())
    shown, transcript = last_lines(log, end, count, colour=False)
    return (shown + transcript.end()).splitlines()
