"""What a log says of its conversation, by the records that the runner itself wrote.

A log may come from elsewhere, so each value is checked before it is believed.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from webapp.log import reader
from webapp.log.opened import OpenLog
from webapp.log.record import TIME_BYTES

OUTCOMES_OF_TURNS = ("completed", "interrupted", "failed", "refused")
KINDS_OF_APPROVALS = ("command", "edit", "tool", "plan", "question", "permission")
OUTCOMES_OF_APPROVALS = ("allowed", "denied", "answered", "withdrawn", "expired")
STATES = ("working", "waiting", "idle")

_SIGN = b" system F "
_STEP_BYTES = 1 << 20
_PAUSE_SECONDS = 0.0005
_MAX_NUMBER = 1 << 53
_MAX_TEXT_LETTERS = 1 << 20
_MAX_RULES = 1000


class SystemRecord(NamedTuple):
    """One of the runner's own records."""

    offset: int
    """Where it begins in the log."""
    time: str
    facts: dict[str, Any]


@dataclass
class Turn:
    """From a person's message to the agent's rest; `facts` are those of its end."""

    number: int
    started_at: str
    ended_at: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass
class Approval:
    """What a person was asked, and what became of it; None while it is open."""

    asked_at: str
    turn: int | None
    record: dict[str, Any]
    resolved_at: str | None = None
    resolution: dict[str, Any] | None = None


@dataclass
class Message:
    """What a person sent."""

    offset: int
    content: str
    by: str | None
    state: str
    """`sent` or `queued`, then perhaps `taken` or `cancelled`."""


@dataclass
class Conversation:
    """All that the records of one log say, as of the last one that was read."""

    conversation_id: str | None = None
    is_lost: bool = False
    mode: str | None = None
    model: str | None = None
    modes: list[str] = field(default_factory=list)
    """Those that the agent has; none: not known."""
    models: list[str] = field(default_factory=list)
    state: str | None = None
    turns: dict[int, Turn] = field(default_factory=dict)
    approvals: dict[str, Approval] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    """What was allowed for as long as the conversation goes on."""

    @property
    def open_approvals(self) -> list[dict[str, Any]]:
        """The records of those that nobody has answered."""
        return [each.record for each in self.approvals.values() if each.resolution is None]

    @property
    def pending_messages(self) -> list[dict[str, str | None]]:
        """What the agent has not taken, oldest first, as a runner gets it."""
        return [
            {"id": message_id, "content": message.content, "by": message.by}
            for message_id, message in self.messages.items()
            if message.state in ("sent", "queued")
        ]

    def add(self, record: SystemRecord) -> None:
        """Take one more record into account; one that is not of a conversation changes nothing."""
        step = _STEPS.get(record.facts.get("type"))  # type: ignore[arg-type]
        if step is not None:
            step(self, record)


def read_conversation(log: OpenLog, max_bytes: int = _MAX_NUMBER) -> Conversation:
    """Read a log, or its first bytes; others of this process have their turn meanwhile."""
    conversation = Conversation()
    for record in system_records(log, max_bytes):
        conversation.add(record)
    return conversation


def system_records(log: OpenLog, max_bytes: int = _MAX_NUMBER) -> Iterator[SystemRecord]:
    """The runner's own records, in their order; what is none is passed over."""
    offset = 0
    while offset < max_bytes and (records := reader.read_records(log, offset, _STEP_BYTES)):
        at = records.find(_SIGN)
        while at >= 0:
            start = at - TIME_BYTES
            if start == 0 or (start > 0 and records[start - 1] == 0x0A):
                end = records.index(b"\n", at)
                facts = _read_object(records[at + len(_SIGN) : end])
                if facts is not None:
                    yield SystemRecord(offset + start, records[start:at].decode("latin-1"), facts)
            at = records.find(_SIGN, at + 1)
        offset += len(records)
        time.sleep(_PAUSE_SECONDS)


