"""A session's events as timed pieces of text, each of one kind: what the readable formats tell."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from webapp.commands.parts import Line
from webapp.commands.transcript import HELD_ROWS, Transcript
from webapp.log.events import Event
from webapp.log.record import is_time, parse_time

Kind = Literal[
    "stdout", "stderr", "call", "result", "failure", "input", "approval", "note", "error"
]

_KIND_OF_MARK: dict[str, Kind] = {
    "->": "call",
    "<-": "result",
    "<x": "failure",
    ">": "input",
    "?": "approval",
    "--": "note",
}
_SURROGATES = dict.fromkeys(range(55296, 57344), "�")


class Piece(NamedTuple):
    """Some text, and when it was printed."""

    microseconds: int
    """Since the first record; never less than those of the piece before."""
    kind: Kind
    text: str
    """Clean: no escape sequences. Of a line, without its mark and its newline."""
    data: str | None
    """All that the event held, as JSON, where `text` is a summary of it."""


class Clock:
    """Microseconds since the first time that it is shown; it never goes back.

    Where the agent's clock stepped back, or a line is no record, no time has passed.
    """

    def __init__(self) -> None:
        self._start_ns: int | None = None
        self._now = 0

    def at(self, time: str) -> int:
        """The moment of a record's time."""
        time_ns = nanoseconds(time)
        if time_ns is None:
            return self._now
        if self._start_ns is None:
            self._start_ns = time_ns
        self._now = max(self._now, (time_ns - self._start_ns) // 1000)
        return self._now


def nanoseconds(time: str) -> int | None:
    """A record's time as Unix time; None for a line that is no record, or no date."""
    if not is_time(time.encode()):
        return None
    second = _second(time[:20])
    return None if second is None else second + int(time[20:29])


@lru_cache(maxsize=64)
def _second(time: str) -> int | None:
    try:
        return parse_time(f"{time}000000000Z")
    except ValueError:
        return None


def tell(events: Iterable[Event]) -> Iterator[Piece]:
    """The pieces of a session, in the order of its log."""
    transcript, clock = Transcript(colour=False, marks=False, held_rows=HELD_ROWS), Clock()
    for event in events:
        at = clock.at(event.time)
        for part in transcript.parts_of(event):
            for source, began, text in transcript.passages(part, at):
                if source is not None:
                    yield Piece(began, source, whole_text(text), None)
                elif isinstance(part, Line):
                    line = whole_text(text.partition(" ")[2])
                    yield Piece(at, kind_of(part), line, event.data)
    for source, began, text in transcript.passages(None, 0):
        yield Piece(began, source or "stdout", whole_text(text), None)


def kind_of(line: Line) -> Kind:
    """What a single line is about."""
    mark = line.text.partition(" ")[0]
    if mark == "--" and line.style == "red":
        return "error"
    return _KIND_OF_MARK.get(mark, "note")


def whole_text(text: str) -> str:
    """Text that any encoding of Unicode can hold: JSON allows half a surrogate pair."""
    return text if text.isascii() else text.translate(_SURROGATES)


def runs(pieces: Iterable[Piece], most_letters: int) -> Iterator[list[Piece]]:
    """Pieces of one kind that follow each other, together, of about so many letters at most."""
    run: list[Piece] = []
    letters = 0
    for piece in pieces:
        if run and (piece.kind != run[0].kind or letters >= most_letters):
            yield run
            run, letters = [], 0
        run.append(piece)
        letters += len(piece.text)
    if run:
        yield run


def clock_text(microseconds: int) -> str:
    """`1:02.345`, `2:01:02.345`: so long after the beginning."""
    seconds, milliseconds = divmod(microseconds // 1000, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    start = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{start}:{seconds:02d}.{milliseconds:03d}"
