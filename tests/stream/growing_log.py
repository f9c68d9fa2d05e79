"""A log that grows under a viewer's eyes."""

import os
from pathlib import Path

from webapp.log import lock
from webapp.log.record import format_record

DONE = b'{"type":"done","exitCode":0,"signal":null,"status":"succeeded"}'
BY_ROW: dict[str, object] = {"exitCode": None, "signal": None, "status": "lost"}


class GrowingLog:
    """A log and its one writer, which holds the lock as a runner does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        assert lock.acquire(self.fd)

    def say(self, text: str, tag: bytes = b"F", stream: bytes = b"stdout") -> int:
        """Append a record; the log's size then."""
        os.write(self.fd, format_record(1, stream, text.encode(), tag))
        return os.fstat(self.fd).st_size

    def end(self) -> int:
        """Append the `done`; the log's size then."""
        os.write(self.fd, format_record(2, b"system", DONE))
        return os.fstat(self.fd).st_size

    def die(self) -> None:
        """Let go of the lock, as a killed runner does."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