def _read_object(content: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    is_typed = isinstance(found, dict) and isinstance(found.get("type"), str)
    return found if is_typed else None


# --- the records ------------------------------------------------------------------------


def _inherit(conversation: Conversation, record: SystemRecord) -> None:
    """A session that goes on with a conversation may do what was allowed in it before."""
    _allow(conversation, record.facts.get("sessionRules"))


def _allow(conversation: Conversation, rules: object) -> None:
    for rule in rules if isinstance(rules, list) else []:
        if isinstance(rule, str) and rule not in conversation.rules[:_MAX_RULES]:
            conversation.rules.append(rule)


def _begin(conversation: Conversation, record: SystemRecord) -> None:
    facts = record.facts
    conversation.conversation_id = text_of(facts, "conversationId") or conversation.conversation_id
    conversation.model = text_of(facts, "model") or conversation.model
    conversation.mode = text_of(facts, "mode") or conversation.mode
    conversation.modes = _texts(facts, "modes")
    conversation.models = _texts(facts, "models")
    conversation.is_lost = False


def _lose(conversation: Conversation, _record: SystemRecord) -> None:
    conversation.is_lost = True


def _set_mode(conversation: Conversation, record: SystemRecord) -> None:
    conversation.mode = text_of(record.facts, "mode") or conversation.mode


def _set_model(conversation: Conversation, record: SystemRecord) -> None:
    conversation.model = text_of(record.facts, "model") or conversation.model


def _set_state(conversation: Conversation, record: SystemRecord) -> None:
    conversation.state = word_of(record.facts, "state", STATES) or conversation.state


def _send(conversation: Conversation, record: SystemRecord) -> None:
    message_id, content = text_of(record.facts, "id"), text_of(record.facts, "content")
    if message_id is None or content is None:
        return
    conversation.messages[message_id] = Message(
        offset=record.offset,
        content=content,
        by=text_of(record.facts, "by"),
        state=word_of(record.facts, "state", ("queued",)) or "sent",
    )


def _set_message_state(conversation: Conversation, record: SystemRecord) -> None:
    message = conversation.messages.get(text_of(record.facts, "id") or "")
    state = word_of(record.facts, "state", ("taken", "cancelled", "sent", "queued"))
    if message is not None and state is not None:
        message.state = state


def _start_turn(conversation: Conversation, record: SystemRecord) -> None:
    number = whole_of(record.facts, "turn")
    if number:
        conversation.turns[number] = Turn(number, record.time)


def _end_turn(conversation: Conversation, record: SystemRecord) -> None:
    turn = conversation.turns.get(whole_of(record.facts, "turn") or 0)
    if turn is not None:
        turn.ended_at, turn.facts = record.time, record.facts


def _ask(conversation: Conversation, record: SystemRecord) -> None:
    approval_id = text_of(record.facts, "id")
    if approval_id is not None and word_of(record.facts, "kind", KINDS_OF_APPROVALS) is not None:
        turn = whole_of(record.facts, "turn")
        conversation.approvals[approval_id] = Approval(record.time, turn, record.facts)


def _resolve(conversation: Conversation, record: SystemRecord) -> None:
    facts = record.facts
    approval = conversation.approvals.get(text_of(facts, "id") or "")
    outcome = word_of(facts, "outcome", OUTCOMES_OF_APPROVALS)
    if approval is None or approval.resolution is not None or outcome is None:
        return
    approval.resolved_at, approval.resolution = record.time, facts
    _allow(conversation, facts.get("rules"))


_STEPS: dict[str, Callable[[Conversation, SystemRecord], None]] = {
    "session": _inherit,
    "conversation": _begin,
    "conversation_lost": _lose,
    "mode": _set_mode,
    "model": _set_model,
    "state": _set_state,
    "user_message": _send,
    "user_message_state": _set_message_state,
    "turn_started": _start_turn,
    "turn_ended": _end_turn,
    "approval": _ask,
    "approval_resolved": _resolve,
}


# --- their values -----------------------------------------------------------------------


def text_of(facts: dict[str, Any], name: str) -> str | None:
    """A text that a row can hold."""
    value = facts.get(name)
    if not isinstance(value, str) or len(value) > _MAX_TEXT_LETTERS:
        return None
    return value.encode("utf-8", "replace").decode()


def _texts(facts: dict[str, Any], name: str) -> list[str]:
    """The texts of a list."""
    found = facts.get(name)
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


def word_of(facts: dict[str, Any], name: str, words: tuple[str, ...]) -> str | None:
    """One of some words."""
    value = facts.get(name)
    return value if isinstance(value, str) and value in words else None


def whole_of(facts: dict[str, Any], name: str) -> int | None:
    """A whole number that is not negative."""
    value = amount_of(facts, name)
    return None if value is None else int(value)


def amount_of(facts: dict[str, Any], name: str) -> float | None:
    """A number that is not negative."""
    value = facts.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 <= value < _MAX_NUMBER else None
