"""What a webhook can be sent: the kinds of notices, and what a person reads about one."""

from typing import NamedTuple

EVENTS = ("approval", "question", "turn_ended", "failed", "lost", "budget")
"""As the database has them: migrations/versions."""
URGENT = ("approval", "question")
_WORDS = {
    "approval": "{agent} needs approval",
    "question": "{agent} asks",
    "turn_ended": "{agent} has finished",
    "failed": "{agent} failed",
    "lost": "{agent} was lost",
    "budget": "{agent} has used its budget",
    "test": "agent-stream: a test",
}


class Event(NamedTuple):
    """A notice as it is sent."""

    key: str
    kind: str
    """One of EVENTS, or `test`."""
    agent: str
    session_id: str | None
    workflow_id: str | None
    turn: int | None
    approval_id: str | None
    text: str | None
    title: str | None
    """What the workflow is known by."""
    made_at: str

    @property
    def headline(self) -> str:
        """What has happened, in some words."""
        return _WORDS[self.kind].format(agent=self.agent)


def link_of(event: Event, public_url: str | None) -> str | None:
    """Where a person finds it: the approval itself, or the conversation."""
    if public_url is None:
        return None
    fields = {
        "workflow": event.workflow_id,
        "session": event.session_id,
        "approval": event.approval_id,
    }
    fragment = "&".join(f"{name}={value}" for name, value in fields.items() if value is not None)
    return f"{public_url}/#{fragment}" if fragment else f"{public_url}/"
