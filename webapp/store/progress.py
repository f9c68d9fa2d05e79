"""How a workflow proceeds: its status, its stages and their gates.

For `Database.write`: each function reads, checks and changes in one transaction. It also adds a
message of the role `system` to the history, so that followers see the workflow change.
"""

from sqlalchemy.orm import Session as OrmSession

from webapp.errors import BadRequest, Conflict
from webapp.store.messages import add_message, find_by_key
from webapp.store.models import WORKFLOW_STATUSES, Message, Workflow, now
from webapp.store.workflows import get_workflow


def set_status(orm: OrmSession, workflow_id: str, status: str) -> Workflow:
    """Give a workflow a status; the one that it has already is no change.

    Raises NotFound, BadRequest for no status, Conflict for a workflow that is over.
    """
    if status not in WORKFLOW_STATUSES:
        raise BadRequest(
            f"Unknown status {status!r}. Available: {', '.join(WORKFLOW_STATUSES)}.",
            field="status",
        )
    workflow = get_workflow(orm, workflow_id)
    if workflow.status == status:
        return workflow
    _require_not_over(workflow)
    workflow.status = status
    _note(orm, workflow, f"The workflow is {status}.")
    return workflow


def satisfy_gate(orm: OrmSession, workflow_id: str, stage_index: int | None) -> Workflow:
    """Open the gate of the current stage for a person; an open one stays open.

    Raises NotFound, and Conflict for a workflow that is over or another stage than the
    current.
    """
    workflow = get_workflow(orm, workflow_id)
    _require_not_over(workflow)
    _require_current(workflow, stage_index)
    stage = workflow.stages[workflow.current_stage]
    if stage.gate_satisfied_at is None:
        stage.gate_satisfied_at = now()
        _note(orm, workflow, f"The gate of stage {stage.name!r} is open.")
    return workflow


def advance(orm: OrmSession, workflow_id: str, stage_index: int | None) -> Workflow:
    """Go on to the next stage, or after the last one complete the workflow.

    `stage_index` is the stage to leave: a request that comes twice does not skip one.
    Raises NotFound, and Conflict for a workflow that is not active, another stage than the
    current, or a gate that is closed.
    """
    workflow = get_workflow(orm, workflow_id)
    if workflow.status != "active":
        raise Conflict(
            f"Workflow {workflow_id!r} is {workflow.status}; only an active one can advance.",
            field="workflowId",
        )
    _require_current(workflow, stage_index)
    stage = workflow.stages[workflow.current_stage]
    if stage.gate_satisfied_at is None:
        raise Conflict(
            f"The gate of stage {stage.name!r} ({stage.gate_type}) is closed.", field="stageIndex"
        )
    stage.status = "completed"
    if workflow.current_stage + 1 == len(workflow.stages):
        workflow.status = "completed"
        _note(orm, workflow, "The workflow is completed.")
        return workflow
    workflow.current_stage += 1
    reached = workflow.stages[workflow.current_stage]
    reached.status = "active"
    _note(orm, workflow, f"Stage {reached.name!r} begins.")
    return workflow


def say(
    orm: OrmSession,
    workflow_id: str,
    content: str,
    stage_index: int | None,
    key: str | None = None,
) -> Message:
    """Add what a person said, without starting an agent; once for each `key`.

    Raises NotFound, BadRequest for a stage that there is not, Conflict for a workflow that
    is over, or for a key that was used for something else.
    """
    workflow = get_workflow(orm, workflow_id)
    sent = None if key is None else find_by_key(orm, key)
    if sent is not None:
        same_stage = stage_index in (None, sent.stage_index)
        if not same_stage or (sent.workflow_id, sent.content) != (workflow_id, content):
            raise Conflict(
                f"idempotencyKey {key!r} was used for another message, {sent.id}.",
                field="idempotencyKey",
            )
        return sent
    _require_not_over(workflow)
    if stage_index is not None and stage_index >= len(workflow.stages):
        raise BadRequest(
            f"stageIndex {stage_index} is out of range: workflow {workflow_id!r} has "
            f"{len(workflow.stages)} stage(s), 0 to {len(workflow.stages) - 1}.",
            field="stageIndex",
        )
    return add_message(orm, workflow, "user", content, stage_index=stage_index, key=key)


def _require_not_over(workflow: Workflow) -> None:
    if workflow.is_over:
        raise Conflict(
            f"Workflow {workflow.id!r} is {workflow.status}, and stays so.", field="workflowId"
        )


def _require_current(workflow: Workflow, stage_index: int | None) -> None:
    if stage_index is not None and stage_index != workflow.current_stage:
        raise Conflict(
            f"Stage {stage_index} of workflow {workflow.id!r} is not the current one, which is "
            f"{workflow.current_stage}.",
            field="stageIndex",
        )


def _note(orm: OrmSession, workflow: Workflow, content: str) -> None:
    workflow.updated_at = now()
    add_message(orm, workflow, "system", content)
