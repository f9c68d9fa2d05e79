"""The fields of the runner's own records: how they are written, and what others make of them.

`session` is the first record of a log and `done` the last. Those between them that are named
in CONVERSATION say what happens in a conversation: each is an event of its own name, and an
agent cannot forge one. All others are notices.

Imported by the runner: nothing but the standard library.
"""

from collections.abc import Mapping
from typing import Any

CONVERSATION = frozenset(
    {
        "conversation",
        "conversation_lost",
        "user_message",
        "user_message_state",
        "turn_started",
        "turn_ended",
        "approval",
        "approval_resolved",
        "mode",
        "model",
        "plan",
        "state",
    }
)

_SESSION_EVENT = ("sessionId", "workflowId", "stageIndex", "agent", "pid", "startedAt")
_DONE_EVENT = ("exitCode", "signal", "status")
_OPTIONAL = frozenset({"dialect", "messages", "talk", "resumedFrom", "sessionRules"})


def session_record(
    *,
    session_id: str,
    workflow_id: str,
    stage_index: int,
    agent: str,
    pid: int | None,
    started_at: str | None,
    runner_pid: int | None,
    host: str,
    argv: list[str],
    cwd: str | None,
    takes_input: bool,
    created_at: str,
    dialect: str | None = None,
    messages: str | None = None,
    **further: object,
) -> dict[str, object]:
    """The first record of a log. `further`: `workflow`, and of one that holds a conversation
    `talk`, `resumedFrom` and `sessionRules`, what was allowed for the session before it."""
    record = {
        "type": "session",
        "sessionId": session_id,
        "workflowId": workflow_id,
        "stageIndex": stage_index,
        "agent": agent,
        "dialect": dialect,
        "messages": messages,
        "pid": pid,
        "startedAt": started_at,
        "runnerPid": runner_pid,
        "host": host,
        "argv": argv,
        "cwd": cwd,
        "takesInput": takes_input,
        "createdAt": created_at,
        **further,
    }
    return {name: value for name, value in record.items() if value or name not in _OPTIONAL}


def done_record(
    status: str,
    exit_code: int | None,
    exit_signal: str | None,
    error: str | None,
    **further: object,
) -> dict[str, object]:
    """The last record of a log. `further` are fields that are left out where they are empty."""
    record: dict[str, object] = {
        "type": "done",
        "exitCode": exit_code,
        "signal": exit_signal,
        "status": status,
    }
    if error is not None:
        record["error"] = error
    return record | {name: value for name, value in further.items() if value}


def end_columns(done: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a session's row that its `done` record gives, once it was checked."""
    return {
        "status": done["status"] or "lost",
        "exit_code": done["exitCode"],
        "exit_signal": done["signal"],
        "error": done["error"],
    }


def event_of(record: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Name and data of the event that a record is."""
    kind = record["type"]
    if kind == "session":
        return "session", {name: record.get(name) for name in _SESSION_EVENT}
    if kind == "done":
        return "done", {name: record.get(name) for name in _DONE_EVENT}
    return kind if kind in CONVERSATION else "notice", record
