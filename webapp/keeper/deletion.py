"""Delete a workflow for good: the logs of its sessions, and its rows."""

from pathlib import Path

from webapp.errors import Conflict
from webapp.keeper.retention import delete_log
from webapp.store import workflow_marks
from webapp.store.engine import Database


def delete_workflow(database: Database, var: Path, workflow_id: str) -> None:
    """The logs first: after a crash the rows say what is left to delete.

    NotFound, and Conflict for one with a session that runs or a worktree. OSError.
    """
    with database.read() as orm:
        session_ids = workflow_marks.require_deletable(orm, workflow_id)
    for session_id in session_ids:
        if not delete_log(database, var, session_id):
            raise Conflict(
                f"The log of session {session_id!r} cannot be deleted now.",
                field="workflowId",
                retry_after=1,
            )
    database.write(lambda orm: workflow_marks.delete_rows(orm, workflow_id))
