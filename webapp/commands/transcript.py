"""Events → the text that a terminal or a pipe gets, as it comes."""

from collections.abc import Iterator

from webapp.commands.conversation_parts import is_of_conversation
from webapp.commands.follow import EventParser, read_chunks
from webapp.commands.parts import Line, Text, parts_of
from webapp.commands.terminal import RESET, Cleaner, paint
from webapp.log import reader
from webapp.log.events import Event
from webapp.log.joining import Joiner
from webapp.log.opened import OpenLog
from webapp.log.seek import find_last

STDERR_MARK = "! "
_RECORDS_A_LINE = 4
"""A guess: how many records make one line."""


class Transcript:
    """What was printed so far, as much of it as decides how the next piece is put to it."""

    def __init__(self, *, colour: bool, marks: bool = True) -> None:
        """`marks`: whether lines of stderr show that they are."""
        self._colour = colour
        self._has_marks = marks
        self._cleaner = Cleaner(colour=colour)
        self._joiner = Joiner()
        self._source: str | None = None
        self._topic: str | None = None
        self._last_letter = "\n"
        self._is_conversation = False

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
        return self._run(part) if isinstance(part, Text) else self._line(part)

    def end(self) -> str:
        """Whatever a last line still lacks."""
        return self._close_run()

    def _line(self, line: Line) -> str:
        if line.topic is not None and (self._joiner.is_open or line.topic == self._topic):
            return ""
        self._topic = line.topic
        return f"{self._close_run()}{paint(line.text, line.style, colour=self._colour)}\n"

    def _run(self, piece: Text) -> str:
        before = self._close_run() if self._source != piece.source else ""
        self._source, self._topic = piece.source, None
        text = self._joiner.add(piece.form, piece.content)
        if piece.form in ("line", "whole"):
            shown = self._cleaner.clean(text.removesuffix("\n")) + self._cleaner.finish()
            text = f"{shown}\n" if text.endswith("\n") else shown
        else:
            text = self._cleaner.clean(text)
        is_marked = self._has_marks and piece.source == "stderr"
        shown = self._marked(text) if is_marked else text
        self._last_letter = text[-1:] or self._last_letter
        return before + shown

    def _marked(self, text: str) -> str:
        """Each line with the mark of stderr, where it begins here."""
        lines = text.split("\n")
        is_at_start = self._last_letter == "\n"
        mark = paint(STDERR_MARK, "yellow", colour=self._colour)
        for index, line in enumerate(lines):
            if line and (index > 0 or is_at_start):
                lines[index] = mark + line
        return "\n".join(lines)

    def _close_run(self) -> str:
        """End the run that is open: its last line, and its colours."""
        if self._source is None:
            return ""
        left = self._cleaner.finish()
        last = left[-1:] or self._last_letter
        self._joiner.end_run()
        self._source, self._last_letter = None, "\n"
        return left + (RESET if self._colour else "") + ("" if last == "\n" else "\n")


def last_lines(log: OpenLog, end: int, count: int, *, colour: bool) -> tuple[str, Transcript]:
    """The last lines up to the boundary `end`, and the transcript that goes on from there."""
    records = count * _RECORDS_A_LINE + 1
    while True:
        start = find_last(log, records, end)
        transcript, parser = Transcript(colour=colour), EventParser(log, start)
        shown = "".join(
            transcript.show(event)
            for chunk in read_chunks(log, start, end)
            for event in parser.parse(chunk)
        )
        lines = shown.removesuffix("\n").split("\n")
        if start == 0 or len(lines) > count:
            kept = "\n".join(lines[-count:]) if count else ""
            return kept + ("\n" if kept and shown.endswith("\n") else ""), transcript
        records *= 4


def last_line_texts(log: OpenLog, count: int) -> list[str]:
    """The last lines of a log as it is now, without colours."""
    end = reader.find_end(log, log.size())
    shown, _transcript = last_lines(log, end, count, colour=False)
    return shown.splitlines()
