"""What clients ask of a conversation, through the control socket."""

from collections.abc import Callable

from webapp.runner.talk.conversation import Conversation
from webapp.runner.talk.messages import Message

Handler = Callable[[dict[str, object]], dict[str, object]]


def handlers(conversation: Conversation) -> dict[str, Handler]:
    """By the type of the request; each gives the reply."""

    def message(request: dict[str, object]) -> dict[str, object]:
        message_id, content = request.get("id"), request.get("content")
        if not isinstance(message_id, str) or not isinstance(content, str):
            return {"error": "message", "expected": "an id and a content, both texts"}
        return conversation.accept(Message(message_id, content, _by(request)))

    def cancel_message(request: dict[str, object]) -> dict[str, object]:
        cancelled = conversation.messages.cancel(str(request.get("id")))
        conversation.settle()
        return {"cancelled": cancelled}

    return {
        "message": message,
        "cancel_message": cancel_message,
        "answer": conversation.answer,
        "interrupt": lambda request: conversation.interrupt(_by(request)),
        "mode": lambda request: conversation.set_mode(request.get("mode"), _by(request)),
        "model": lambda request: conversation.set_model(request.get("model"), _by(request)),
    }


def _by(request: dict[str, object]) -> str | None:
    by = request.get("by")
    return by if isinstance(by, str) else None
