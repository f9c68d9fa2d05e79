"""What a person sends to a live agent: recorded in its log, then written to its stdin."""

import os
import select
from time import time_ns

from webapp.log.record import FULL, format_record
from webapp.log.redact import Redactor
from webapp.runner.logfile import LogFile

MAX_WAITING_BYTES = 1 << 20
"""Input that the agent has not read yet; more is refused. The first message may be longer."""
MAX_KEYS = 10_000
"""Keys that are remembered, the newest ones: what comes twice, comes soon."""


class AgentInput:
    """The writing end of the agent's stdin. Never blocks, and never fails if nobody reads."""

    def __init__(self, log: LogFile, poll: select.poll, redactor: Redactor) -> None:
        self._log = log
        self._redactor = redactor
        self._poll = poll
        self.fd = -1
        self._waiting = bytearray()
        self._should_end = False
        self._taken: dict[str, int] = {}

    def open(self, message: str | None) -> int:
        """Make the pipe, with the message as the first of the input: the end for the agent."""
        read_fd, self.fd = os.pipe()
        os.set_blocking(self.fd, False)
        if message:
            self._waiting += _as_lines(message)
        return read_fd

    def record_message(self) -> None:
        """Begin: the first message stands in the log, as all that the agent reads here does."""
        if self._waiting:
            self._log.append_owed(self._format(bytes(self._waiting)))
        if self.fd >= 0:
            self._poll.register(self.fd, 0)
            self.write()

    def take(self, request: dict[str, object]) -> str | None:
        """Record and pass on; None, or why not. The same key again is done already."""
        content, key, is_last = request.get("content"), request.get("key"), request.get("end")
        if not isinstance(content, str):
            return "no content"
        if isinstance(key, str) and key in self._taken:
            return None if self._taken[key] == hash(content) else "other content"
        if self.fd < 0 or self._should_end:
            return "closed"

        data = _as_lines(content)
        if len(self._waiting) + len(data) > MAX_WAITING_BYTES:
            return "full"
        if data and not self._log.append_input(self._format(data)):
            return "no room"
        if isinstance(key, str):
            self._remember(key, content)
        if is_last is True:
            self._should_end = True
            self._log.append_system({"type": "input_ended"})
        self._waiting += data
        self.write()
        return None

    def on_event(self, event: int) -> None:
        """Go on where the pipe has room again, or nobody reads it any more."""
        if event & (select.POLLERR | select.POLLHUP):
            self.close()
        else:
            self.write()

    def write(self) -> None:
        """Write what the pipe takes. Closes it when all is done or nobody reads it."""
        try:
            while self._waiting:
                del self._waiting[: os.write(self.fd, self._waiting)]
        except BlockingIOError:
            self._poll.modify(self.fd, select.POLLOUT)
            return
        except OSError:  # EPIPE: the agent has closed its end
            self.close()
            return
        if self._should_end:
            self.close()
        else:
            self._poll.modify(self.fd, 0)

    def close(self) -> None:
        """Let go of the pipe, with what still waits."""
        if self.fd >= 0:
            self._poll.unregister(self.fd)
            os.close(self.fd)
            self.fd = -1
        self._waiting.clear()

    def _format(self, data: bytes) -> bytes:
        """A record for each line of the data, which ends with a newline; without secrets."""
        now = time_ns()
        lines = self._redactor.redact(data)[:-1].split(b"\n")
        return b"".join(format_record(now, b"stdin", line, FULL) for line in lines)

    def _remember(self, key: str, content: str) -> None:
        self._taken[key] = hash(content)
        if len(self._taken) > MAX_KEYS:
            del self._taken[next(iter(self._taken))]


def _as_lines(content: str) -> bytes:
    """As an agent reads it: with a newline at its end, as from a terminal."""
    data = content.encode()
    return data if data.endswith(b"\n") or not data else data + b"\n"
