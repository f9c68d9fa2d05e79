"""What logs must hold so that lost rows can be made from them, and how these are made."""

from collections.abc import Iterable, Mapping
from typing import Any

from webapp.store.models import now

_SELECT_WORKFLOW = """
SELECT template, request_id, created_at, project, branch, base_branch FROM workflows WHERE id = ?
"""
_SELECT_STAGES = """
SELECT name, type, gate_type FROM stages WHERE workflow_id = ? ORDER BY stage_index
"""
_INSERT_WORKFLOW = """
INSERT OR IGNORE INTO workflows (
    id, request_id, template, status, current_stage, created_at, updated_at, project,
    worktree, branch, base_branch
) VALUES (?, ?, ?, 'active', ?, ?, ?, ?, ?, ?, ?)
"""
_INSERT_STAGE = """
INSERT OR IGNORE INTO stages (workflow_id, stage_index, name, type, status, gate_type)
VALUES (?, ?, ?, ?, ?, ?)
"""
SESSION_COLUMNS = (
    "id",
    "workflow_id",
    "stage_index",
    "agent",
    "argv",
    "cwd",
    "takes_input",
    "pid",
    "runner_pid",
    "host",
    "log_path",
    "status",
    "exit_code",
    "exit_signal",
    "error",
    "log_bytes",
    "created_at",
    "started_at",
    "ended_at",
    "talk",
    "state",
    "mode",
    "model",
    "conversation_id",
    "resumed_from",
    "open_approvals",
    "session_rules",
    "project",
)
_INSERT_COLUMNS = [column for column in SESSION_COLUMNS if column != "conversation_id"]
_INSERT_SESSION = (
    f"INSERT OR IGNORE INTO sessions ({', '.join(_INSERT_COLUMNS)}) "  # noqa: S608 - our own names
    f"VALUES ({', '.join('?' * len(_INSERT_COLUMNS))})"
)
_SET_CONVERSATION = "UPDATE OR IGNORE sessions SET conversation_id = ? WHERE id = ?"

_INSERT_MESSAGE = """
INSERT INTO messages (workflow_id, stage_index, session_id, role, content, created_at)
VALUES (?, ?, ?, ?, ?, ?)
"""


def workflow_facts(connection: Any, workflow_id: str) -> dict[str, object]:
    """A workflow as the first record of each of its logs holds it.

    For `Database.write_sql`: this is on the path of every invoke.
    """
    template, request_id, created_at, project, branch, base_branch = connection.execute(
        _SELECT_WORKFLOW, (workflow_id,)
    ).fetchone()
    stages = connection.execute(_SELECT_STAGES, (workflow_id,)).fetchall()
    return {
        "template": template,
        "requestId": request_id,
        "createdAt": created_at,
        "project": project,
        "branch": branch,
        "baseBranch": base_branch,
        "stages": [
            {"name": name, "type": kind, "gate": {"type": gate}} for name, kind, gate in stages
        ],
    }


def insert_workflow(
    connection: Any,
    workflow_id: str,
    facts: Mapping[str, Any],
    *,
    current_stage: int,
) -> bool:
    """Insert a workflow and its stages unless it is there; whether it was missing.

    Which stages were done is not in the logs: those before `current_stage` are taken to be.
    """
    row = (
        workflow_id,
        facts["requestId"],
        facts["template"],
        current_stage,
        facts["createdAt"],
        now(),
        facts["project"],
        facts["worktree"],
        facts["branch"],
        facts["baseBranch"],
    )
    if connection.execute(_INSERT_WORKFLOW, row).rowcount == 0:
        return False
    for index, stage in enumerate(facts["stages"]):
        status = "pending"
        if index <= current_stage:
            status = "completed" if index < current_stage else "active"
        stage_row = (workflow_id, index, stage["name"], stage["type"], status)
        connection.execute(_INSERT_STAGE, (*stage_row, stage["gate"]["type"]))
    return True


def insert_sessions(connection: Any, rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Insert the sessions that are not there; the ids of those that were missing.

    Of several that seem to be live, the first holds their conversation.
    """
    missing = []
    for row in rows:
        values = [row[column] for column in _INSERT_COLUMNS]
        if connection.execute(_INSERT_SESSION, values).rowcount:
            missing.append(row["id"])
            connection.execute(_SET_CONVERSATION, (row["conversation_id"], row["id"]))
    return missing


def insert_messages(
    connection: Any, session: Mapping[str, Any], messages: Iterable[tuple[str, str, str]]
) -> None:
    """Insert what was said about a session, given as its row: role, content, time."""
    about = session["workflow_id"], session["stage_index"], session["id"]
    connection.executemany(
        _INSERT_MESSAGE,
        [(*about, role, content, created_at) for role, content, created_at in messages],
    )
