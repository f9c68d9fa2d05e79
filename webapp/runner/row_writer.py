"""Keeps the session's row up to date while its agent runs, never in the agent's way."""

import os
import signal
from collections.abc import Callable
from time import monotonic

from webapp.log.usage import UsageRow
from webapp.runner import row
from webapp.runner.spec import Spec

START_WRITE_SECONDS = 0.02
"""A session that ends sooner is written to its row once, start and end together."""


class RowWriter:
    """A forked child at a time, and when the next one is due."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._write_at: float | None = None
        self.take_talk: Callable[[], row.ConversationUpdate] | None = None
        """Where the session holds a conversation: what has changed since it was written last."""
        self.gate_satisfied_at: str | None = None
        self.pid: int | None = None
        """The child that writes just now."""

    def schedule(self, seconds: float = START_WRITE_SECONDS) -> None:
        """Have the row written after some seconds, unless that is due earlier."""
        at = monotonic() + seconds
        self._write_at = at if self._write_at is None else min(at, self._write_at)

    def write_if_due(self, now: float, start: dict[str, object]) -> None:
        """Fork a writer if it is time and the last one has ended."""
        if self.pid is None and self._write_at is not None and now >= self._write_at:
            self._write_at = None
            talk = None if self.take_talk is None else self.take_talk()
            self.pid = row.fork_writer(self._spec, start, self.gate_satisfied_at, talk)

    @property
    def next_time(self) -> float | None:
        """When a write is due; None while a child writes, whose end wakes the runner."""
        return self._write_at if self.pid is None else None

    def reap(self, options: int = os.WNOHANG) -> None:
        """Notice the child's end."""
        if self.pid is not None:
            pid, _status = os.waitpid(self.pid, options)
            if pid:
                self.pid = None

    def write_end(self, end: dict[str, object], answer: str | None, usage: UsageRow | None) -> None:
        """Write the session's end, which holds all that a child may not have written yet."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
            self.reap(0)
        talk = None if self.take_talk is None else self.take_talk()
        row.write_end(self._spec, end, self.gate_satisfied_at, answer, usage, talk)
