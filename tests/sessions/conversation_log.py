"""The log of a conversation, as a runner writes it."""

import json
from typing import Any

from webapp.log.record import format_record

SECOND_NS = 1_000_000_000
BEGAN_NS = 1_795_467_840 * SECOND_NS
APPROVAL: dict[str, Any] = {"type": "approval", "kind": "command", "tool": "Bash"}


def write_log(session_id: str, *records: dict[str, Any], talk: str | None = "claude") -> bytes:
    """A session's first record, then these: one each second, without an end."""
    first = {
        "type": "session",
        "sessionId": session_id,
        "workflowId": "workflow-1795467840123-000000000000",
        "stageIndex": 0,
        "agent": "agent",
        "argv": ["agent"],
        "host": "here",
        "startedAt": "2026-11-23T21:04:00.000Z",
        "talk": talk,
    }
    return b"".join(
        format_record(BEGAN_NS + number * SECOND_NS, b"system", json.dumps(record).encode())
        for number, record in enumerate([first, *records])
    )


def two_turns(session_id: str) -> list[dict[str, Any]]:
    """A turn that has ended, and one that waits for a person; one message waits too."""
    return [
        {"type": "conversation", "conversationId": "c-1", "model": "opus", "mode": "default"},
        {"type": "user_message", "id": "m-1", "content": "go", "by": "ada", "state": "sent"},
        {"type": "turn_started", "turn": 1, "messageIds": ["m-1"]},
        {"type": "user_message_state", "id": "m-1", "state": "taken"},
        {"type": "state", "state": "working"},
        APPROVAL | {"id": f"{session_id}.1", "turn": 1, "title": "mkdir a"},
        {
            "type": "approval_resolved", "id": f"{session_id}.1", "outcome": "allowed",
            "option": "allow_session", "by": "ada", "rules": ["Bash(mkdir:*)"],
        },
        {
            "type": "turn_ended", "turn": 1, "outcome": "completed", "inputTokens": 100,
            "cachedInputTokens": 60, "outputTokens": 10, "costUsd": 0.5, "durationMs": 900,
            "denied": 0,
        },
        {"type": "mode", "mode": "plan", "by": "ada"},
        {"type": "user_message", "id": "m-2", "content": "more", "by": None, "state": "sent"},
        {"type": "turn_started", "turn": 2, "messageIds": ["m-2"]},
        {"type": "user_message_state", "id": "m-2", "state": "taken"},
        {"type": "user_message", "id": "m-3", "content": "later", "by": None, "state": "queued"},
        {"type": "user_message", "id": "m-4", "content": "no", "by": None, "state": "queued"},
        {"type": "user_message_state", "id": "m-4", "state": "cancelled"},
        APPROVAL | {"id": f"{session_id}.2", "turn": 2, "title": "rm a"},
        {"type": "state", "state": "waiting"},
    ]  # fmt: skip
