"""One session from start to end: the loop that the runner is."""

import os
import select
import signal
from collections.abc import Callable
from time import monotonic, time_ns

from webapp import prctl
from webapp.log.answer import read_answer
from webapp.log.dialects import dialect_named
from webapp.log.redact import Redactor
from webapp.log.system_records import done_record, session_record
from webapp.log.usage import UsageRow, read_usage
from webapp.runner import row
from webapp.runner.agent import StartError, has_exited, open_message, reap, start_agent
from webapp.runner.agent_input import AgentInput
from webapp.runner.background import Background
from webapp.runner.control import ControlSocket
from webapp.runner.logfile import LogFile
from webapp.runner.output import AgentOutput
from webapp.runner.row_writer import RowWriter
from webapp.runner.spec import Spec
from webapp.runner.stdin_pipe import StdinPipe
from webapp.runner.stopping import Stopping
from webapp.runner.talk.conversation import Conversation
from webapp.runner.talk.one_shot import OneShot
from webapp.runner.talk.opening import first_messages, open_conversation
from webapp.runner.talk.requests import handlers
from webapp.runner.turn_snapshots import TurnSnapshots

DRAIN_SECONDS = 2.0
"""How long output may still come after the agent has ended: a child may hold the pipe."""


class Session:
    """The state of the one session that this process runs."""

    def __init__(self, spec: Spec, log_fd: int, secrets: list[bytes]) -> None:
        self.spec = spec
        self.secrets = secrets
        self._redactor = self._new_redactor()
        self.log = LogFile(log_fd, spec.maxLogBytes)
        self.pipe: StdinPipe | None = None
        self.input: AgentInput | None = None
        self.talk: Conversation | None = None
        self.poll = select.poll()
        self.control = ControlSocket(self.poll)
        self.wake_fd = -1
        self.output = AgentOutput(spec, self.log, self.poll, self._new_redactor, self._open_gate)
        self.stopping = Stopping(spec, self.log)
        self.row = RowWriter(spec)
        self.snapshots = TurnSnapshots()

        self.pid: int | None = None
        self.background: Background | None = None
        self.start_error: str | None = None
        self.handlers: dict[str, Callable[[dict[str, object]], object]] = {
            "cancel": self._cancel,
            "kill": self._kill,
            "input": self._take_input,
            **handlers(None),
        }
        self.started_at_ns = 0
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
            self.input.begin(message)
        if self.talk is not None and self.start_error is None:
            self.handlers = {**self.handlers, **handlers(self.talk)}
            self.talk.begin(first_messages(message))
        self.row.schedule()

    def run(self) -> None:
        """Record what the agent prints, and how it ended."""
        if self.start_error is not None:
            self._finish(None, None, self.start_error)
            return
        self._main_loop()
        exit_code, exit_signal = self._end_agent()
        self._finish(exit_code, exit_signal, None if self.talk is None else self.talk.error)

    def _listen_to_signals(self) -> None:
        self.wake_fd, write_fd = os.pipe()
        os.set_blocking(self.wake_fd, False)
        os.set_blocking(write_fd, False)
        signal.set_wakeup_fd(write_fd, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.signal(signal.SIGTERM, self._on_terminate)
        self.poll.register(self.wake_fd, select.POLLIN)

    def _on_terminate(self, _number: int, _frame: object) -> None:
        self.stopping.should_cancel = True

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
        if self.spec.remembers is not None:
            self._remember(self.spec.remembers.get("conversationId"))
        self.stopping.start(monotonic())
        self.output.open(out_read, b"stdout")
        self.output.open(error_read, b"stderr")

    def _start(self, *fds: int) -> int:
        if self.spec.runAs is None:
            return start_agent(self.spec, *fds)
        from webapp.runner.as_user import start_agent_as

        return start_agent_as(self.spec.runAs, self.spec, *fds)

    def _open_stdin(self, message: str | None) -> int:
        if not self.spec.takesInput:
            return open_message(message)
        self.pipe = StdinPipe(self.poll)
        if self.spec.talk is None:
            self.input = AgentInput(self.log, self.pipe, self._new_redactor())
        else:
            self.talk = open_conversation(
                self.spec, self.log, self.pipe, self.redact_text, self.stopping, self.row.schedule
            )
            self.row.take_talk = self.talk.row.take
            self.output.listeners = {b"stdout": self.talk.feed}
            self.output.filters = {b"stdout": self.talk.without_history}
        return self.pipe.agent_fd

    def _remember(self, resumed: object) -> None:
        """Have the row hold which conversation an agent of one message is in."""
        one_shot = OneShot(
            dialect_named(self.spec.dialect, self.spec.messages),
            resumed if isinstance(resumed, str) else None,
            self.spec.maxLineBytes,
            self.log.append_system,
            self.row.schedule,
        )
        self.row.take_talk = one_shot.take
        self.output.listeners = {b"stdout": one_shot.feed, b"stderr": one_shot.feed_stderr}

    def _main_loop(self) -> None:
        """Until the agent has ended and its pipes are empty."""
        assert self.pid is not None
        agent_lives = True
        while agent_lives or self.output.is_open:
            for fd, event in self.poll.poll(self._timeout_ms()):
                self._serve(fd, event)

            now = monotonic()
            self.control.drop_late(now)
            self.output.show_unfinished(now)
            if agent_lives:
                if self.talk is not None:
                    self.talk.tick(now)
                    self.snapshots.note(self.talk.turns.ended)
                self._enforce_stop(now)
                agent_lives = not has_exited(self.pid)
                if not agent_lives:
                    self.drain_until = monotonic() + DRAIN_SECONDS
                    self.stopping.finish()
                    if self.pipe is not None:
                        self.pipe.close()
            elif self.drain_until is not None and now >= self.drain_until:
                return
            self.row.write_if_due(now, self._start_values())

    def _serve(self, fd: int, event: int) -> None:
        """Do what a descriptor that the poll names asks for."""
        if self.output.has(fd):
            self.output.read(fd)
        elif fd == self.wake_fd:
            os.read(fd, 4096)
            self._reap_children()
        elif self.control.has(fd):
            self.control.serve(fd, self.handlers)
        elif self.pipe is not None and fd == self.pipe.fd:
            self.pipe.on_event(event)

    def _end_agent(self) -> tuple[int | None, str | None]:
        """End what the agent left behind, take the last of its output and its exit status."""
        assert self.pid is not None
        assert self.background is not None
        self.background.end(self._own_children)
        self.output.drain()
        for notice in self.background.notices(self._own_children):
            self.log.append_system(notice)
        if self.talk is not None:
            self.talk.agent_ended()
        self.snapshots.finish(1 if self.talk is None else self.talk.turns.ended)
        return reap(self.pid)

    def _finish(self, exit_code: int | None, exit_signal: str | None, error: str | None) -> None:
        """The `done` record, then the row: whoever sees the row ended finds the log whole."""
        ended_idle = self.talk is not None and self.talk.ended_idle
        if self.stopping.status is not None:
            status = self.stopping.status
        elif ended_idle:
            status = "succeeded"
        else:
            status = "succeeded" if exit_code == 0 and error is None else "failed"
        if error is not None:
            self.log.append_system({"type": "error", "message": error})
        done = done_record(
            status,
            exit_code,
            exit_signal,
            error,
            noNewline=self.output.ended_without_newline,
            droppedBytes=self.log.dropped_bytes,
            idle=ended_idle,
        )
        ended_at_ns = time_ns()
        self.log.append_system(done, ended_at_ns)  # the row can be made again from the log
        self.log.wait_for_room()

        answer, usage = self._read_summary()
        self.row.write_end(
            {
                **self._start_values(),
                "status": status,
                "exit_code": exit_code,
                "exit_signal": exit_signal,
                "error": error,
                "log_bytes": self.log.size,
                "ended_at": row.format_row_time(ended_at_ns),
            },
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
            session_record(
                session_id=spec.sessionId,
                workflow_id=spec.workflowId,
                stage_index=spec.stageIndex,
                agent=spec.agent,
                dialect=spec.dialect,
                messages=spec.messages,
                pid=self.pid,
                started_at=row.format_row_time(self.started_at_ns),
                runner_pid=os.getpid(),
                host=spec.host,
                argv=[self.redact_text(argument) for argument in spec.argv],
                cwd=self.redact_text(spec.cwd),
                takes_input=spec.takesInput,
                created_at=spec.createdAt,
                workflow=spec.workflow,
                **self._conversation_facts(),
            )
        )

    def _conversation_facts(self) -> dict[str, object]:
        """What its log needs to say of what it goes on with."""
        if self.spec.talk is None:
            return {"resumedFrom": (self.spec.remembers or {}).get("resumedFrom")}
        rules = self.spec.talk.get("sessionRules")
        return {
            "talk": self.spec.talk["protocol"],
            "resumedFrom": self.spec.talk.get("resumedFrom"),
            "sessionRules": [self.redact_text(str(rule)) for rule in rules]
            if isinstance(rules, list)
            else None,
        }

    def _start_values(self) -> dict[str, object]:
        return {
            "pid": self.pid,
            "runner_pid": os.getpid(),
            "started_at": row.format_row_time(self.started_at_ns),
        }

    def _open_gate(self) -> None:
        """Have the gate of the stage opened in the database, as the agent says."""
        self.row.gate_satisfied_at = row.format_row_time(time_ns())
        self.row.schedule(0)

    def _timeout_ms(self) -> int:
        """Until the next thing that has to happen without anybody's doing."""
        times = [
            *self.stopping.times,
            self.drain_until,
            self.control.drop_at,
            self.row.next_time,
            self.output.next_time,
            None if self.talk is None else self.talk.next_time,
        ]
        upcoming = [time for time in times if time is not None]
        if not upcoming:
            return 60_000
        return max(0, min(60_000, int((min(upcoming) - monotonic()) * 1000) + 1))

    def _new_redactor(self) -> Redactor:
        return Redactor(self.secrets, keys=self.spec.redactKeys)

    def redact_text(self, text: str) -> str:
        """A text of ours without the secrets that it may repeat."""
        data = text.encode("utf-8", "surrogateescape")
        return self._redactor.redact(data).decode("utf-8", "surrogateescape")

    def _cancel(self, _request: dict[str, object]) -> None:
        self.stopping.should_cancel = True

    def _kill(self, _request: dict[str, object]) -> None:
        self.stopping.should_cancel = self.stopping.should_kill = True

    def _take_input(self, request: dict[str, object]) -> str | None:
        return "no input" if self.input is None else self.input.take(request)

    @property
    def _own_children(self) -> tuple[int | None, ...]:
        return (self.row.pid, self.snapshots.pid)

    def _enforce_stop(self, now: float) -> None:
        """Terminate an agent that was cancelled or ran out of time; later, kill it."""
        assert self.background is not None
        if (number := self.stopping.next_signal(now)) is not None:
            self.background.signal(number, self._own_children)

    def _reap_children(self) -> None:
        """The writer, and what the runner has adopted; the ended agent stays to the end."""
        self.row.reap()
        self.snapshots.reap()
        options = os.WEXITED | os.WNOHANG
        while (child := os.waitid(os.P_ALL, 0, options | os.WNOWAIT)) is not None:
            if child.si_pid in (self.pid, *self._own_children):
                return
            os.waitid(os.P_PID, child.si_pid, options)
