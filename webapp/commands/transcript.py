"""Events → the text that a terminal or a pipe gets, as it comes."""

import re

from webapp.commands.follow import EventParser, read_chunks
from webapp.commands.parts import Ending, Line, Text, parts_of
from webapp.commands.terminal import RESET, Cleaner, paint
from webapp.log import reader
from webapp.log.events import Event
from webapp.log.opened import OpenLog
from webapp.log.seek import find_last

STDERR_MARK = "! "
_RECORDS_A_LINE = 4
"""A guess: how many records make one line."""
_PUNCTUATION = re.compile(r"[,.;:!?)\]}…]")


class Transcript:
    """What was printed so far, as much of it as decides how the next piece is put to it."""

    def __init__(self, *, colour: bool, marks: bool = True) -> None:
        """`marks`: whether lines of stderr show that they are."""
        self._colour = colour
        self._has_marks = marks
        self._cleaner = Cleaner(colour=colour)
        self._source: str | None = None
        self._ending: Ending = "line"
        self._last_letter = "\n"

    def show(self, event: Event) -> str:
        """The text that this event adds."""
        return "".join(map(self.show_part, parts_of(event)))

    def show_part(self, part: Text | Line) -> str:
        """The text that a part of an event adds."""
        return self._run(part) if isinstance(part, Text) else self._line(part)

    def end(self) -> str:
        """Whatever a last line still lacks."""
        return self._close_run()

    def _line(self, line: Line) -> str:
        return f"{self._close_run()}{paint(line.text, line.style, colour=self._colour)}\n"

    def _run(self, piece: Text) -> str:
        before = self._close_run() if self._source != piece.source else ""
        is_new = self._source is None
        self._source = piece.source

        content = self._cleaner.clean(piece.content)
        if piece.ending == "line":
            content += self._cleaner.finish()
        if is_new and piece.ending == "json":
            content = content.lstrip("\n")
        text = (self._separator(content, piece.ending) if not is_new else "") + content
        if piece.ending == "line":
            text += "\n"
        is_marked = self._has_marks and piece.source == "stderr"
        shown = self._marked(text) if is_marked else text
        self._ending = piece.ending
        self._last_letter = text[-1:] or self._last_letter
        return before + shown

    def _separator(self, content: str, ending: Ending) -> str:
        """Agents say nothing about what stands between two JSON messages.

        Words that carry their own spaces are put together as they are, bare words get a
        space, sentences a line each: as the pages do it.
        """
        if self._ending != "json":
            return ""
        if ending != "json":
            return "" if self._last_letter == "\n" else "\n"
        if not content or self._last_letter.isspace() or content[0].isspace():
            return ""
        if _PUNCTUATION.match(content):
            return ""
        return "\n" if len(content.split()) > 1 else " "

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
        self._source, self._ending, self._last_letter = None, "line", "\n"
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
