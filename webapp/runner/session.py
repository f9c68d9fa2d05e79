"""One session from start to end: the loop that the runner is."""

import _signal as signal
import fcntl
import os
import select
from time import monotonic, time_ns

from webapp import prctl
from webapp.log.answer import read_answer
from webapp.log.dialects import dialect_named
from webapp.log.redact import Redactor
from webapp.log.usage import UsageRow, read_usage
from webapp.runner import row
from webapp.runner.agent import (
    StartError,
    has_exited,
    open_message,
    reap,
    start_agent,
)
from webapp.runner.background import Background
from webapp.runner.control import ControlSocket
from webapp.runner.gate import MARK, satisfies_gate
from webapp.runner.input_desk import InputDesk
from webapp.runner.logfile import LogFile
from webapp.runner.pump import QUIET_SECONDS, Pump
from webapp.runner.spec import Spec

READ_BYTES = 64 * 1024
PIPE_BYTES = 1 << 20
START_WRITE_SECONDS = 0.02
"""A session that ends sooner is written to its row once, start and end together."""
DRAIN_SECONDS = 2.0
"""How long output may still come after the agent has ended: a child may hold the pipe."""


class Session:
    """The state of the one session that this process runs."""

    def __init__(self, spec: Spec, log_fd: int, secrets: list[bytes]) -> None:
        self.spec = spec
        self.secrets = secrets
        self.log = LogFile(log_fd, spec.maxLogBytes)
        self.pumps: dict[int, Pump] = {}
        self.quiet_at: dict[int, float] = {}
        self.input: InputDesk | None = None
        self.poll = select.poll()
        self.control = ControlSocket(self.poll)
        self.wake_fd = -1

        self.pid: int | None = None
        self.background: Background | None = None
        self.start_error: str | None = None
        self.started_at_ns = 0
        self.gate_satisfied_at: str | None = None
        self.write_at: float | None = None
        self.writer: int | None = None
        self.ended_without_newline: list[str] = []

        self.should_cancel = False
        self.should_kill = False
        self.stop_status: str | None = None
        self.give_up_at: float | None = None
        self.kill_at: float | None = None
        self.drain_until: float | None = None

    # --- phases ---------------------------------------------------------------------

    def start(self, message: str | None, stdin_fd: int | None = None) -> None:
        """Start the agent, with `message` to read on its stdin; or find out why it can't be.

        `stdin_fd`: what it reads instead, closed here when it has its own.
        """
        self._listen_to_signals()
        try:
            self._start_agent(message, stdin_fd)
        except StartError as error:
            self.start_error = self.redact_text(str(error))
        self._record_session()
        if self.input is not None:
            self.input.record_message()
        self.write_at = monotonic() + START_WRITE_SECONDS

    def run(self) -> None:
        """Record what the agent prints, and how it ended."""
        if self.start_error is not None:
            self._finish(None, None, self.start_error)
            return
        self._main_loop()
        exit_code, exit_signal = self._end_agent()
        self._finish(exit_code, exit_signal, None)

    def _listen_to_signals(self) -> None:
        self.wake_fd, write_fd = os.pipe()
        os.set_blocking(self.wake_fd, False)
        os.set_blocking(write_fd, False)
        signal.set_wakeup_fd(write_fd, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.signal(signal.SIGTERM, self._on_terminate)
        self.poll.register(self.wake_fd, select.POLLIN)

    def _on_terminate(self, _number: int, _frame: object) -> None:
        self.should_cancel = True

    def _start_agent(self, message: str | None, stdin_fd: int | None) -> None:
        prctl.adopt_orphans()
        out_read, out_write = os.pipe()
        error_read, error_write = os.pipe()
        if stdin_fd is None:
            stdin_fd = self._open_stdin(message)
        try:
            self.started_at_ns = time_ns()
            self.pid = self._start(stdin_fd, out_write, error_write)
        finally:
            os.close(stdin_fd)
            os.close(out_write)
            os.close(error_write)

        self.background = Background(
            self.pid, self.redact_text, may_live_on=self.spec.leaveBackground
        )
        if self.spec.maxSeconds is not None:
            self.give_up_at = monotonic() + self.spec.maxSeconds
        for fd, stream in ((out_read, b"stdout"), (error_read, b"stderr")):
            self._open_pump(fd, stream)

    def _start(self, *fds: int) -> int:
        if self.spec.runAs is None:
            return start_agent(self.spec, *fds)
        from webapp.runner.as_user import start_agent_as

        return start_agent_as(self.spec.runAs, self.spec, *fds)

    def _open_stdin(self, message: str | None) -> int:
        if not self.spec.takesInput:
            return open_message(message)
        self.input = InputDesk(self.log, self.poll, self._new_redactor())
        return self.input.open(message)

    def _open_pump(self, fd: int, stream: bytes) -> None:
        os.set_blocking(fd, False)
        try:
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        except OSError:
            pass  # the user's pipe-user-pages-soft is used up: a smaller pipe does as well
        mark = MARK if self.spec.hasAgentGate and stream == b"stdout" else None
        self.pumps[fd] = Pump(stream, self.spec.maxLineBytes, self._new_redactor(), mark)
        self.poll.register(fd, select.POLLIN)

    def _main_loop(self) -> None:
        """Until the agent has ended and its pipes are empty."""
        assert self.pid is not None
        agent_lives = True
        while agent_lives or self.pumps:
            for fd, event in self.poll.poll(self._timeout_ms()):
                if fd in self.pumps:
                    self._read(fd)
                elif fd == self.wake_fd:
                    os.read(fd, 4096)
                    self._reap_children()
                elif self.control.has(fd):
                    self.control.serve(
                        fd,
                        {"cancel": self._cancel, "kill": self._kill, "input": self._take_input},
                    )
                elif self.input is not None and fd == self.input.fd:
                    self.input.on_event(event)

            now = monotonic()
            self.control.drop_late(now)
            self._show_quiet_lines(now)
            if self._write_is_due(now):
                self.write_at = None
                self.writer = row.fork_writer(
                    self.spec, self._start_values(), self.gate_satisfied_at
                )
            if agent_lives:
                self._enforce_stop(now)
                agent_lives = not has_exited(self.pid)
                if not agent_lives:
                    self.drain_until = monotonic() + DRAIN_SECONDS
                    self.give_up_at = self.kill_at = None
                    if self.input is not None:
                        self.input.close()
            elif self.drain_until is not None and now >= self.drain_until:
                return

    def _end_agent(self) -> tuple[int | None, str | None]:
        """End what the agent left behind, take the last of its output and its exit status."""
        assert self.pid is not None
        assert self.background is not None
        self.background.end(self.writer)
        for fd in list(self.pumps):
            for _ in range(PIPE_BYTES // READ_BYTES):  # one that escaped may print for ever
                if self._read(fd) < READ_BYTES:
                    break
            if fd in self.pumps:
                self._close_pump(fd)
        for notice in self.background.notices(self.writer):
            self.log.append_system(notice)
        return reap(self.pid)

    def _finish(self, exit_code: int | None, exit_signal: str | None, error: str | None) -> None:
        """The `done` record, then the row: whoever sees the row ended finds the log whole."""
        if self.stop_status is not None:
            status = self.stop_status
        else:
            status = "succeeded" if exit_code == 0 and error is None else "failed"
        done: dict[str, object] = {
            "type": "done",
            "exitCode": exit_code,
            "signal": exit_signal,
            "status": status,
        }
        if error is not None:
            self.log.append_system({"type": "error", "message": error})
            done["error"] = error
        if self.ended_without_newline:
            done["noNewline"] = self.ended_without_newline
        if self.log.dropped_bytes:
            done["droppedBytes"] = self.log.dropped_bytes
        ended_at_ns = time_ns()
        self.log.append_system(done, ended_at_ns)  # the row can be made again from the log
        self.log.wait_for_room()

        if self.writer is not None:
            os.kill(self.writer, signal.SIGKILL)  # the end holds all that it would write
            self._reap_writer(0)
        answer, usage = self._read_summary()
        row.write_end(
            self.spec,
            {
                **self._start_values(),
                "status": status,
                "exit_code": exit_code,
                "exit_signal": exit_signal,
                "error": error,
                "log_bytes": self.log.size,
                "ended_at": row.format_row_time(ended_at_ns),
            },
            self.gate_satisfied_at,
            answer,
            usage,
        )

    def _read_summary(self) -> tuple[str | None, UsageRow | None]:
        """What the agent said last and what it used, by its log."""

        def read(count: int, offset: int) -> bytes:
            return os.pread(self.log.fd, count, offset)

        dialect = dialect_named(self.spec.dialect, self.spec.messages)
        try:
            size = self.log.size
            return read_answer(read, size, dialect), read_usage(read, size, dialect)
        except OSError:
            return None, None  # the session ends all the same

    # --- steps ----------------------------------------------------------------------

    def _record_session(self) -> None:
        spec = self.spec
        self.log.append_system(
            {
                "type": "session",
                "sessionId": spec.sessionId,
                "workflowId": spec.workflowId,
                "stageIndex": spec.stageIndex,
                "agent": spec.agent,
                **({} if spec.dialect is None else {"dialect": spec.dialect}),
                **({} if spec.messages is None else {"messages": spec.messages}),
                "pid": self.pid,
                "startedAt": row.format_row_time(self.started_at_ns),
                "runnerPid": os.getpid(),
                "host": spec.host,
                "argv": [self.redact_text(argument) for argument in spec.argv],
                "cwd": self.redact_text(spec.cwd),
                "takesInput": spec.takesInput,
                "createdAt": spec.createdAt,
                "workflow": spec.workflow,
            }
        )

    def _start_values(self) -> dict[str, object]:
        return {
            "pid": self.pid,
            "runner_pid": os.getpid(),
            "started_at": row.format_row_time(self.started_at_ns),
        }

    def _read(self, fd: int) -> int:
        """One read from a pipe into the log; the bytes read, 0 at its end or when it is empty."""
        pump = self.pumps[fd]
        try:
            data = os.read(fd, READ_BYTES)
        except BlockingIOError:
            return 0
        if not data:
            self._close_pump(fd)
            return 0

        records = pump.feed(data, time_ns())
        if records:
            self.log.append_output(records)
        if pump.marked:
            self._look_for_gate(pump)
        if pump.is_waiting:
            self.quiet_at[fd] = monotonic() + QUIET_SECONDS
        else:
            self.quiet_at.pop(fd, None)
        return len(data)

    def _close_pump(self, fd: int) -> None:
        pump = self.pumps.pop(fd)
        self.quiet_at.pop(fd, None)
        self.poll.unregister(fd)
        os.close(fd)
        records = pump.finish(time_ns())
        if records:
            self.log.append_output(records)
        if pump.marked:
            self._look_for_gate(pump)
        if pump.ended_without_newline:
            self.ended_without_newline.append(pump.stream.decode())

    def _look_for_gate(self, pump: Pump) -> None:
        """Have the gate opened if one of the marked lines says so; once is enough."""
        marked, pump.marked = pump.marked, []
        if any(map(satisfies_gate, marked)):
            pump.mark = None
            self.gate_satisfied_at = row.format_row_time(time_ns())
            self.write_at = monotonic()

    def _write_is_due(self, now: float) -> bool:
        return self.writer is None and self.write_at is not None and now >= self.write_at

    def _show_quiet_lines(self, now: float) -> None:
        for fd, quiet_at in list(self.quiet_at.items()):
            if now >= quiet_at:
                del self.quiet_at[fd]
                pump = self.pumps[fd]
                pump.release()
                if pump.is_showable:
                    self.log.append_output(pump.show_pending(time_ns()))

    def _timeout_ms(self) -> int:
        """Until the next thing that has to happen without anybody's doing."""
        times = [self.give_up_at, self.kill_at, self.drain_until, self.control.drop_at]
        if self.writer is None:  # else its end will wake us
            times.append(self.write_at)
        times += self.quiet_at.values()
        upcoming = [time for time in times if time is not None]
        if not upcoming:
            return 60_000
        return max(0, min(60_000, int((min(upcoming) - monotonic()) * 1000) + 1))

    def _new_redactor(self) -> Redactor:
        return Redactor(self.secrets, keys=self.spec.redactKeys)

    def redact_text(self, text: str) -> str:
        """A text of ours without the secrets that it may repeat."""
        data = text.encode("utf-8", "surrogateescape")
        return self._new_redactor().redact(data).decode("utf-8", "surrogateescape")

    def _cancel(self, _request: dict[str, object]) -> None:
        self.should_cancel = True

    def _kill(self, _request: dict[str, object]) -> None:
        self.should_cancel = self.should_kill = True

    def _take_input(self, request: dict[str, object]) -> str | None:
        return "no input" if self.input is None else self.input.take(request)

    def _enforce_stop(self, now: float) -> None:
        """Terminate an agent that was cancelled or ran out of time; later, kill it."""
        assert self.background is not None
        if self.stop_status is None:
            if self.should_cancel:
                self._terminate("cancelled", now)
            elif self.give_up_at is not None and now >= self.give_up_at:
                self._terminate("timed_out", now)
        if self.kill_at is not None and (self.should_kill or now >= self.kill_at):
            self.kill_at = None
            self.background.signal(signal.SIGKILL, self.writer)

    def _terminate(self, status: str, now: float) -> None:
        assert self.background is not None
        self.stop_status = status
        self.give_up_at = None
        self.kill_at = now + self.spec.graceSeconds
        self.background.signal(signal.SIGTERM, self.writer)
        notice: dict[str, object] = {"type": "terminating", "status": status}
        if status == "timed_out":
            notice["maxSeconds"] = self.spec.maxSeconds
        notice["graceSeconds"] = self.spec.graceSeconds
        self.log.append_system(notice)

    def _reap_children(self) -> None:
        """The writer, and what the runner has adopted; the ended agent stays to the end."""
        self._reap_writer(os.WNOHANG)
        options = os.WEXITED | os.WNOHANG
        while (child := os.waitid(os.P_ALL, 0, options | os.WNOWAIT)) is not None:
            if child.si_pid in (self.pid, self.writer):
                return
            os.waitid(os.P_PID, child.si_pid, options)

    def _reap_writer(self, options: int) -> None:
        if self.writer is not None:
            pid, _status = os.waitpid(self.writer, options)
            if pid:
                self.writer = None
