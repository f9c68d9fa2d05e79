"""What the agent prints: read from its two pipes, written to the log."""

import fcntl
import os
import select
from collections.abc import Callable
from time import monotonic, time_ns

from webapp.log.redact import Redactor
from webapp.runner.gate import MARK, satisfies_gate
from webapp.runner.logfile import LogFile
from webapp.runner.pump import Pump
from webapp.runner.spec import Spec

READ_BYTES = 64 * 1024
PIPE_BYTES = 1 << 20


class AgentOutput:
    """The reading ends of the agent's stdout and stderr, each with its pump."""

    def __init__(
        self,
        spec: Spec,
        log: LogFile,
        poll: select.poll,
        new_redactor: Callable[[], Redactor],
        on_gate: Callable[[], None],
    ) -> None:
        """`on_gate` is called once, when the agent says that its stage's gate is satisfied."""
        self._spec = spec
        self._log = log
        self._poll = poll
        self._new_redactor = new_redactor
        self._on_gate = on_gate
        self._pumps: dict[int, Pump] = {}
        self.ended_without_newline: list[str] = []
        self.listeners: dict[bytes, Callable[[bytes], None]] = {}
        """By the stream: what gets all that comes, as it came, once it is in the log."""
        self.filters: dict[bytes, Callable[[bytes, bool], bytes]] = {}
        """By the stream: what gives back the part of it that belongs into the log; the flag
        says that nothing more comes."""

    def open(self, fd: int, stream: bytes) -> None:
        """Read from a pipe from now on."""
        os.set_blocking(fd, False)
        try:
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        except OSError:
            pass  # the user's pipe-user-pages-soft is used up: a smaller pipe does as well
        mark = MARK if self._spec.hasAgentGate and stream == b"stdout" else None
        self._pumps[fd] = Pump(
            stream,
            self._spec.maxLineBytes,
            self._new_redactor(),
            mark,
            self._spec.maxEventBytes,
        )
        self._poll.register(fd, select.POLLIN)

    @property
    def is_open(self) -> bool:
        """Whether one of the pipes may still bring something."""
        return bool(self._pumps)

    def has(self, fd: int) -> bool:
        """Whether a descriptor that the poll names is one of these."""
        return fd in self._pumps

    def read(self, fd: int) -> int:
        """One read from a pipe into the log; the bytes read, 0 at its end or when it is empty."""
        pump = self._pumps[fd]
        try:
            data = os.read(fd, READ_BYTES)
        except BlockingIOError:
            return 0
        if not data:
            self._close(fd)
            return 0

        kept = self._filtered(pump, data)
        records = pump.feed(kept, time_ns()) if kept else b""
        if records:
            self._log.append_output(records)
        if pump.marked:
            self._look_for_gate(pump)
        if pump.stream in self.listeners:
            self.listeners[pump.stream](data)
        pump.schedule(monotonic())
        return len(data)

    def _filtered(self, pump: Pump, data: bytes, *, is_end: bool = False) -> bytes:
        keep = self.filters.get(pump.stream)
        return data if keep is None else keep(data, is_end)

    def show_unfinished(self, now: float) -> None:
        """Show what is there of lines that wait for their newline: prompts, tokens of a text."""
        for pump in self._pumps.values():
            if pump.show_at is not None and now >= pump.show_at:
                records = pump.show(now, time_ns())
                if records:
                    self._log.append_output(records)

    @property
    def next_time(self) -> float | None:
        """When `show_unfinished` has something to do."""
        times = (pump.show_at for pump in self._pumps.values())
        return min((time for time in times if time is not None), default=None)

    def drain(self) -> None:
        """Take what is left in the pipes, once all that the runner may end has ended."""
        for fd in list(self._pumps):
            for _ in range(PIPE_BYTES // READ_BYTES):  # one that escaped may print for ever
                if self.read(fd) < READ_BYTES:
                    break
            if fd in self._pumps:
                self._close(fd)

    def _close(self, fd: int) -> None:
        pump = self._pumps.pop(fd)
        self._poll.unregister(fd)
        os.close(fd)
        records = pump.feed(self._filtered(pump, b"", is_end=True), time_ns())
        records += pump.finish(time_ns())
        if records:
            self._log.append_output(records)
        if pump.marked:
            self._look_for_gate(pump)
        if pump.ended_without_newline:
            self.ended_without_newline.append(pump.stream.decode())

    def _look_for_gate(self, pump: Pump) -> None:
        """Have the gate opened if one of the marked lines says so; once is enough."""
        marked, pump.marked = pump.marked, []
        if any(map(satisfies_gate, marked)):
            pump.mark = None
            self._on_gate()
