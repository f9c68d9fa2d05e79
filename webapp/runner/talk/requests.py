"""What clients ask of a conversation, through the control socket."""

from collections.abc import Callable
from functools import partial

from webapp.runner.talk.conversation import Conversation
from webapp.runner.talk.messages import Message

Facts = dict[str, object]
Handler = Callable[[Facts], Facts]


def handlers(conversation: Conversation | None) -> dict[str, Handler]:
    """By the type of the request; each gives the reply. None: the agent holds no conversation."""
    if conversation is None:
        return dict.fromkeys(_HANDLERS, lambda _request: {"error": "no talk"})
    return {name: partial(handle, conversation) for name, handle in _HANDLERS.items()}


def _message(conversation: Conversation, request: Facts) -> Facts:
    message_id, content = request.get("id"), request.get("content")
    if not isinstance(message_id, str) or not isinstance(content, str):
        return {"error": "message", "expected": "an id and a content, both texts"}
    return conversation.accept(Message(message_id, content, _by(request)))


def _cancel_message(conversation: Conversation, request: Facts) -> Facts:
    cancelled = conversation.messages.cancel(str(request.get("id")))
    conversation.dispatch_queue()
    return {"cancelled": cancelled}


_HANDLERS: dict[str, Callable[[Conversation, Facts], Facts]] = {
    "message": _message,
    "cancel_message": _cancel_message,
    "answer": lambda talk, request: talk.answer(request),
    "interrupt": lambda talk, request: talk.interrupt(_by(request)),
    "mode": lambda talk, request: talk.set_mode(request.get("mode"), _by(request)),
    "model": lambda talk, request: talk.set_model(request.get("model"), _by(request)),
}


def _by(request: Facts) -> str | None:
    by = request.get("by")
    return by if isinstance(by, str) else None
