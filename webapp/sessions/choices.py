"""The mode and the model with which a message asks its conversation to go on."""

from collections.abc import Sequence

from webapp.errors import BadRequest
from webapp.log.conversation import Conversation
from webapp.sessions import live_talk
from webapp.sessions.layout import SessionFiles
from webapp.sessions.new_session import Invocation


def set_choices(files: SessionFiles, invocation: Invocation) -> None:
    """Have a live agent use them. BadRequest; Closed if its session has ended."""
    for kind, value in (("mode", invocation.mode), ("model", invocation.model)):
        if value is not None:
            live_talk.set_choice(files, kind, value, invocation.by)


def check_choices(invocation: Invocation, found: Conversation) -> None:
    """BadRequest for one that the agent has not said to have: some modes ask nobody."""
    _check("mode", invocation.mode, found.modes)
    if found.models or found.conversation_id is None:
        _check("model", invocation.model, found.models)


def _check(kind: str, value: str | None, offered: Sequence[str]) -> None:
    if value is not None and value not in offered:
        expected = ", ".join(offered) or f"no {kind} until the agent has said which it has"
        raise BadRequest(f"{kind} is {value!r}, expected {expected}.", field=kind)
