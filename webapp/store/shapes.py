"""Rows as the JSON that clients get: camelCase, and nothing that is only ours."""

import json

from webapp.store.damage import creation_time, damaged_columns
from webapp.store.models import Message, Session, Workflow
from webapp.store.terminal_command import terminal_command


def session(row: Session, log_bytes: int | None = None) -> dict[str, object]:
    """A session; `log_bytes` for one that is live, whose row does not know it yet.

    A damaged value is null, or what the id says, and `damaged` names its columns.
    """
    damaged = damaged_columns(row)
    facts: dict[str, object] = {
        "sessionId": row.id,
        "workflowId": row.workflow_id,
        "stageIndex": row.stage_index,
        "agent": row.agent,
        "project": row.project,
        "cwd": row.cwd,
        "takesInput": bool(row.takes_input),
        "talk": row.talk,
        "state": row.state,
        "mode": row.mode,
        "model": row.model,
        "conversationId": row.conversation_id,
        "resumedFrom": row.resumed_from,
        "terminalCommand": terminal_command(row),
        "openApprovals": None if row.talk is None else read_list(row.open_approvals),
        "status": row.status,
        "pid": row.pid,
        "exitCode": row.exit_code,
        "exitSignal": row.exit_signal,
        "error": row.error,
        "logPath": row.log_path,
        "logBytes": row.log_bytes if row.log_bytes is not None else log_bytes,
        "createdAt": row.created_at,
        "startedAt": row.started_at,
        "endedAt": row.ended_at,
    }
    if row.log_deleted_at is not None:
        facts["logDeletedAt"] = row.log_deleted_at
    if not damaged:
        return facts
    facts |= {camel_case(column): None for column in damaged}
    return facts | {"createdAt": creation_time(row), "damaged": damaged}


def read_list(text: str | None) -> list[object]:
    """A column that holds a JSON list; empty where it holds none."""
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []


def camel_case(column: str) -> str:
    """The name in JSON of a column."""
    first, *rest = column.split("_")
    return first + "".join(map(str.capitalize, rest))


def workflow(row: Workflow) -> dict[str, object]:
    """A workflow with its stages."""
    return {
        "id": row.id,
        "requestId": row.request_id,
        "title": row.title,
        "project": row.project,
        "worktree": _worktree(row),
        "pinnedAt": row.pinned_at,
        "archivedAt": row.archived_at,
        "template": row.template,
        "status": row.status,
        "currentStage": row.current_stage,
        "stages": [
            {
                "name": stage.name,
                "type": stage.type,
                "status": stage.status,
                "gate": {
                    "type": stage.gate_type,
                    "satisfied": stage.gate_satisfied_at is not None,
                },
            }
            for stage in row.stages
        ],
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
    }


def _worktree(row: Workflow) -> dict[str, object] | None:
    """Where its agents work if they have a worktree for themselves; `outcome` once that is gone."""
    if row.worktree is None:
        return None
    return {
        "path": row.worktree,
        "branch": row.branch,
        "baseBranch": row.base_branch,
        "outcome": row.worktree_outcome,
    }


def message(row: Message) -> dict[str, object]:
    """What was said in a workflow; `sessionId` is the session that it started, or that said it."""
    return {
        "id": row.id,
        "workflowId": row.workflow_id,
        "stageIndex": row.stage_index,
        "sessionId": row.session_id,
        "role": row.role,
        "content": row.content,
        "createdAt": row.created_at,
    }
