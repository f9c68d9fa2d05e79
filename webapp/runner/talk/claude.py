"""Claude Code's control protocol: JSON lines on stdin and stdout.

    claude --output-format=stream-json --verbose --input-format=stream-json
        --permission-prompt-tool=stdio --replay-user-messages

The same as https://github.com/anthropics/claude-agent-sdk-python speaks. A message that comes
while Claude works waits here until a tool has ended, where Claude takes it into its turn, or
until the turn ends; so it can be taken back up to then.
"""

from webapp.log.dialects.normalized import list_at, object_at, text_at
from webapp.runner.talk import claude_tools
from webapp.runner.talk.conversation import Conversation
from webapp.runner.talk.messages import Message
from webapp.runner.talk.request import Decision, Request
from webapp.runner.talk.turns import MAX_FIGURE, figure

_INPUTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


class Claude(Conversation):
    """One `claude` process."""

    marks = (b'"control_', b'"result"', b'"system"', b'"isReplay"', b'"tool_result"')
    request_mark = b'"control_request"'
    word_marks = (b'"text_delta"', b'"type":"assistant"')
    environment = (("CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS", "1"), ("DISABLE_AUTOUPDATER", "1"))
    modes = ("default", "acceptEdits", "plan", "auto", "dontAsk")

    _count = 0
    _cost = 0.0
    _recalled: tuple[tuple[str, str], ...] = ()
    """Our request, and the message that it takes back."""
    _is_at_work = False
    """Whether Claude has done anything in this turn."""
    _was_replayed = False
    _repeats = False
    """Whether it repeats each message when it takes it: `--replay-user-messages`."""

    # --- to Claude ------------------------------------------------------------------------

    def begin_handshake(self) -> None:
        """A process that resumes forgets which model was chosen; its mode is in the command."""
        if isinstance(model := self.facts.get("model"), str):
            self.send_model(model)

    def send_message(self, message: Message) -> None:
        """As a user line; its uuid comes back when Claude reads it."""
        if not self._is_at_work:
            self._was_replayed = False
        text = {"role": "user", "content": message.content}
        self.send({"type": "user", "message": text, "uuid": message.id})

    def send_answer(self, request: Request, decision: Decision) -> None:
        """As the response to its control request."""
        self._respond(request.key, claude_tools.answer_of(request, decision))

    def send_interrupt(self, withdrawn: list[Request]) -> None:
        """Claude withdraws its open requests itself."""
        self._request({"subtype": "interrupt"})

    def send_mode(self, mode: str) -> None:
        """2.1.197 takes any word for a mode: ours are checked before."""
        self._request({"subtype": "set_permission_mode", "mode": mode})

    def send_model(self, model: str) -> None:
        """The next request to the model goes to this one."""
        self._request({"subtype": "set_model", "model": model})

    def recall_messages(self) -> list[str]:
        """A message in Claude's own queue would start a turn at once after an interrupt."""
        begun = self.turns.message_ids
        waiting = [message_id for message_id in self.messages.handed if message_id not in begun]
        for message_id in waiting:
            request_id = self._request(
                {"subtype": "cancel_async_message", "message_uuid": message_id}
            )
            self._recalled += ((request_id, message_id),)
        return waiting

    def _request(self, request: dict[str, object]) -> str:
        self._count += 1
        request_id = f"agent-stream-{self._count}"
        self.send({"type": "control_request", "request_id": request_id, "request": request})
        return request_id

    def _respond(self, request_id: object, response: dict[str, object]) -> None:
        answer = {"subtype": "success", "request_id": request_id, "response": response}
        self.send({"type": "control_response", "response": answer})

    # --- from Claude -----------------------------------------------------------------------

    def on_line(self, line: dict[str, object]) -> None:
        """By its type; fields may come in any order."""
        kind = line.get("type")
        if kind == "control_request":
            self._on_request(line)
        elif kind == "control_cancel_request":
            self.withdraw(line.get("request_id"))
        elif kind == "control_response":
            self._on_response(object_at(line, "response"))
        elif kind == "result":
            self._on_result(line)
        elif kind == "system":
            self._on_system(line)
        elif kind == "user":
            self._on_user(line)

    def _on_request(self, line: dict[str, object]) -> None:
        request_id, asked = line.get("request_id"), object_at(line, "request")
        if asked.get("subtype") == "can_use_tool" and isinstance(request_id, str):
            self.ask(claude_tools.request_of(request_id, asked, self.cwd))
            return
        error = f"Not supported: {asked.get('subtype')}"
        answer = {"subtype": "error", "request_id": request_id, "error": error}
        self.send({"type": "control_response", "response": answer})

    def _on_response(self, response: dict[str, object]) -> None:
        was_cancelled = object_at(response, "response").get("cancelled") is True
        for request_id, message_id in self._recalled:
            if was_cancelled and request_id == response.get("request_id"):
                self.messages.cancelled_by_agent(message_id)
        if response.get("subtype") == "error":
            text = self.redact.text(text_at(response, "error") or "")
            self.append({"type": "agent_refused", "message": text})

    def _on_system(self, line: dict[str, object]) -> None:
        subtype = line.get("subtype")
        if subtype == "init":
            self._is_at_work = True
            self._on_init(line)
            self.begin_turn()
        elif subtype == "status":
            self.note_mode(line.get("permissionMode"))
        elif subtype == "background_tasks_changed":
            self.is_busy_in_background = bool(list_at(line, "tasks"))
        elif subtype == "session_state_changed":
            is_idle = line.get("state") == "idle"
            if is_idle and self._was_replayed and not self._is_at_work:
                self.end_turn("completed")  # a message from before a crash: it is only repeated

    def _on_init(self, line: dict[str, object]) -> None:
        session_id = text_at(line, "session_id")
        if session_id is not None:
            self.began(
                session_id,
                model=text_at(line, "model"),
                mode=text_at(line, "permissionMode"),
                modes=list(self.modes),
                commands=list_at(line, "slash_commands"),
                agentVersion=text_at(line, "claude_code_version"),
            )

    def _on_user(self, line: dict[str, object]) -> None:
        if line.get("isReplay") is True:
            self._was_replayed = self._repeats = True
            self.messages.taken(str(line.get("uuid")))
        elif self.turns.is_active and not self.approvals.open and _has_tool_result(line):
            self.flush()

    def _on_result(self, line: dict[str, object]) -> None:
        errors = [text for text in list_at(line, "errors") if isinstance(text, str)]
        if self._is_lost(line, errors):
            self.lost("\n".join(errors))
            return
        for message_id in list(self.messages.handed):
            if not self._repeats or message_id in self.turns.message_ids:
                self.messages.taken(message_id)
        self._is_at_work = False
        used = object_at(line, "usage")
        counts = [count for name in _INPUTS if (count := figure(used.get(name))) is not None]
        cost, self._cost = self._cost, _cost_of(line, self._cost)
        outcome, error = _outcome_of(line, errors)
        self.end_turn(
            outcome,
            error,
            inputTokens=sum(counts) if counts else None,
            cachedInputTokens=figure(used.get("cache_read_input_tokens")),
            outputTokens=figure(used.get("output_tokens")),
            costUsd=round(max(0.0, self._cost - cost), 9),
        )

    def _is_lost(self, line: dict[str, object], errors: list[str]) -> bool:
        resumes = self.facts.get("conversationId") is not None and self.conversation_id is None
        is_error = line.get("is_error") is True and line.get("num_turns") == 0
        return resumes and is_error and bool(errors)


def _outcome_of(line: dict[str, object], errors: list[str]) -> tuple[str, str | None]:
    if (text_at(line, "terminal_reason") or "").startswith("aborted_"):
        return "interrupted", None
    if line.get("stop_reason") == "refusal":
        return "refused", text_at(line, "result")
    subtype = text_at(line, "subtype") or "success"
    if subtype != "success" or line.get("is_error") is True:
        return "failed", "\n".join(errors) or text_at(line, "result") or subtype
    return "completed", None


def _cost_of(line: dict[str, object], before: float) -> float:
    """What the process has cost so far."""
    cost = line.get("total_cost_usd")
    return float(cost) if isinstance(cost, int | float) and before <= cost < MAX_FIGURE else before


def _has_tool_result(line: dict[str, object]) -> bool:
    content = list_at(object_at(line, "message"), "content")
    return any(text_at(block, "type") == "tool_result" for block in content)
