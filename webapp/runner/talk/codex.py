"""Codex: `codex app-server`, JSON-RPC lines without a version.

https://github.com/openai/codex/blob/main/codex-rs/app-server/README.md. A message that comes
while Codex works goes into its turn at once.
"""

import shlex

from webapp.log.dialects.normalized import list_at, object_at, text_at
from webapp.runner.talk.messages import Message
from webapp.runner.talk.request import Decision, Request
from webapp.runner.talk.rpc import REFUSED, RpcConversation, message_of
from webapp.runner.talk.turns import figure

CLIENT = {"name": "agent-stream", "title": "agent-stream", "version": "0"}
PLAN, UNTRUSTED = "plan", "untrusted"
_DECISIONS = {
    "allow_once": "accept",
    "allow_session": "acceptForSession",
    "deny": "decline",
    "deny_and_stop": "cancel",
}
_OUTCOMES = {"completed": "completed", "interrupted": "interrupted"}
_STEP_STATUS = {"inProgress": "in_progress", "completed": "completed"}
_SHELL_WORDS = 3
"""Codex runs `/bin/bash -lc COMMAND`."""


class Codex(RpcConversation):
    """One `codex app-server` process with one thread."""

    word_marks = (b"item/agentMessage/delta",)
    marks = (
        *(b'"turn/', b'"result":', b'"error":{', b"equest", b'"fileChange"'),
        *(b'"userMessage"', b"tokenUsage"),
    )
    request_mark = b'"item/'
    modes = (UNTRUSTED, "on-request", PLAN)
    steers = True

    _turn_id = ""
    """Of the turn that goes on, once Codex has said it."""
    _should_interrupt = False
    """Once the turn has an id."""
    _turn_of: tuple[tuple[str, str], ...] = ()
    """Of each message of this turn: the turn that Codex put it into."""
    _input_tokens = 0
    _cached_tokens = 0
    _output_tokens = 0
    _changes: tuple[tuple[str, list[object]], ...] = ()
    """Of the file changes that were announced: a request for one does not repeat it."""

    # --- to Codex ----------------------------------------------------------------------

    def begin_handshake(self) -> None:
        """Say who we are, then begin or resume the thread."""
        mode = self.facts.get("mode")
        self.mode = mode if isinstance(mode, str) and mode in self.modes else UNTRUSTED
        capabilities = {"experimentalApi": True}
        self.call(
            "initialize",
            {"clientInfo": CLIENT, "capabilities": capabilities},
            lambda _result: self._open_thread(),
            self.fail_by,
        )

    def _open_thread(self) -> None:
        self.notify("initialized", {})
        resumed = self.facts.get("conversationId")
        if resumed is not None:
            params: dict[str, object] = {"threadId": resumed, "excludeTurns": True}
            if self.facts.get("model") is not None:
                params["model"] = self.facts["model"]
            self.call("thread/resume", params, self._on_thread, self._on_no_thread)
            return
        self.call(
            "thread/start",
            {"cwd": self.cwd, "approvalPolicy": self._policy, "sandbox": "workspace-write"},
            self._on_thread,
            self.fail_by,
        )

    def _on_thread(self, result: dict[str, object]) -> None:
        thread_id = text_at(object_at(result, "thread"), "id")
        if thread_id is None:
            self.fail("Codex began no thread.")
            return
        modes: list[str] = list(self.modes)
        model = self.facts.get("model") or text_at(result, "model")
        self.began(thread_id, model=model, mode=self.mode, modes=modes)
        self.ready()

    def _on_no_thread(self, error: dict[str, object]) -> None:
        text = message_of(error)
        if "no rollout found" in text:
            self.lost(text)
        else:
            self.fail_by(error)

    @property
    def _policy(self) -> str:
        return UNTRUSTED if self.mode in (None, PLAN) else str(self.mode)

    def send_message(self, message: Message) -> None:
        """As a turn; in the middle of one it goes into that."""
        settings = {
            "model": self.model,
            "reasoning_effort": None,
            "developer_instructions": None,
        }
        mode = PLAN if self.mode == PLAN else "default"
        params: dict[str, object] = {
            "threadId": self.conversation_id,
            "clientUserMessageId": message.id,
            "approvalPolicy": self._policy,
            "collaborationMode": {"mode": mode, "settings": settings},
            "input": [{"type": "text", "text": message.content}],
        }

        def on_turn(result: dict[str, object]) -> None:
            turn_id = text_at(object_at(result, "turn"), "id") or self._turn_id
            self._turn_of += ((message.id, turn_id),)
            if message.id in self.turns.message_ids:
                self._name_turn(turn_id)

        def on_error(error: dict[str, object]) -> None:
            self._on_no_turn(message.id, error)

        self.call("turn/start", params, on_turn, on_error)

    def _on_no_turn(self, message_id: str, error: dict[str, object]) -> None:
        """Codex refuses a message: its turn has failed, unless it was for one that goes on."""
        if message_id in self.turns.message_ids:
            self.messages.taken(message_id)
            self._end("failed", message_of(error))
            return
        self.note_error(error)
        self.steers = not self.turns.is_active  # it waits for the next turn
        self.messages.take_back(message_id)

    def send_answer(self, request: Request, decision: Decision) -> None:
        """As the result of its request."""
        if request.kind != "question":
            self.respond(request.key, {"decision": _DECISIONS[decision.kind]})
        elif decision.kind == "answer":
            answers = {name: {"answers": texts} for name, texts in decision.answers.items()}
            self.respond(request.key, {"answers": answers})
        else:
            self.respond_error(request.key, REFUSED, decision.message or "The person said no.")

    def send_interrupt(self, withdrawn: list[Request]) -> None:
        """Codex resolves its open requests itself."""
        self._should_interrupt = not self._turn_id
        if self._should_interrupt:
            return
        params: dict[str, object] = {"threadId": self.conversation_id, "turnId": self._turn_id}
        self.call("turn/interrupt", params, lambda _result: None, self.note_error)

    def _name_turn(self, turn_id: str) -> None:
        self._turn_id = turn_id
        if self._should_interrupt:
            self.send_interrupt([])

    def recall_messages(self) -> list[str]:
        """What Codex has not read by the end of an interrupted turn it drops."""
        begun = self.turns.message_ids
        return [message_id for message_id in self.messages.handed if message_id not in begun]

    def send_mode(self, mode: str) -> None:
        """The next turn is in this mode."""

    def send_model(self, model: str) -> None:
        """The next turn is of this model."""

    # --- from Codex ----------------------------------------------------------------------

    def on_request(self, method: str, request_id: int | str, params: dict[str, object]) -> bool:
        """Commands, changes of files, and questions."""
        if method == "item/commandExecution/requestApproval":
            self.ask(_command(request_id, params))
        elif method == "item/fileChange/requestApproval":
            changes = dict(self._changes).get(text_at(params, "itemId") or "", [])
            self.ask(_file_change(request_id, params, changes))
        elif method == "item/tool/requestUserInput":
            self.ask(_question(request_id, params))
        else:
            return False
        return True

    def on_notification(self, method: str, params: dict[str, object]) -> None:
        """What happens to the turn; the dialect reads the rest."""
        if method == "turn/started":
            self.begin_turn()
            self._name_turn(text_at(object_at(params, "turn"), "id") or self._turn_id)
        elif method == "turn/completed":
            self._on_completed(object_at(params, "turn"))
        elif method == "turn/plan/updated":
            self.append({"type": "plan", "steps": self.redact.value(_steps(params))})
        elif method == "serverRequest/resolved":
            self.withdraw(params.get("requestId"))
        elif method == "thread/tokenUsage/updated":
            self._on_usage(object_at(object_at(params, "tokenUsage"), "last"))
        elif method in ("item/started", "item/completed"):
            self._on_item(method, object_at(params, "item"))

    def _on_item(self, method: str, item: dict[str, object]) -> None:
        item_id = text_at(item, "id") or ""
        if item.get("type") == "userMessage":
            if method == "item/started":
                self._take(text_at(item, "clientId"))
        elif item.get("type") == "fileChange":
            self._changes = tuple(change for change in self._changes if change[0] != item_id)
            if method == "item/started":
                self._changes += ((item_id, list_at(item, "changes")),)

    def _take(self, message_id: str | None) -> None:
        """Codex reads a message: this one, or the oldest where it does not repeat the id."""
        handed = list(self.messages.handed)
        if handed:
            self.messages.taken(message_id if message_id in handed else handed[0])

    def _on_usage(self, last: dict[str, object]) -> None:
        """Of one request to the model; a turn may take several."""
        self._input_tokens += figure(last.get("inputTokens")) or 0
        self._cached_tokens += figure(last.get("cachedInputTokens")) or 0
        self._output_tokens += figure(last.get("outputTokens")) or 0

    def _on_completed(self, turn: dict[str, object]) -> None:
        outcome = _OUTCOMES.get(text_at(turn, "status") or "", "failed")
        error = object_at(turn, "error")
        for message_id, turn_id in self._turn_of:
            if turn_id == turn.get("id"):  # a message that was not read goes into the next turn
                if outcome == "interrupted":
                    self.messages.cancelled_by_agent(message_id)
                else:
                    self.messages.take_back(message_id)
        self._end(outcome, message_of(error) if outcome == "failed" else None)

    def _end(self, outcome: str, error: str | None) -> None:
        self.end_turn(
            outcome,
            error,
            inputTokens=self._input_tokens,
            cachedInputTokens=self._cached_tokens,
            outputTokens=self._output_tokens,
        )
        self._input_tokens = self._cached_tokens = self._output_tokens = 0
        self._changes, self._turn_of = (), ()
        self.steers = True
        self._turn_id, self._should_interrupt = "", False


