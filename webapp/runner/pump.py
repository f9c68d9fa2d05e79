"""From a pipe's bytes to log records: one pump for each of the agent's two pipes."""

from webapp.log.line_state import may_be_json_object
from webapp.log.record import FULL, PARTIAL, format_record, prefix
from webapp.log.redact import Redactor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from webapp.log.long_line import LongLine

SHOW_SECONDS = 0.05
"""A line without its newline is shown so long after its beginning, and again as it grows: it
may be a prompt, or tokens of a text. So a stream gets at most 20 such records a second."""


class Pump:
    """Cuts what an agent prints into records. Holds at most one unfinished line."""

    def __init__(
        self,
        stream: bytes,
        max_line_bytes: int,
        redactor: Redactor | None = None,
        mark: bytes | None = None,
        max_event_bytes: int = 64 << 20,
    ) -> None:
        """With a mark, whole lines that hold it are kept in `marked` for whoever takes them.

        A line over `max_line_bytes` is cut into several records. If it begins as JSON, a record
        of ours says after it what it is, unless it is over `max_event_bytes`.
        """
        self.stream = stream
        self.redactor = Redactor([], keys=False) if redactor is None else redactor
        self.max_line_bytes = max_line_bytes
        self.max_event_bytes = max_event_bytes
        self.pending = b""
        self.is_continuation = False
        self.ended_without_newline = False
        self.mark = mark
        self.marked: list[bytes] = []
        self.show_at: float | None = None
        """When to call `show`, by the monotonic clock."""
        self._fed_at = 0.0
        self._long_line: LongLine | None = None

    def feed(self, data: bytes, time_ns: int) -> bytes:
        """Take bytes from the pipe; give back all records that they complete."""
        return self._feed(self.redactor.feed(data), time_ns)

    def _feed(self, data: bytes, time_ns: int) -> bytes:
        if self.pending:
            data = self.pending + data
        lines, newline, self.pending = data.rpartition(b"\n")
        if newline:
            self.show_at = None  # another line has begun
        if self.mark is not None and self.mark in lines:
            self._keep_marked(lines, self.mark)
        if len(data) > self.max_line_bytes or self._long_line is not None:
            return self._feed_long(lines, bool(newline), time_ns)
        if not newline:
            return b""

        self.is_continuation = False
        start = prefix(time_ns, self.stream)
        return b"".join((start, lines.replace(b"\n", b"\n" + start), b"\n"))

    def _keep_marked(self, lines: bytes, mark: bytes) -> None:
        """Keep lines that hold the mark, unless they are or were cut: those are no events."""
        whole = lines.split(b"\n")[1 if self.is_continuation else 0 :]
        self.marked += [line for line in whole if mark in line and len(line) <= self.max_line_bytes]

    def _feed_long(self, lines: bytes, has_lines: bool, time_ns: int) -> bytes:
        """As `feed`, where a line may be over the cap."""
        records: list[bytes] = []
        for line in lines.split(b"\n") if has_lines else ():
            self._end_line(self._cut(line, records, time_ns), records, time_ns)
        self.pending = self._cut(self.pending, records, time_ns)
        return b"".join(records)

    def _cut(self, line: bytes, records: list[bytes], time_ns: int) -> bytes:
        """Append `P` records until the rest of the line is within the cap."""
        start = 0
        while len(line) - start > self.max_line_bytes:
            end = start + self.max_line_bytes
            end = max(end - incomplete_utf8(line[start:end]), start + 1)
            part = line[start:end]
            records.append(prefix(time_ns, self.stream, PARTIAL) + part + b"\n")
            if not self.is_continuation and self.stream == b"stdout" and may_be_json_object(part):
                self._long_line = _new_long_line(self.max_event_bytes)
            if self._long_line is not None:
                self._long_line.feed(part)
            self.is_continuation = True
            start = end
        return line[start:]

    def _end_line(self, rest: bytes, records: list[bytes], time_ns: int) -> None:
        """Append the `F` record of a line, and what stands for the line if it is a long one."""
        records.append(prefix(time_ns, self.stream, FULL) + rest + b"\n")
        self.is_continuation = False
        if self._long_line is not None:
            self._long_line.feed(rest)
            records.append(format_record(time_ns, b"system", self._long_line.finish()))
            self._long_line = None

    def schedule(self, now: float) -> None:
        """After `feed`: set when to show what is unfinished."""
        self._fed_at = now
        if not self.pending and not self.redactor.is_holding:
            self.show_at = None
        elif self.show_at is None:
            self.show_at = now + SHOW_SECONDS

    def show(self, now: float, time_ns: int) -> bytes:
        """What is there of the unfinished line, as a `P` record; empty where nothing is to show.

        After a silence, what the redactor held back belongs to the line.
        """
        is_quiet = now - self._fed_at >= SHOW_SECONDS
        if is_quiet:
            self.pending += self.redactor.release()
        self.show_at = None if is_quiet else now + SHOW_SECONDS
        return self.show_pending(time_ns) if self.is_showable else b""

    @property
    def is_showable(self) -> bool:
        """Whether the unfinished line should be shown as a `P` record.

        A line that may still become a JSON object is kept whole.
        """
        if not self.pending or self._long_line is not None:
            return False
        if self.is_continuation or not may_be_json_object(self.pending):
            return len(self.pending) > incomplete_utf8(self.pending)
        return False

    def show_pending(self, time_ns: int) -> bytes:
        """The unfinished line as a `P` record, less a character that is not whole yet."""
        end = len(self.pending) - incomplete_utf8(self.pending)
        shown, self.pending = self.pending[:end], self.pending[end:]
        self.is_continuation = True
        return prefix(time_ns, self.stream, PARTIAL) + shown + b"\n"

    def finish(self, time_ns: int) -> bytes:
        """The pipe has ended: the rest is a line, though no newline came."""
        records = self._feed(self.redactor.finish(), time_ns)
        if not self.pending:
            return records
        rest, self.pending = self.pending, b""
        if self.mark is not None and self.mark in rest:
            self._keep_marked(rest, self.mark)
        self.ended_without_newline = True
        last: list[bytes] = [records]
        self._end_line(rest, last, time_ns)
        return b"".join(last)


def _new_long_line(max_bytes: int) -> "LongLine":
    from webapp.log.long_line import LongLine  # few agents print one

    return LongLine(max_bytes)


def incomplete_utf8(data: bytes) -> int:
    """How many bytes at the end begin a UTF-8 character that is not whole (0 to 3).

    https://datatracker.ietf.org/doc/html/rfc3629#section-3
    """
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte & 0b1100_0000 == 0b1000_0000:
            continue
        needed = 2 if 0xC2 <= byte <= 0xDF else 3 if byte & 0xF0 == 0xE0 else 4
        return back if byte >= 0xC2 and byte <= 0xF4 and needed > back else 0
    return 0
