"""Rows of workflows and their stages."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session as OrmSession

from webapp.errors import BadRequest, NotFound
from webapp.store.ids import new_workflow_id
from webapp.store.messages import add_message
from webapp.store.models import WORKFLOW_STATUSES, Stage, Workflow, now
from webapp.store.templates import BUILT_IN, StageTemplate

_INVOKABLE = """
SELECT status, current_stage,
    (SELECT count(*) FROM stages WHERE stages.workflow_id = workflows.id),
    EXISTS (
        SELECT 1 FROM stages WHERE stages.workflow_id = workflows.id
            AND stage_index = coalesce(:stage_index, current_stage)
            AND gate_type = 'agent' AND gate_satisfied_at IS NULL
    ),
    template
FROM workflows WHERE id = :id
"""


_WORKING_PLACE = """
SELECT project, worktree, branch, base_branch, worktree_outcome FROM workflows WHERE id = ?
"""


class WorkingPlace(NamedTuple):
    """Where the agents of a workflow work: the columns of these names."""

    project: str | None
    worktree: str | None
    branch: str | None
    base_branch: str | None
    worktree_outcome: str | None


class InvokedStage(NamedTuple):
    """The stage that a session is started in."""

    stage_index: int
    has_agent_gate: bool
    """Whether its gate waits for what the agent prints."""
    template: str
    """What the workflow was made with."""


def create_workflow(
    orm: OrmSession,
    *,
    template: str,
    request_id: str | None,
    initial_message: str | None,
    templates: Mapping[str, Sequence[StageTemplate]] = BUILT_IN,
    project: str | None = None,
    worktree_of: Callable[[str], Path] | None = None,
) -> Workflow:
    """Insert a workflow with the stages of its template. BadRequest if there is none.

    `worktree_of`: where the worktree of a workflow with that id is to be; None: it gets none.
    """
    stages = templates.get(template)
    if stages is None:
        raise BadRequest(
            f"Unknown template {template!r}. Available: {', '.join(templates)}.", field="template"
        )
    created_at, workflow_id = now(), new_workflow_id()
    workflow = Workflow(
        id=workflow_id,
        request_id=request_id,
        template=template,
        status="active",
        current_stage=0,
        created_at=created_at,
        updated_at=created_at,
        project=project,
        worktree=None if worktree_of is None else str(worktree_of(workflow_id)),
        stages=[
            Stage(
                stage_index=index,
                name=stage.name,
                type=stage.type,
                status="active" if index == 0 else "pending",
                gate_type=stage.gate,
                gate_satisfied_at=created_at if stage.gate == "auto" else None,
            )
            for index, stage in enumerate(stages)
        ],
    )
    orm.add(workflow)
    orm.flush()
    if initial_message is not None:
        add_message(orm, workflow, "user", initial_message)
    return workflow


def get_workflow(orm: OrmSession, workflow_id: str) -> Workflow:
    """The workflow; NotFound if there never was one with this id."""
    workflow = orm.get(Workflow, workflow_id)
    if workflow is None:
        raise _unknown(workflow_id)
    return workflow


class Filter(NamedTuple):
    """Which workflows are listed; None: that does not matter."""

    status: str | None = None
    text: str | None = None
    """What their titles have in them, in whatever case (of ASCII)."""
    pinned: bool | None = None
    archived: bool | None = None
    project: str | None = None


def list_workflows(
    orm: OrmSession, wanted: Filter, *, limit: int, cursor: str | None
) -> list[Workflow]:
    """Workflows, newest first; those after `cursor`, an id. BadRequest for a bad status."""
    query = select(Workflow).order_by(Workflow.id.desc()).limit(limit)
    if wanted.status is not None:
        if wanted.status not in WORKFLOW_STATUSES:
            raise BadRequest(
                f"Unknown status {wanted.status!r}. Available: {', '.join(WORKFLOW_STATUSES)}.",
                field="status",
            )
        query = query.where(Workflow.status == wanted.status)
    if wanted.text:
        query = query.where(Workflow.title.icontains(wanted.text, autoescape=True))
    if wanted.project is not None:
        query = query.where(Workflow.project == wanted.project)
    marks = ((Workflow.pinned_at, wanted.pinned), (Workflow.archived_at, wanted.archived))
    for column, is_set in marks:
        if is_set is not None:
            query = query.where(column.is_not(None) if is_set else column.is_(None))
    if cursor is not None:
        query = query.where(Workflow.id < cursor)
    return list(orm.scalars(query))


def find_working_place(connection: Any, workflow_id: str) -> WorkingPlace | None:
    """Where the agents of a workflow work; None if there never was one with this id.

    For `Database.read_sql`: this is on the path of every invoke.
    """
    found = connection.execute(_WORKING_PLACE, (workflow_id,)).fetchone()
    return None if found is None else WorkingPlace(*found)


def set_worktree(
    connection: Any,
    workflow_id: str,
    branch: str,
    base_branch: str | None,
    outcome: str | None,
) -> None:
    """Note what a workflow's worktree has checked out, and how it ended. For `write_sql`."""
    connection.execute(
        "UPDATE workflows SET branch = ?, base_branch = ?, worktree_outcome = ? WHERE id = ?",
        (branch, base_branch, outcome, workflow_id),
    )


def list_with_worktree(orm: OrmSession) -> list[Workflow]:
    """The workflows whose worktree is there, or will be with their first message; newest first."""
    query = select(Workflow).where(
        Workflow.worktree.is_not(None), Workflow.worktree_outcome.is_(None)
    )
    return list(orm.scalars(query.order_by(Workflow.id.desc())))


def stage_for_invoke(connection: Any, workflow_id: str, stage_index: int | None) -> InvokedStage:
    """The stage to run: the one asked for, or the current.

    NotFound for an unknown workflow, BadRequest if the workflow or the stage can't run.
    For `Database.write_sql`: this is on the path of every invoke.
    """
    asked = {"id": workflow_id, "stage_index": stage_index}
    found = connection.execute(_INVOKABLE, asked).fetchone()
    if found is None:
        raise _unknown(workflow_id)
    status, current_stage, stage_count, has_agent_gate, template = found
    if status != "active":
        raise BadRequest(
            f"Workflow {workflow_id!r} is {status}; only an active workflow can invoke an agent.",
            field="workflowId",
        )
    if stage_index is None:
        stage_index = int(current_stage)
    if not 0 <= stage_index < stage_count:
        raise BadRequest(
            f"stageIndex {stage_index} is out of range: workflow {workflow_id!r} has "
            f"{stage_count} stage(s), 0 to {stage_count - 1}.",
            field="stageIndex",
        )
    return InvokedStage(stage_index, bool(has_agent_gate), template)


def _unknown(workflow_id: str) -> NotFound:
    return NotFound(f"There is no workflow {workflow_id!r}.", field="workflowId")
