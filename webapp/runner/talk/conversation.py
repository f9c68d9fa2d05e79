"""A conversation with an agent, as far as it is the same for all protocols.

Each thing that is decided here is in the log before the agent gets the bytes of it: if the
runner dies in between, the agent dies with its stdin, and nothing ran that is not in the log.
"""

from collections.abc import Callable

from webapp.runner.logfile import LogFile
from webapp.runner.spec import Spec
from webapp.runner.stdin_pipe import StdinPipe
from webapp.runner.stopping import Stopping
from webapp.runner.talk.agent_side import AgentSide
from webapp.runner.talk.approvals import MAX_OPEN, Approvals
from webapp.runner.talk.conversation_lock import InUse
from webapp.runner.talk.limits import Limits, seconds_of
from webapp.runner.talk.lines import LineScanner, read_object
from webapp.runner.talk.messages import MAX_QUEUED_BYTES, Message, Messages
from webapp.runner.talk.request import Approval, Decision, Request
from webapp.runner.talk.turns import Turns


class Conversation(AgentSide):
    """One process of an agent and the people who talk with it. A protocol is a subclass."""

    def __init__(
        self,
        spec: Spec,
        log: LogFile,
        pipe: StdinPipe,
        redact_text: Callable[[str], str],
        stopping: Stopping,
        schedule_write: Callable[[], None],
    ) -> None:
        """`schedule_write` has the session's row written soon. InUse, OSError: another session
        holds the conversation, or its lock cannot be had."""
        super().__init__(spec, log, pipe, redact_text, schedule_write)
        self._stopping = stopping
        self._scanner = LineScanner(self.marks, self.request_mark, spec.maxLineBytes)
        self.messages = Messages(self.append_now, self.redact)
        self.turns = Turns(self.append)
        self.approvals = Approvals(
            spec.sessionId,
            {
                "allow": _texts(self.facts.get("allow")),
                "deny": _texts(self.facts.get("deny")),
                "session": _texts(self.facts.get("sessionRules")),
            },
            self.append_now,
            self.append,
            self.redact,
            seconds_of(self.facts, "approvalSeconds"),
        )
        self.limits = Limits(self.facts, spec.graceSeconds)
        self.error: str | None = None
        """Why the session ends, where nobody wants it to."""
        self.ended_idle = False
        self.is_ready = not self.has_handshake
        self.is_busy_in_background = False
        self._state: str | None = None
        self._stop_status: str | None = None
        self._turn_error: str | None = None
        self._refused = 0

    # --- the session's side --------------------------------------------------------------

    def begin(self, messages: list[Message]) -> None:
        """The agent has been started: send what was written so far."""
        if not self.is_ready:
            self.limits.await_handshake()
        self.begin_handshake()
        for message in messages:
            self.accept(message)
        self.dispatch_queue()

    def feed(self, data: bytes) -> None:
        """Output of the agent, which is in the log already."""
        if self.turns.awaits_word and any(mark in data for mark in self.word_marks):
            self.turns.note_word()
        for line in self._scanner.feed(data):
            self._read(line)
        for length in self._scanner.too_long:
            self.append({"type": "request_too_long", "bytes": length})
        self._scanner.too_long.clear()

    def _read(self, line: bytes) -> None:
        found = read_object(line)
        if found is not None:
            self.on_line(found)
            self.dispatch_queue()

    def tick(self, now: float) -> None:
        """Do what is due."""
        for approval in self.approvals.expired(now):
            self._expire(approval)
        for due in self.limits.take_due(now):
            if due == "handshake":
                self.fail(f"The agent was not ready within {self.limits.handshake_seconds:g} s.")
            elif due == "turn":
                self._turn_error = f"The turn took longer than {self.limits.turn_seconds:g} s."
                self._stop_turn("timed_out", by=None)
            elif due == "stop":
                self.pipe.end()
                self._stopping.request(self._stop_status or "cancelled", interrupts=True)
            elif due == "idle":
                self.ended_idle = True
                self.pipe.end()
                self._stopping.request("succeeded", after_grace=True)
        self.dispatch_queue()

    @property
    def next_time(self) -> float | None:
        """When `tick` has something to do."""
        times = (self.approvals.next_time, self.limits.next_time)
        return min((time for time in times if time is not None), default=None)

    def agent_ended(self) -> None:
        """Close what is open: nobody will answer it, nor read it."""
        if self._stopping.status == "cancelled":
            self.end_turn("interrupted")
        else:
            self.end_turn("failed", self.error or "The agent ended in the middle of its turn.")
        self._withdraw_all()
        self.row.end()

    # --- people's side ---------------------------------------------------------------------

    def accept(self, message: Message) -> dict[str, object]:
        """A person's message; the reply to its sender."""
        if (done := self.messages.reply_to(message)) is not None:
            return done
        if not self.pipe.is_open or self._stopping.is_requested or self.error is not None:
            return {"error": "closed"}
        if self.pipe.waiting_bytes > MAX_QUEUED_BYTES:
            return {"error": "full"}
        goes_at_once = self.is_ready and (self.steers if self.is_busy else True)
        reply = self.messages.accept(message, "sent" if goes_at_once else "queued")
        self.dispatch_queue()
        return reply

    @property
    def is_busy(self) -> bool:
        """Whether the agent works, or has messages to work on."""
        return self.turns.is_active or bool(self.messages.handed or self.messages.queue)

    def answer(self, answer: dict[str, object]) -> dict[str, object]:
        """A person's answer to an approval."""
        rules = len(self.approvals.session_rules)
        reply, approval, decision = self.approvals.answer(answer)
        if approval is not None and decision is not None:
            if len(self.approvals.session_rules) > rules:
                self.row.note_rules(self.approvals.session_rules)
            self.send_answer(approval.request, decision)
            self.dispatch_queue()
        return reply

    def interrupt(self, by: str | None) -> dict[str, object]:
        """End the turn, not the session; messages that wait are cancelled."""
        cancelled = [message.id for message in self.messages.queue]
        for message_id in cancelled:
            self.messages.cancel(message_id)
        was_active = self.turns.is_active
        if was_active:
            cancelled += self.recall_messages()
            self._stop_turn("cancelled", by=by)
        self.dispatch_queue()
        return {"interrupted": was_active, "cancelled": cancelled}

    # --- for protocols -----------------------------------------------------------------------

    def watch(self, marks: tuple[bytes, ...]) -> None:
        """Read lines with these marks from now on."""
        self._scanner.marks = marks

    def ready(self) -> None:
        """The handshake is done."""
        self.is_ready = True
        self.limits.handshake_done()

    def began(self, conversation_id: str, **facts: object) -> None:
        """The agent says which conversation this is. The session ends if another has it already."""
        super().began(conversation_id, **facts)
        try:
            self.hold(conversation_id)
        except (InUse, OSError) as error:
            self.fail(str(error))

    def lost(self, error: str) -> None:
        """The agent does not know the conversation that it is to go on with."""
        conversation_id = str(self.facts.get("conversationId"))
        record = {"conversationId": conversation_id, "error": self.redact.text(error)}
        self.append({"type": "conversation_lost", **record})
        self.fail(f"The agent does not know conversation {conversation_id} any more.")

    def fail(self, error: str) -> None:
        """End the session: it cannot go on."""
        if self.error is None:
            self.error = self.redact.text(error)
            self.pipe.end()
            self._stopping.request("failed", after_grace=True)

    def begin_turn(self) -> None:
        """The agent works. It may do so unasked, when something in its background has ended."""
        if not self.turns.is_active:
            self.turns.begin(list(self.messages.handed))
            self.approvals.denied = 0
            self.limits.turn_began()

    def end_turn(self, outcome: str, error: str | None = None, **figures: object) -> None:
        """The agent rests."""
        if self.turns.is_active:
            self._withdraw_all()
            self.limits.turn_ended()
            error = self._turn_error or (None if error is None else self.redact.text(error))
            self._turn_error = None
            self.turns.end(outcome, error, denied=self.approvals.denied, **figures)

    def ask(self, request: Request) -> None:
        """The agent asks for something; a rule may answer at once."""
        self.withdraw(request.key)
        if len(self.approvals.open) >= MAX_OPEN:
            self._refuse(request)
            return
        decision = self.approvals.ask(request, self.turns.number)
        if decision is not None:
            self.send_answer(request, decision)

    def withdraw(self, key: object) -> None:
        """The agent takes a request back, or asks for another by the same id."""
        if (approval := self.approvals.find(key)) is not None:
            self.approvals.withdraw(approval)

    def flush(self) -> None:
        """Hand over all that waits: the agent takes it into its turn."""
        while self.messages.queue and self.is_ready:
            self.send_message(self.messages.hand_over())

    def dispatch_queue(self) -> None:
        """After anything: hand over what may go, and say what the state is now."""
        if self.messages.queue and self.is_ready and self.error is None:
            if self.turns.is_active:
                if self.steers:
                    self.flush()
            elif not self.messages.handed:
                message = self.messages.hand_over()
                self.begin_turn()
                self._note_state()
                self.send_message(message)
        self._note_state()

    # --- steps -------------------------------------------------------------------------------

    def _note_state(self) -> None:
        is_idle = not self.is_busy
        state = "waiting" if self.approvals.open else "idle" if is_idle else "working"
        if state != self._state and self.error is None:
            self._state = state
            self.append({"type": "state", "state": state})
        self.limits.note_idle(
            is_idle=is_idle
            and self.is_ready
            and not self.is_busy_in_background
            and not self.ended_idle
        )

    def _stop_turn(self, status: str, by: str | None) -> None:
        self._stop_status = status
        withdrawn = list(self.approvals.open.values())
        self._withdraw_all(by)
        self.send_interrupt([approval.request for approval in withdrawn])
        self.limits.await_end_of_turn()

    def _withdraw_all(self, by: str | None = None) -> None:
        for approval in list(self.approvals.open.values()):
            self.approvals.withdraw(approval, by)

    def _expire(self, approval: Approval) -> None:
        option = approval.request.denial
        seconds = seconds_of(self.facts, "approvalSeconds") or 0
        decision = Decision(option, message=f"Nobody answered within {seconds:g} s.")
        if self.approvals.resolve(approval, "expired", decision) is not None:
            self.send_answer(approval.request, decision)

    def _refuse(self, request: Request) -> None:
        """An agent that floods its runner with requests gets a deny for each."""
        if self._refused == 0:
            self.append({"type": "approvals_refused", "maximum": MAX_OPEN})
        self._refused += 1
        self.send_answer(request, Decision(request.denial, message="Too many requests are open."))


def _texts(value: object) -> list[str]:
    return [str(text) for text in value] if isinstance(value, list) else []