def _command(request_id: int | str, params: dict[str, object]) -> Request:
    command = text_at(params, "command") or ""
    subject = _unwrapped(command)
    return Request(
        request_id,
        "command",
        "shell",
        subject,
        {"command": command},
        call_id=text_at(params, "itemId"),
        subject=subject,
        session_rules=[f"shell({subject})"],
        facts={"cwd": text_at(params, "cwd"), "reason": text_at(params, "reason")},
    )


def _unwrapped(command: str) -> str:
    """What a person would type: without the shell that Codex puts round it."""
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    return words[-1] if len(words) == _SHELL_WORDS and words[1] == "-lc" else command


def _file_change(
    request_id: int | str, params: dict[str, object], changes: list[object]
) -> Request:
    paths = [text_at(change, "path") or "?" for change in changes]
    return Request(
        request_id,
        "edit",
        "apply_patch",
        ", ".join(paths) or "Change files",
        {"changes": changes},
        call_id=text_at(params, "itemId"),
        subject=paths[0] if len(paths) == 1 else "",
        session_rules=["apply_patch"],
        facts={"reason": text_at(params, "reason"), "grantRoot": text_at(params, "grantRoot")},
    )


def _question(request_id: int | str, params: dict[str, object]) -> Request:
    questions: list[dict[str, object]] = [
        {
            "id": text_at(question, "id") or str(number),
            "header": text_at(question, "header"),
            "question": text_at(question, "question") or "",
            "multiSelect": False,
            "options": [
                {"label": text_at(o, "label") or "", "description": text_at(o, "description") or ""}
                for o in list_at(question, "options")
            ],
        }
        for number, question in enumerate(list_at(params, "questions"), start=1)
    ]
    title = str(questions[0]["question"]) if questions else "A question"
    return Request(
        request_id,
        "question",
        "request_user_input",
        title,
        {},
        call_id=text_at(params, "itemId"),
        questions=questions,
        may_explain=True,
    )


def _steps(params: dict[str, object]) -> list[dict[str, str]]:
    return [
        {
            "text": text_at(step, "step") or "",
            "status": _STEP_STATUS.get(text_at(step, "status") or "", "pending"),
        }
        for step in list_at(params, "plan")
    ]
