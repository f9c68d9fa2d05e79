"""A log once more in the agent's own rhythm, and the keys that a person has for it."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from webapp.commands.exports.story import clock_text, kind_of, nanoseconds
from webapp.commands.follow import EventParser, read_chunks
from webapp.commands.keys import Keys
from webapp.commands.parts import Line, parts_of
from webapp.commands.terminal import RESET, has_colour, paint
from webapp.commands.transcript import Transcript
from webapp.log import reader, seek
from webapp.log.event_id import EventId
from webapp.log.events import Event
from webapp.log.opened import OpenLog
from webapp.log.record import TIME_BYTES, format_time

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
JUMP_SECONDS = 10
HELP = "space pause  +/- speed  <-/-> 10 s  n next call or error  e end  q quit"

_POLL_SECONDS = 0.05
_STATUS_SECONDS = 0.25
_ERASE_LINE = "\r\x1b[K"
_TOLD = {"call", "failure", "approval", "error"}


class Quit(Exception):
    """A person wants no more of it."""


class _Jump(Exception):
    """Go on elsewhere."""

    def __init__(self, time_ns: int) -> None:
        super().__init__()
        self.time_ns = time_ns


class Rhythm(NamedTuple):
    """How fast to go."""

    speed: float
    """Seconds of the agent's time that pass in one second."""
    max_gap_seconds: float
    """A longer silence counts for no more than this of the agent's time."""


