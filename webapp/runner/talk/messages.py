"""Messages to an agent that talks: recorded once, handed over in order, taken or cancelled."""

from collections.abc import Callable

from webapp.runner.talk.redacted import Redact

MAX_QUEUED = 100
MAX_QUEUED_BYTES = 1 << 20
MAX_REMEMBERED = 10_000


class Message:
    """What a person wrote."""

    def __init__(self, id: str, content: str, by: str | None) -> None:
        self.id = id
        self.content = content
        self.by = by
        self.number = 0
        """Which of the session it is, once it was accepted."""


class Messages:
    """The queue, and what became of each message."""

    def __init__(self, append: Callable[[dict[str, object]], int | None], redact: Redact) -> None:
        self._append = append
        self._redact = redact
        self._count = 0
        self._replies: dict[str, tuple[int, dict[str, object]]] = {}
        self.queue: list[Message] = []
        """Accepted, and not handed to the agent yet."""
        self.handed: dict[str, Message] = {}
        """Handed to the agent, which has not said yet that it took them."""

    def reply_to(self, message: Message) -> dict[str, object] | None:
        """The reply to a message that comes again: it is done already."""
        if message.id not in self._replies:
            return None
        before, reply = self._replies[message.id]
        return reply if before == hash(message.content) else {"error": "other content"}

    def accept(self, message: Message, state: str) -> dict[str, object]:
        """Record a new message; the reply to its sender."""
        size = sum(len(waiting.content) for waiting in self.queue) + len(message.content)
        if len(self.queue) >= MAX_QUEUED or (self.queue and size > MAX_QUEUED_BYTES):
            return {"error": "full"}
        record = {
            "type": "user_message",
            "id": message.id,
            "content": self._redact.text(message.content),
            "by": message.by,
            "state": state,
        }
        offset = self._append({name: value for name, value in record.items() if value is not None})
        if offset is None:
            return {"error": "no room"}
        reply: dict[str, object] = {"offset": offset, "state": state}
        self._replies[message.id] = (hash(message.content), reply)
        if len(self._replies) > MAX_REMEMBERED:
            del self._replies[next(iter(self._replies))]
        self._count += 1
        message.number = self._count
        self.queue.append(message)
        return reply

    def hand_over(self) -> Message:
        """The next of the queue, now the agent's."""
        message = self.queue.pop(0)
        self.handed[message.id] = message
        return message

    def taken(self, message_id: str) -> bool:
        """The agent says that it has read a message; whether it was waiting for that."""
        if self.handed.pop(message_id, None) is None:
            return False
        self._append({"type": "user_message_state", "id": message_id, "state": "taken"})
        return True

    def cancel(self, message_id: str) -> bool:
        """Take a message back; False where the agent has it already."""
        message = next((m for m in self.queue if m.id == message_id), None)
        if message is None:
            return False
        self.queue.remove(message)
        self._record_cancelled(message_id)
        return True

    def take_back(self, message_id: str) -> None:
        """The agent has let go of a message without reading it: it waits again, in its order."""
        message = self.handed.pop(message_id, None)
        if message is not None:
            self.queue.append(message)
            self.queue.sort(key=lambda waiting: waiting.number)

    def cancelled_by_agent(self, message_id: str) -> None:
        """The agent has given back a message that it had not taken."""
        if self.handed.pop(message_id, None) is not None:
            self._record_cancelled(message_id)

    def _record_cancelled(self, message_id: str) -> None:
        self._append({"type": "user_message_state", "id": message_id, "state": "cancelled"})
