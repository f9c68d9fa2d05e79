"""The records of a conversation as lines for a person: what was asked, by whom it was answered."""

from collections.abc import Callable
from typing import Any

from webapp.visible import visible

Facts = dict[str, Any]
Shown = tuple[str, str, str]
"""A mark, a text and a style."""


def conversation_line(name: str, facts: Facts) -> Shown | None:
    """The line for an event of a conversation; None for one that has nothing to say."""
    return _LINES[name](facts)


def is_of_conversation(name: str) -> bool:
    """Whether an event is one of those that only a runner writes for a conversation."""
    return name in _LINES


def number_of(approval_id: object) -> str:
    """What an approval is called within its session: the end of its id."""
    return str(approval_id).rpartition(".")[2]


def title_of(approval: Facts) -> str:
    """What will be done. A person decides by it, so nothing of it is hidden or left out."""
    title, tool = approval.get("title"), approval.get("tool")
    if isinstance(title, str) and title:
        return visible(title, keep="\n\t")
    return visible(str(tool or approval.get("kind", "")))


def options_of(approval: Facts) -> list[Facts]:
    """What may be answered; nothing where the record makes no sense."""
    options = approval.get("options")
    found = options if isinstance(options, list) else []
    return [option for option in found if isinstance(option, dict)]


def _conversation(facts: Facts) -> Shown:
    known = [facts.get(name) for name in ("conversationId", "model", "mode")]
    said = ", ".join(str(value) for value in known if value)
    word = "goes on with conversation" if facts.get("resumedFrom") else "conversation"
    return "--", f"{word} {said}", "dim"


def _lost(facts: Facts) -> Shown:
    error = facts.get("error") or "its agent does not know it any more"
    return "--", f"conversation {facts.get('conversationId')} is lost: {error}", "red"


def _user_message(facts: Facts) -> Shown:
    by = f"{facts['by']}: " if facts.get("by") else ""
    state = " (queued)" if facts.get("state") == "queued" else ""
    return ">", f"{by}{facts.get('content', '')}{state}", "bold"


def _user_message_state(facts: Facts) -> Shown | None:
    if facts.get("state") != "cancelled":
        return None
    return "--", f"message {facts.get('id')} was taken back", "yellow"


def _turn_ended(facts: Facts) -> Shown:
    said = [f"turn {facts.get('turn')}: {facts.get('outcome')}"]
    if facts.get("error"):
        said.append(str(facts["error"]))
    tokens = [facts.get(name) for name in ("inputTokens", "outputTokens")]
    if any(isinstance(count, int) for count in tokens):
        said.append(f"{sum(count for count in tokens if isinstance(count, int))} tokens")
    if isinstance(facts.get("costUsd"), int | float):
        said.append(f"${facts['costUsd']:.4f}")
    is_good = facts.get("outcome") in ("completed", "interrupted")
    return "--", ", ".join(said), "dim" if is_good else "red"


def _approval(facts: Facts) -> Shown:
    tool = f" ({facts['tool']})" if facts.get("tool") else ""
    return "?", f"{number_of(facts.get('id'))}: {title_of(facts)}{tool}", "yellow"


def _approval_resolved(facts: Facts) -> Shown:
    by = f" by {facts['by']}" if facts.get("by") else ""
    words = f": {facts['message']}" if facts.get("message") else ""
    style = "green" if facts.get("outcome") in ("allowed", "answered") else "yellow"
    return "?", f"{number_of(facts.get('id'))} {facts.get('outcome')}{by}{words}", style


def _choice(kind: str) -> Callable[[Facts], Shown]:
    def line(facts: Facts) -> Shown:
        by = f", by {facts['by']}" if facts.get("by") else ""
        return "--", f"{kind}: {facts.get(kind)}{by}", "dim"

    return line


def _plan(facts: Facts) -> Shown:
    steps = facts.get("steps")
    found = steps if isinstance(steps, list) else []
    texts = [str(step.get("text")) for step in found if isinstance(step, dict)]
    return "--", f"plan: {'; '.join(texts)}", "dim"


def _nothing(_facts: Facts) -> None:
    return None


_LINES: dict[str, Callable[[Facts], Shown | None]] = {
    "conversation": _conversation,
    "conversation_lost": _lost,
    "user_message": _user_message,
    "user_message_state": _user_message_state,
    "turn_started": _nothing,
    "turn_ended": _turn_ended,
    "approval": _approval,
    "approval_resolved": _approval_resolved,
    "mode": _choice("mode"),
    "model": _choice("model"),
    "state": _nothing,
    "plan": _plan,
}