class Player:
    """Plays an open log from an offset on."""

    def __init__(
        self,
        log: OpenLog,
        rhythm: Rhythm,
        keys: Keys | None,
        write: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._max_gap_seconds = rhythm.max_gap_seconds
        self._speed = rhythm.speed
        self._keys = keys
        self._write = write
        self._clock = clock
        self._transcript = Transcript(colour=has_colour(), redraws=sys.stdout.isatty())
        self._is_at_line_start = True
        self._has_status = False
        self._due = self._polled_at = clock()
        self._paused_at: float | None = None
        self._time_ns: int | None = None
        self._hurry_until_ns: int | None = None
        self._is_hurrying_to_next = False
        self._waits_for_told = False
        self._start_ns, self._end_ns = _first_time(log), _last_time(log)

    def play(self, start: EventId) -> int:
        """Play what the log holds; the boundary where it ended. Quit."""
        while True:
            offset = start.offset
            try:
                for event in self._events(start):
                    self._wait_for(event)
                    self._print(self._transcript.show(event))
                    offset = event.offset
                self._print(self._transcript.end())
                self._erase_status()
                return offset
            except _Jump as jump:
                start = EventId(self._go_to(jump.time_ns))
            except Quit:
                self._erase_status()
                raise

    def _events(self, start: EventId) -> Iterator[Event]:
        parser = EventParser(self._log, start.offset, start.seen)
        for chunk in read_chunks(self._log, start.offset):
            yield from parser.parse(chunk)

    # --- time -------------------------------------------------------------------------

    def _wait_for(self, event: Event) -> None:
        """Until its moment has come. _Jump, Quit."""
        time_ns = nanoseconds(event.time)
        if time_ns is not None:
            last, self._time_ns = self._time_ns, time_ns
            gap = 0.0 if last is None else max(time_ns - last, 0) / 1e9
            self._due += min(gap, self._max_gap_seconds) / self._speed
        if self._is_in_a_hurry(event):
            self._due = self._clock()
        if self._keys is None:
            time.sleep(max(0.0, self._due - self._clock()))
            return
        if self._clock() - self._polled_at >= _POLL_SECONDS:
            self._take_keys(0)
        if self._due > self._clock():
            self._waits_for_told = _is_told(event)
        while self._paused_at is not None or self._due > self._clock():
            self._show_status()
            left = self._due - self._clock()
            patient = None if self._paused_at is not None else min(max(left, 0), _STATUS_SECONDS)
            self._take_keys(patient)

    def _is_in_a_hurry(self, event: Event) -> bool:
        """Whether everything before a position that was asked for is shown at once."""
        if self._is_hurrying_to_next:
            self._is_hurrying_to_next = not _is_told(event)
            return True
        if self._hurry_until_ns is None:
            return False
        if (self._time_ns or 0) >= self._hurry_until_ns:
            self._hurry_until_ns = None
            self._due = self._clock()
        return True

    def _now_ns(self) -> int:
        """Where we are in the agent's time: before the next event by what is left of the wait."""
        now = self._paused_at if self._paused_at is not None else self._clock()
        left_ns = int(max(self._due - now, 0.0) * self._speed * 1e9)
        return (self._time_ns or self._start_ns) - left_ns

    def _set_speed(self, speed: float) -> None:
        now = self._paused_at if self._paused_at is not None else self._clock()
        self._due = now + (self._due - now) * self._speed / speed
        self._speed = speed

    def _pause_or_resume(self) -> None:
        if self._paused_at is None:
            self._paused_at = self._clock()
        else:
            self._due += self._clock() - self._paused_at
            self._paused_at = None

    def _go_to(self, time_ns: int) -> int:
        """Begin again at a time: the offset there."""
        self._print(self._transcript.end())
        self._transcript = Transcript(colour=has_colour(), redraws=sys.stdout.isatty())
        shown_ns = max(time_ns, self._start_ns)
        mark = f"-- back at {clock_text((shown_ns - self._start_ns) // 1000)}"
        self._print(paint(mark, "dim", colour=has_colour()) + "\n")
        self._due, self._time_ns = self._clock(), None
        return seek.find_time(self._log, format_time(shown_ns))

    # --- keys -------------------------------------------------------------------------

    def _take_keys(self, timeout_seconds: float | None) -> None:
        assert self._keys is not None
        for key in self._keys.read(timeout_seconds):
            self._press(key)
        self._polled_at = self._clock()

    def _press(self, key: str) -> None:
        at = self._now_ns()
        if key in ("q", "c-c", "c-d", "c-z"):
            raise Quit
        if key == " ":
            self._pause_or_resume()
        elif key in ("+", "=", "up"):
            faster = [speed for speed in SPEEDS if speed > self._speed]
            self._set_speed(faster[0] if faster else self._speed)
        elif key in ("-", "down"):
            slower = [speed for speed in SPEEDS if speed < self._speed]
            self._set_speed(slower[-1] if slower else self._speed)
        elif key in ("left", "h"):
            raise _Jump(at - JUMP_SECONDS * 1_000_000_000)
        elif key in ("home", "0"):
            raise _Jump(self._start_ns)
        elif key in ("right", "l"):
            self._hurry(at + JUMP_SECONDS * 1_000_000_000)
        elif key in ("e", "end"):
            self._hurry(1 << 63)
        elif key == "n":
            self._is_hurrying_to_next = not self._waits_for_told
            self._hurry(None)

    def _hurry(self, until_ns: int | None) -> None:
        self._hurry_until_ns = until_ns
        self._due = self._clock()
        if self._paused_at is not None:
            self._paused_at = None

    # --- the screen -------------------------------------------------------------------

    def _print(self, text: str) -> None:
        if not text:
            return
        self._erase_status()
        self._write(text)
        self._is_at_line_start = text.removesuffix(RESET).endswith("\n")

    def _show_status(self) -> None:
        """Where we are, on a line below what was printed; not while a line is unfinished."""
        if not self._is_at_line_start:
            return
        at = max(self._now_ns() - self._start_ns, 0) // 1000
        whole = max(self._end_ns - self._start_ns, 0) // 1000
        state = "paused" if self._paused_at is not None else f"x{self._speed:g}"
        status = f"[{state}] {clock_text(at)} of {clock_text(whole)}  {HELP}"
        width = _columns() - 1
        self._write(_ERASE_LINE + paint(status[:width], "dim", colour=has_colour()))
        sys.stdout.flush()
        self._has_status = True

    def _erase_status(self) -> None:
        if self._has_status:
            self._write(_ERASE_LINE)
            self._has_status = False


def _columns() -> int:
    """The terminal's; COLUMNS may stand for another's."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except OSError:
        return 80


def _is_told(event: Event) -> bool:
    """Whether this is worth jumping to: a tool call, or something that went wrong."""
    return any(isinstance(part, Line) and kind_of(part) in _TOLD for part in parts_of(event))


def _first_time(log: OpenLog) -> int:
    stamp = reader.read_records(log, 0)[:TIME_BYTES]
    return nanoseconds(stamp.decode("ascii", "replace")) or 0


def _last_time(log: OpenLog) -> int:
    end = reader.find_end(log, log.size())
    stamp = reader.read_records(log, reader.last_line_start(log, end))[:TIME_BYTES]
    return nanoseconds(stamp.decode("ascii", "replace")) or 0
