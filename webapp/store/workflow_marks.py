"""What people do with a workflow in their list: call it, pin it, put it away, delete it."""

from typing import Literal

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as OrmSession

from webapp.errors import Conflict
from webapp.store.models import (
    LIVE,
    TITLE_LETTERS,
    IdempotencyKey,
    Message,
    Session,
    Stage,
    Workflow,
    now,
)
from webapp.store.workflows import get_workflow

MAX_TITLE_BYTES = TITLE_LETTERS * 4
Mark = Literal["pinned", "archived"]


def rename(orm: OrmSession, workflow_id: str, title: str) -> Workflow:
    """Give a workflow a title of one line; an empty one: it is known by its first message again.

    NotFound.
    """
    workflow = get_workflow(orm, workflow_id)
    workflow.given_title = " ".join(title.split())[:TITLE_LETTERS] or None
    orm.flush()
    orm.refresh(workflow)
    return workflow


def mark(orm: OrmSession, workflow_id: str, name: Mark, is_set: bool) -> Workflow:
    """Pin or archive a workflow, or take that back; what it is already is no change. NotFound."""
    workflow = get_workflow(orm, workflow_id)
    column = f"{name}_at"
    if is_set != (getattr(workflow, column) is not None):
        setattr(workflow, column, now() if is_set else None)
    return workflow


def require_deletable(orm: OrmSession, workflow_id: str) -> list[str]:
    """The sessions of a workflow that may be deleted. NotFound, Conflict."""
    workflow = get_workflow(orm, workflow_id)
    if workflow.worktree is not None and workflow.worktree_outcome is None:
        raise Conflict(
            f"Workflow {workflow_id!r} has a worktree, {workflow.branch}: merge, keep or discard "
            "it first.",
            field="workflowId",
        )
    found = orm.execute(
        select(Session.id, Session.status).where(Session.workflow_id == workflow_id)
    )
    rows = found.all()
    live = [session_id for session_id, status in rows if status in LIVE]
    if live:
        raise Conflict(
            f"Workflow {workflow_id!r} has a session that runs, {live[0]}: cancel it first.",
            field="workflowId",
            retry_after=1,
        )
    return [session_id for session_id, _ in rows]


def delete_rows(orm: OrmSession, workflow_id: str) -> None:
    """Delete a workflow with all that belongs to it. NotFound, Conflict."""
    ids = require_deletable(orm, workflow_id)
    orm.execute(delete(Message).where(Message.workflow_id == workflow_id))
    orm.execute(delete(IdempotencyKey).where(IdempotencyKey.session_id.in_(ids)))
    orm.execute(delete(Session).where(Session.workflow_id == workflow_id))
    orm.execute(delete(Stage).where(Stage.workflow_id == workflow_id))
    orm.execute(delete(Workflow).where(Workflow.id == workflow_id))
