"""Finds the lines of an agent's stdout that a protocol has to read, at little cost for others."""

import json

MAX_NESTING = 128
"""A line that nests deeper is no part of a protocol."""


class LineScanner:
    """Cuts output into lines and keeps those that hold a mark, as the agent printed them."""

    def __init__(self, marks: tuple[bytes, ...], request_mark: bytes, max_bytes: int) -> None:
        """`request_mark`: in each line that asks for something."""
        self.marks = marks
        self._request_mark = request_mark
        self._max_bytes = max_bytes
        self._pending = b""
        self._skipped = 0
        self._skips_request = False
        self.too_long: list[int] = []
        """Lengths of lines over the cap that may have been requests: nobody reads them."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next piece of output; the lines with a mark that it completes."""
        lines, newline, rest = data.rpartition(b"\n")
        if not newline:
            self._keep(rest)
            return []
        if self._skipped:
            end, _newline, lines = lines.partition(b"\n")
            self._skip(self._skipped + len(end), is_request=self._skips_request)
            self._skipped = 0
        elif self._pending:
            lines = self._pending + lines
        self._pending = b""
        self._keep(rest)
        if not any(mark in lines for mark in self.marks):
            return []
        return [line for line in lines.split(b"\n") if self._is_marked(line)]

    def _keep(self, rest: bytes) -> None:
        """Keep the beginning of a line, within the cap."""
        if self._skipped:
            self._skipped += len(rest)
            return
        self._pending += rest
        if len(self._pending) > self._max_bytes:
            self._skipped, self._skips_request = len(self._pending), self._asks(self._pending)
            self._pending = b""

    def _is_marked(self, line: bytes) -> bool:
        if not any(mark in line for mark in self.marks):
            return False
        if len(line) > self._max_bytes:
            self._skip(len(line), is_request=self._asks(line))
            return False
        return True

    def _asks(self, line: bytes) -> bool:
        return self._request_mark in line

    def _skip(self, length: int, *, is_request: bool) -> None:
        if is_request:
            self.too_long.append(length)


def read_object(line: bytes) -> dict[str, object] | None:
    """The JSON object that a line is; None for what the agent printed between its lines."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and not _is_deep(found) else None


def _is_deep(value: object, depth: int = 0) -> bool:
    """Whether an object nests deeper than an event may."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return depth > MAX_NESTING or any(_is_deep(item, depth + 1) for item in inner)
