"""JSON-RPC over lines, as Codex and the Agent Client Protocol speak it.

https://www.jsonrpc.org/specification. Both sides ask; the ids of each are its own.
"""

from collections.abc import Callable

from webapp.log.dialects.normalized import object_at, text_at
from webapp.runner.talk.conversation import Conversation

METHOD_NOT_FOUND = -32601
REFUSED = -32000

OnResult = Callable[[dict[str, object]], None]


class RpcConversation(Conversation):
    """A conversation by calls and notifications."""

    has_handshake = True
    head: tuple[tuple[str, object], ...] = ()
    """Fields of each line."""

    _count = 0
    _calls: tuple[tuple[int, OnResult, OnResult], ...] = ()
    """Our calls that wait for their results."""

    def call(
        self, method: str, params: dict[str, object], on_result: OnResult, on_error: OnResult
    ) -> None:
        """Ask the agent; one of the functions gets its `result` or `error`."""
        self._count += 1
        self._calls += ((self._count, on_result, on_error),)
        self.send({**dict(self.head), "id": self._count, "method": method, "params": params})

    def notify(self, method: str, params: dict[str, object]) -> None:
        """Say something that has no result."""
        self.send({**dict(self.head), "method": method, "params": params})

    def respond(self, request_id: object, result: dict[str, object]) -> None:
        """Answer the agent."""
        self.send({**dict(self.head), "id": request_id, "result": result})

    def respond_error(self, request_id: object, code: int, text: str) -> None:
        """Answer the agent that there is no answer."""
        error = {"code": code, "message": text}
        self.send({**dict(self.head), "id": request_id, "error": error})

    def on_line(self, line: dict[str, object]) -> None:
        """A request, a notification, or the result of a call."""
        method, params = text_at(line, "method"), object_at(line, "params")
        request_id = line.get("id")
        if method is None:
            self._on_answer(request_id, line)
        elif "id" not in line:
            self.on_notification(method, params)
        elif isinstance(request_id, int | str) and not self.on_request(method, request_id, params):
            self.respond_error(request_id, METHOD_NOT_FOUND, f"Not supported: {method}")

    def _on_answer(self, call_id: object, line: dict[str, object]) -> None:
        for call in self._calls:
            number, on_result, on_error = call
            if number == call_id:
                self._calls = tuple(other for other in self._calls if other is not call)
                if "error" in line:
                    on_error(object_at(line, "error"))
                else:
                    on_result(object_at(line, "result"))
                return

    def on_request(self, method: str, request_id: int | str, params: dict[str, object]) -> bool:
        """The agent asks; whether this is a request that the protocol knows."""
        raise NotImplementedError

    def on_notification(self, method: str, params: dict[str, object]) -> None:
        """The agent says something."""
        raise NotImplementedError

    def note_error(self, error: dict[str, object]) -> None:
        """The agent refused something that the conversation does without."""
        self.append({"type": "agent_refused", "message": self.redact.text(message_of(error))})

    def fail_by(self, error: dict[str, object]) -> None:
        """The agent refused something that the conversation needs."""
        self.fail(f"The agent refused to begin: {message_of(error)}")


def message_of(error: dict[str, object]) -> str:
    """What an error says."""
    return text_at(error, "message") or str(error.get("code"))
