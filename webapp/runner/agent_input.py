"""What a person sends to a live agent: recorded in its log, then written to its stdin."""

from time import time_ns

from webapp.log.record import FULL, format_record
from webapp.log.redact import Redactor
from webapp.runner.logfile import LogFile
from webapp.runner.stdin_pipe import StdinPipe

MAX_WAITING_BYTES = 1 << 20
"""Input that the agent has not read yet; more is refused. The first message may be longer."""
MAX_KEYS = 10_000
"""Keys that are remembered, the newest ones: what comes twice, comes soon."""


class AgentInput:
    """Input in plain text, line by line."""

    def __init__(self, log: LogFile, pipe: StdinPipe, redactor: Redactor) -> None:
        self._log = log
        self._pipe = pipe
        self._redactor = redactor
        self._taken: dict[str, int] = {}

    def begin(self, message: str | None) -> None:
        """Send the first message. It is in the log, as is all that the agent reads here."""
        data = _as_lines(message or "")
        if data:
            self._log.append_pending(self._format(data))
        self._pipe.send(data)

    def take(self, request: dict[str, object]) -> str | None:
        """Record and pass on; None, or why not. The same key again is done already."""
        content, key, is_last = request.get("content"), request.get("key"), request.get("end")
        if not isinstance(content, str):
            return "no content"
        if isinstance(key, str) and key in self._taken:
            return None if self._taken[key] == hash(content) else "other content"
        if not self._pipe.is_open:
            return "closed"

        data = _as_lines(content)
        if self._pipe.waiting_bytes + len(data) > MAX_WAITING_BYTES:
            return "full"
        if data and not self._log.append_input(self._format(data)):
            return "no room"
        if isinstance(key, str):
            self._remember(key, content)
        if is_last is True:
            self._log.append_system({"type": "input_ended"})
        self._pipe.send(data)
        if is_last is True:
            self._pipe.end()
        return None

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
