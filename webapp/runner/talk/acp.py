"""Any agent that speaks the Agent Client Protocol: https://agentclientprotocol.com.

Gemini, OpenCode, Goose, claude-agent-acp and others. Messages wait here until the turn ends:
some agents would cancel the turn.
"""

from webapp.log.dialects.normalized import list_at, object_at, text_at
from webapp.runner.talk import acp_requests
from webapp.runner.talk.messages import Message
from webapp.runner.talk.repeated import KINDS, UPDATE, Repeated
from webapp.runner.talk.request import Decision, Request
from webapp.runner.talk.rpc import RpcConversation, message_of
from webapp.runner.talk.turns import MAX_FIGURE, figure

_CAPABILITIES = {
    "fs": {"readTextFile": False, "writeTextFile": False},
    "terminal": False,
    "elicitation": {"form": {}},
}
_OUTCOMES = {"end_turn": "completed", "cancelled": "interrupted", "refusal": "refused"}


class Acp(RpcConversation):
    """One agent with one session of its own."""

    head = (("jsonrpc", "2.0"),)
    word_marks = (b'"agent_message_chunk"',)
    marks = (b'"id":', b'"current_mode_update"', b'"plan"', b'"cost"', b'"diff"')
    request_mark = b'"session/request_permission"'

    _repeated: Repeated | None = None
    """Where the agent loads the conversation."""
    _cost = 0.0
    _cost_before = 0.0
    _diffs: tuple[tuple[str, list[object]], ...] = ()
    """Of the tool calls of this turn: a request need not repeat them."""

    # --- to the agent ------------------------------------------------------------------

    def begin_handshake(self) -> None:
        """Say what we can, then begin a session or go on with one."""
        client = {"name": "agent-stream", "version": "0"}
        params: dict[str, object] = {
            "protocolVersion": 1,
            "clientCapabilities": _CAPABILITIES,
            "clientInfo": client,
        }
        self.call("initialize", params, self._on_initialized, self.fail_by)

    def _on_initialized(self, result: dict[str, object]) -> None:
        resumed = self.facts.get("conversationId")
        params: dict[str, object] = {"cwd": self.cwd, "mcpServers": []}
        if resumed is None:
            self.call("session/new", params, self._on_session, self.fail_by)
            return
        able = object_at(result, "agentCapabilities")
        if "resume" in object_at(able, "sessionCapabilities"):
            method = "session/resume"
        elif able.get("loadSession") is True:
            method = "session/load"
        else:
            self.lost("This agent cannot go on with a conversation of an earlier process.")
            return
        params["sessionId"] = resumed
        self.call(method, params, self._on_session, lambda error: self.lost(message_of(error)))
        if method == "session/load":
            self._repeated = Repeated(self._count, self.max_line_bytes)

    def without_history(self, data: bytes, is_end: bool) -> bytes:
        """The log of an earlier session has what is repeated by a `session/load`."""
        if self._repeated is None or self._repeated.is_over:
            return data
        return self._repeated.feed(data) + (self._repeated.finish() if is_end else b"")

    def _on_session(self, result: dict[str, object]) -> None:
        session_id = text_at(result, "sessionId") or self.facts.get("conversationId")
        if not isinstance(session_id, str):
            self.fail("The agent began no session.")
            return
        modes = object_at(result, "modes")
        found = [text_at(mode, "id") for mode in list_at(modes, "availableModes")]
        self.modes = tuple(mode for mode in found if mode is not None)
        models = object_at(result, "models")
        offered = [text_at(model, "modelId") for model in list_at(models, "availableModels")]
        self.models = tuple(model for model in offered if model is not None)
        self.began(
            session_id,
            model=text_at(models, "currentModelId"),
            mode=text_at(modes, "currentModeId"),
            modes=list(self.modes) or None,
            models=list(self.models) or None,
            repeatedLines=(None if self._repeated is None else self._repeated.lines) or None,
        )
        self._choose_first_model()

    def _choose_first_model(self) -> None:
        """A process that resumes may have forgotten which model was chosen."""
        wanted = self.facts.get("model")
        if not isinstance(wanted, str) or wanted == self.model:
            self._choose_first_mode()
            return

        def done(_result: dict[str, object]) -> None:
            self.note_model(wanted)
            self._choose_first_mode()

        def refused(error: dict[str, object]) -> None:
            self.note_error(error)
            self._choose_first_mode()

        params: dict[str, object] = {"sessionId": self.conversation_id, "modelId": wanted}
        self.call("session/set_model", params, done, refused)

    def _choose_first_mode(self) -> None:
        """An agent may begin in a mode that asks nobody: the profile's is chosen, or `default`."""
        wanted = self.facts.get("mode")
        if wanted is not None and self.modes and wanted not in self.modes:
            self.fail(f"The agent has no mode {wanted!r}, expected {', '.join(self.modes)}.")
        elif isinstance(wanted, str) and self.modes:
            self._set_first_mode(wanted)
        elif "default" in self.modes:
            self._set_first_mode("default")
        else:
            self.ready()

    def _set_first_mode(self, mode: str) -> None:
        if mode == self.mode:
            self.ready()
            return

        def done(_result: dict[str, object]) -> None:
            self.note_mode(mode)
            self.ready()

        params: dict[str, object] = {"sessionId": self.conversation_id, "modeId": mode}
        self.call("session/set_mode", params, done, self.fail_by)

    def send_message(self, message: Message) -> None:
        """As a prompt, whose result is the end of the turn."""
        self.watch((*self.marks, UPDATE))  # what it prints next shows that it has the message
        params: dict[str, object] = {
            "sessionId": self.conversation_id,
            "prompt": [{"type": "text", "text": message.content}],
        }
        self.call("session/prompt", params, self._on_end, self._on_no_end)

    def send_answer(self, request: Request, decision: Decision) -> None:
        """As the result of its request."""
        self.respond(request.key, acp_requests.result_of(request, decision))
        if decision.kind == "deny_and_stop":
            self.notify("session/cancel", {"sessionId": self.conversation_id})

    def send_interrupt(self, withdrawn: list[Request]) -> None:
        """The client itself closes the requests that were open."""
        self.notify("session/cancel", {"sessionId": self.conversation_id})
        for request in withdrawn:
            self.respond(request.key, acp_requests.cancelled(request))

    def send_mode(self, mode: str) -> None:
        """For this and all later turns."""
        params: dict[str, object] = {"sessionId": self.conversation_id, "modeId": mode}
        self.call("session/set_mode", params, lambda _result: None, self.note_error)

    def send_model(self, model: str) -> None:
        """Agents that do not know this say so."""
        params: dict[str, object] = {"sessionId": self.conversation_id, "modelId": model}
        self.call("session/set_model", params, lambda _result: None, self.note_error)

    # --- from the agent ------------------------------------------------------------------

    def on_request(self, method: str, request_id: int | str, params: dict[str, object]) -> bool:
        """Permissions and forms."""
        if method == "session/request_permission":
            call_id = text_at(object_at(params, "toolCall"), "toolCallId") or ""
            diffs = dict(self._diffs).get(call_id, [])
            self.ask(acp_requests.permission(request_id, params, diffs, self.cwd))
            return True
        form = acp_requests.form(request_id, params) if method == "elicitation/create" else None
        if form is None:
            return False
        self.ask(form)
        return True

    def on_notification(self, method: str, params: dict[str, object]) -> None:
        """Updates; the dialect reads what the agent says and does."""
        if method != "session/update":
            return
        self._take_messages()
        update = object_at(params, "update")
        kind = text_at(update, "sessionUpdate")
        if not self.is_ready and self.facts.get("conversationId") is not None and kind in KINDS:
            if kind == "usage_update":
                self._note_cost(update)
                self._cost_before = self._cost
            return
        if kind == "current_mode_update":
            self.note_mode(text_at(update, "currentModeId"))
        elif kind == "plan":
            steps = [
                {"text": text_at(e, "content") or "", "status": text_at(e, "status") or "pending"}
                for e in list_at(update, "entries")
            ]
            self.append({"type": "plan", "steps": self.redact.value(steps)})
        elif kind == "usage_update":
            self._note_cost(update)
        elif kind in ("tool_call", "tool_call_update"):
            diffs = acp_requests.diffs_of(update)
            if diffs and self.turns.is_active:
                self._diffs += ((text_at(update, "toolCallId") or "", diffs),)

    def _note_cost(self, update: dict[str, object]) -> None:
        """What the conversation has cost so far."""
        amount = object_at(update, "cost").get("amount")
        if isinstance(amount, int | float) and self._cost <= amount < MAX_FIGURE:
            self._cost = float(amount)

    def _take_messages(self) -> None:
        if self.turns.is_active:
            self.watch(self.marks)
            for message_id in list(self.messages.handed):
                self.messages.taken(message_id)

    def _on_end(self, result: dict[str, object]) -> None:
        reason = text_at(result, "stopReason") or ""
        outcome, used = _OUTCOMES.get(reason, "failed"), object_at(result, "usage")
        self._end(
            outcome,
            f"The agent stopped: {reason}" if outcome == "failed" else None,
            inputTokens=figure(used.get("inputTokens")),
            cachedInputTokens=figure(used.get("cachedReadTokens")),
            outputTokens=figure(used.get("outputTokens")),
        )

    def _on_no_end(self, error: dict[str, object]) -> None:
        self._end("failed", message_of(error))

    def _end(self, outcome: str, error: str | None, **figures: object) -> None:
        self._take_messages()
        cost = round(self._cost - self._cost_before, 9)
        self._cost_before, self._diffs = self._cost, ()
        self.end_turn(outcome, error, costUsd=cost or None, **figures)
