"""Requests to a live agent that holds a conversation, by way of its runner."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from webapp.errors import (
    AgentStreamError,
    BadRequest,
    Conflict,
    ServiceUnavailable,
    TooManyRequests,
)
from webapp.sessions import control
from webapp.sessions.layout import SessionFiles
from webapp.sessions.new_session import Message


class Closed(Conflict):
    """The agent has ended, or is ending: a new session goes on with its conversation."""


class Accepted(NamedTuple):
    """A message that is in the log."""

    offset: int
    """Where its record begins."""
    state: str
    """`sent` or `queued`."""


def send(files: SessionFiles, message: Message) -> Accepted:
    """Send a message. The same id with the same content again is done already.

    Closed; Conflict for an id that had other content; TooManyRequests, ServiceUnavailable.
    """
    answer = _ask(files, {"type": "message", **message})
    match answer.get("error"):
        case None:
            return Accepted(_offset(answer.get("offset")), str(answer.get("state")))
        case "other content":
            raise Conflict(
                f"Message {message['id']} was sent before with other content.",
                field="idempotencyKey",
            )
        case error:
            raise _refusal(files, error)


def interrupt(files: SessionFiles, by: str | None) -> dict[str, Any]:
    """End the turn: `{interrupted, cancelled}`, the ids of the messages that had waited."""
    answer = _asked(files, {"type": "interrupt", "by": by})
    return {
        "interrupted": answer.get("interrupted") is True,
        "cancelled": answer.get("cancelled") or [],
    }


def cancel_message(files: SessionFiles, message_id: str) -> bool:
    """Take back a message that waits; False for one that was taken, or never sent."""
    return _asked(files, {"type": "cancel_message", "id": message_id}).get("cancelled") is True


def set_choice(files: SessionFiles, kind: str, value: str, by: str | None) -> str:
    """Set the `mode` or the `model`; what the agent made of it. BadRequest names what there is."""
    answer = _ask(files, {"type": kind, kind: value, "by": by})
    error = answer.get("error")
    if error == kind:
        raise BadRequest(f"{kind} is {value!r}, expected {answer.get('expected')}.", field=kind)
    if error is not None:
        raise _refusal(files, error)
    return str(answer.get(kind))


def _asked(files: SessionFiles, request: Mapping[str, object]) -> dict[str, Any]:
    answer = _ask(files, request)
    if (error := answer.get("error")) is not None:
        raise _refusal(files, error)
    return answer


def _ask(files: SessionFiles, request: Mapping[str, object]) -> dict[str, Any]:
    try:
        return control.ask(files, request)
    except control.RunnerGone:
        raise Closed(f"Session {files.session_id!r} has ended.", field="sessionId") from None


def _refusal(files: SessionFiles, error: object) -> AgentStreamError:
    """The runner's words are in webapp/runner/talk/."""
    match error:
        case "closed":
            return Closed(f"Session {files.session_id!r} is just ending.", field="sessionId")
        case "full":
            return TooManyRequests(
                f"The agent of {files.session_id!r} has not read what was sent before; try again "
                "when it has.",
                retry_after=2,
            )
        case "no room":
            return ServiceUnavailable(
                "The request cannot be recorded: no space left for the log.", retry_after=30
            )
        case "no talk":
            return BadRequest(
                f"The agent of {files.session_id!r} holds no conversation: its profile has no "
                "`talk`.",
                field="sessionId",
            )
    if isinstance(error, str) and error.startswith("unknown request"):
        return Conflict(
            f"The runner of {files.session_id!r} is of an older version, which holds no "
            "conversations.",
            field="sessionId",
        )
    return ServiceUnavailable(f"The runner answers {error!r}.", retry_after=2)


def _offset(value: object) -> int:
    return value if isinstance(value, int) else 0
