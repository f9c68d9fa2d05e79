"""What each protocol does in its own way: what it reads, and what it sends to its agent."""

import json
from collections.abc import Callable

from webapp.runner.logfile import LogFile
from webapp.runner.spec import Spec
from webapp.runner.stdin_pipe import StdinPipe
from webapp.runner.talk.messages import Message
from webapp.runner.talk.records import ConversationRecords
from webapp.runner.talk.request import Decision, Request


class AgentSide(ConversationRecords):
    """The agent as its conversation sees it."""

    marks: tuple[bytes, ...] = ()
    """One of them is in each line that the protocol reads."""
    request_mark = b""
    """In each line that asks a person for something."""
    word_marks: tuple[bytes, ...] = ()
    """One of them is in the first line that says something to the person."""
    environment: tuple[tuple[str, str], ...] = ()
    """What the agent needs for it."""
    modes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    """Those that may be chosen; none: any."""
    has_handshake = False
    steers = False
    """Whether a message in the middle of a turn goes to the agent at once."""

    def __init__(
        self,
        spec: Spec,
        log: LogFile,
        pipe: StdinPipe,
        redact_text: Callable[[str], str],
        schedule_write: Callable[[], None],
    ) -> None:
        super().__init__(spec, log, redact_text, schedule_write)
        self.pipe = pipe

    def begin_handshake(self) -> None:
        """Begin the handshake."""

    def on_line(self, line: dict[str, object]) -> None:
        """Read a line of the agent's that holds a mark."""
        raise NotImplementedError

    def without_history(self, data: bytes, is_end: bool) -> bytes:
        """Of what the agent prints, what is new; at the end with what was held back."""
        return data

    def send_message(self, message: Message) -> None:
        """Give the agent a message, for a new turn or into the one that goes on."""
        raise NotImplementedError

    def send_answer(self, request: Request, decision: Decision) -> None:
        """Tell the agent what was decided."""
        raise NotImplementedError

    def send_interrupt(self, withdrawn: list[Request]) -> None:
        """Have the agent end its turn; `withdrawn` are the requests that were open."""
        raise NotImplementedError

    def send_mode(self, mode: str) -> None:
        """Have the agent use a mode of `modes`."""
        raise NotImplementedError

    def send_model(self, model: str) -> None:
        """Have the agent use a model."""
        raise NotImplementedError

    def recall_messages(self) -> list[str]:
        """Ask the agent to give back the messages that it has not taken; their ids."""
        return []

    def send(self, line: dict[str, object]) -> None:
        """Send the agent an object, on one line."""
        self.pipe.send(json.dumps(line, separators=(",", ":")).encode() + b"\n")

    def set_mode(self, mode: object, by: str | None) -> dict[str, object]:
        """Choose what the agent may do unasked."""
        if not isinstance(mode, str) or mode not in self.modes:
            return {"error": "mode", "expected": ", ".join(self.modes) or "no mode"}
        self.note_mode(mode, by)
        self.send_mode(mode)
        return {"mode": mode}

    def set_model(self, model: object, by: str | None) -> dict[str, object]:
        """Choose the agent's model."""
        is_name = isinstance(model, str) and 0 < len(model) <= 200
        if not is_name or (self.models and model not in self.models):
            return {"error": "model", "expected": ", ".join(self.models) or "the name of a model"}
        self.note_model(model, by)
        self.send_model(str(model))
        return {"model": model}
