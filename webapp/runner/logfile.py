"""The log as its one writer sees it: append whole records, survive a full disk."""

import errno
import json
import os
from time import sleep, time_ns

from webapp.log.record import format_record, prefix

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
RETRY_SECONDS = 0.5
ROOM_BYTES = 64 * 1024
"""A gap ends when there is room for this much again: otherwise the last free block of a full
disk would take one small gap after the other."""
_encode = json.JSONEncoder(separators=(",", ":")).encode
_PREFIX_BYTES = len(prefix(0, b"stdout"))


class LogFile:
    """An open, locked log. Every method leaves the file ending in a whole record."""

    def __init__(self, fd: int, max_bytes: int | None) -> None:
        self.fd = fd
        self.max_bytes = max_bytes
        self.size = os.fstat(fd).st_size
        self.is_truncated = False
        self.dropped_bytes = 0
        self._gap_bytes = 0
        self._pending: list[bytes] = []

    def append_output(self, records: bytes) -> None:
        """Append records of the agent's output.

        Over the cap, or with the disk full, output is dropped and counted: the agent is
        never held up by its log.
        """
        if self.is_truncated:
            self.dropped_bytes += _output_bytes(records)
            return
        if self.max_bytes is not None and self.size + len(records) > self.max_bytes:
            room = max(self.max_bytes - self.size, 0)
            fitting = records.rfind(b"\n", 0, room) + 1
            self._append_or_count(records[:fitting])
            self.is_truncated = True
            self.dropped_bytes += _output_bytes(records[fitting:])
            self.append_system({"type": "truncated", "maxLogBytes": self.max_bytes})
            return
        self._append_or_count(records)

    def append_input(self, records: bytes) -> bool:
        """Append what a person sent; False, and nothing is appended, while there is no room."""
        if not self._flush_pending():
            return False
        kept = self._append(records)
        if kept:
            self.append_pending(records[kept:])
        return kept > 0

    def append_pending(self, records: bytes) -> None:
        """Append records as soon as there is room for them."""
        self._pending += [line + b"\n" for line in records.split(b"\n")[:-1]]
        self._flush_pending()

    def append_system(self, content: dict[str, object], at_ns: int | None = None) -> None:
        """Append a record of the runner's own, as soon as there is room for it.

        It carries the time `at_ns`, in nanoseconds since 1970: now, unless told.
        """
        if self._gap_bytes:
            self._pending.append(_gap_record(self._gap_bytes))
            self._gap_bytes = 0
        self._pending.append(_system_record(content, time_ns() if at_ns is None else at_ns))
        self._flush_pending()

    def append_record(self, content: dict[str, object]) -> int | None:
        """Append a record of the runner's own now: where it begins; None while there is no room."""
        if not self._flush_pending():
            return None
        record = _system_record(content, time_ns())
        if self._append(record) < len(record):
            return None
        return self.size - len(record)

    def wait_for_room(self) -> None:
        """Return when all pending records are in the log."""
        while not self._flush_pending():
            sleep(RETRY_SECONDS)

    def _append_or_count(self, records: bytes) -> None:
        kept = self._append(records) if self._flush_pending() else 0
        if kept < len(records):
            dropped = _output_bytes(records[kept:])
            self._gap_bytes += dropped
            self.dropped_bytes += dropped

    def _flush_pending(self) -> bool:
        """Write the pending records, in order, and record the gap; False while there is no room."""
        while self._pending:
            record = self._pending[0]
            if self._append(record) < len(record):
                return False
            del self._pending[0]
        if self._gap_bytes:
            record = _gap_record(self._gap_bytes)
            if not self._has_room() or self._append(record) < len(record):
                return False
            self._gap_bytes = 0
        return True

    def _has_room(self) -> bool:
        """Try it: only a write finds out about quotas and limits as well as about the disk.

        Readers take nothing for a record that has no newline, and `reconcile` cuts it off.
        """
        self._look_at_size()
        written = 0
        try:
            while written < ROOM_BYTES:
                written += os.write(self.fd, b" " * (ROOM_BYTES - written))
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
        if written:
            os.ftruncate(self.fd, self.size)
        return written == ROOM_BYTES

    def _append(self, records: bytes) -> int:
        """Write whole records, as many as there is room for; the bytes that were kept.

        A reader may have passed on any whole record by now, so those stay; only a torn one
        is cut off again.
        """
        written = 0
        try:
            self._look_at_size()
            while written < len(records):
                written += os.write(self.fd, records[written:] if written else records)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            kept = records.rfind(b"\n", 0, written) + 1
            if kept < written:
                os.ftruncate(self.fd, os.fstat(self.fd).st_size - (written - kept))
            written = kept
        self.size += written
        return written

    def _look_at_size(self) -> None:
        """Where somebody has cut the log, the next record must not go on with half a one."""
        size = os.fstat(self.fd).st_size
        if size == self.size:
            return
        self.size = size
        if size and os.pread(self.fd, 1, size - 1) != b"\n":
            self.size += os.write(self.fd, b"\n")


def _output_bytes(records: bytes) -> int:
    """How much of the agent's output these records hold, give or take their newlines."""
    return len(records) - _PREFIX_BYTES * records.count(b"\n")


def _system_record(content: dict[str, object], at_ns: int) -> bytes:
    return format_record(at_ns, b"system", _encode(content).encode())


def _gap_record(gap_bytes: int) -> bytes:
    content = {"type": "gap", "bytes": gap_bytes, "reason": "no space left on device"}
    return _system_record(content, time_ns())
