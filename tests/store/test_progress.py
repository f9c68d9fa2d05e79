"""How a workflow goes on: statuses, stages and gates."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session as OrmSession

from tests.store.rows import execute, rows
from webapp.errors import BadRequest, Conflict, NotFound
from webapp.store import progress, workflows
from webapp.store.engine import Database
from webapp.store.models import WORKFLOW_OVER, WORKFLOW_STATUSES, Workflow
from webapp.store.templates import BUILT_IN, GATES, StageTemplate

Step = Callable[[OrmSession, str], object]
GATED = {
    "gated": tuple(StageTemplate(gate, gate, gate) for gate in (*GATES, "auto")),
}


def create(database: Database, template: str = "gated") -> str:
    """A new workflow's id; `gated` has a stage for each gate, and an open last one."""
    return database.write(
        lambda orm: (
            workflows.create_workflow(
                orm,
                template=template,
                request_id=None,
                initial_message=None,
                templates=BUILT_IN | GATED,
            ).id
        )
    )


def look(database: Database, workflow_id: str) -> Workflow:
    """The workflow as it is now."""
    with database.read() as orm:
        return workflows.get_workflow(orm, workflow_id)


def advance(database: Database, workflow_id: str, stage_index: int | None = None) -> Workflow:
    """One stage on."""
    return database.write(lambda orm: progress.advance(orm, workflow_id, stage_index))


def satisfy(database: Database, workflow_id: str, stage_index: int | None = None) -> Workflow:
    """Open the gate."""
    return database.write(lambda orm: progress.satisfy_gate(orm, workflow_id, stage_index))


def set_status(database: Database, workflow_id: str, status: str) -> Workflow:
    """Give it a status."""
    return database.write(lambda orm: progress.set_status(orm, workflow_id, status))


@pytest.mark.parametrize("template", BUILT_IN)
def test_only_auto_gates_are_open_from_the_start(database: Database, template: str) -> None:
    for stage in look(database, create(database, template)).stages:
        assert (stage.gate_satisfied_at is not None) == (stage.gate_type == "auto")


def test_standard_workflow_has_the_stages_of_its_name(database: Database) -> None:
    stages = look(database, create(database, "standard")).stages
    assert [stage.name for stage in stages] == [
        "request",
        "design",
        "implementation",
        "verification",
    ]


def test_workflow_goes_through_its_gates_and_is_completed(database: Database) -> None:
    workflow_id = create(database)
    advance(database, workflow_id)
    for index in (1, 2):
        with pytest.raises(Conflict, match="closed"):
            advance(database, workflow_id)
        satisfy(database, workflow_id, index)
        advance(database, workflow_id)
    workflow = look(database, workflow_id)
    assert [stage.status for stage in workflow.stages] == ["completed"] * 3 + ["active"]
    assert (workflow.status, workflow.current_stage) == ("active", 3)
    advance(database, workflow_id)
    workflow = look(database, workflow_id)
    assert (workflow.status, workflow.current_stage) == ("completed", 3)
    assert {stage.status for stage in workflow.stages} == {"completed"}


@pytest.mark.parametrize("index", [0, 2, 3, 99])
def test_gate_of_another_stage_than_the_current_stays_closed(
    database: Database, index: int
) -> None:
    workflow_id = create(database)
    advance(database, workflow_id)
    with pytest.raises(Conflict, match="not the current one") as caught:
        satisfy(database, workflow_id, index)
    assert caught.value.field == "stageIndex"
    assert [bool(s.gate_satisfied_at) for s in look(database, workflow_id).stages] == [
        True,
        False,
        False,
        True,
    ]


def test_gate_that_is_open_stays_as_it_is(database: Database) -> None:
    workflow_id = create(database)
    advance(database, workflow_id)
    first = satisfy(database, workflow_id).stages[1].gate_satisfied_at
    execute(database, "UPDATE stages SET gate_satisfied_at = '2026' WHERE stage_index = 1")
    assert first is not None
    assert satisfy(database, workflow_id).stages[1].gate_satisfied_at == "2026"


def test_advance_that_comes_twice_skips_no_stage(database: Database) -> None:
    workflow_id = create(database)
    advance(database, workflow_id, 0)
    with pytest.raises(Conflict, match="not the current one"):
        advance(database, workflow_id, 0)


@pytest.mark.parametrize("status", [status for status in WORKFLOW_STATUSES if status != "active"])
def test_only_an_active_workflow_advances(database: Database, status: str) -> None:
    workflow_id = create(database, "chat")
    set_status(database, workflow_id, status)
    with pytest.raises(Conflict, match=status):
        advance(database, workflow_id)


@pytest.mark.parametrize("before", WORKFLOW_STATUSES)
@pytest.mark.parametrize("after", WORKFLOW_STATUSES)
def test_status_changes_unless_the_workflow_is_over(
    database: Database, before: str, after: str
) -> None:
    workflow_id = create(database)
    set_status(database, workflow_id, before)
    if before in WORKFLOW_OVER and after != before:
        with pytest.raises(Conflict, match=before):
            set_status(database, workflow_id, after)
        assert look(database, workflow_id).status == before
    else:
        assert set_status(database, workflow_id, after).status == after


@pytest.mark.parametrize("status", WORKFLOW_OVER)
@pytest.mark.parametrize(
    "step",
    [
        lambda orm, workflow_id: progress.satisfy_gate(orm, workflow_id, None),
        lambda orm, workflow_id: progress.say(orm, workflow_id, "hello", None),
        lambda orm, workflow_id: progress.advance(orm, workflow_id, None),
    ],
    ids=["satisfy", "say", "advance"],
)
def test_nothing_happens_in_a_workflow_that_is_over(
    database: Database, status: str, step: Step
) -> None:
    workflow_id = create(database)
    set_status(database, workflow_id, status)
    before = rows(database, "SELECT * FROM messages")
    with pytest.raises(Conflict) as caught:
        database.write(lambda orm: step(orm, workflow_id))
    assert caught.value.field == "workflowId"
    assert rows(database, "SELECT * FROM messages") == before


def test_each_step_is_in_the_history(database: Database) -> None:
    workflow_id = create(database)
    advance(database, workflow_id)
    satisfy(database, workflow_id)
    set_status(database, workflow_id, "paused")
    set_status(database, workflow_id, "paused")
    assert rows(database, "SELECT role, content FROM messages ORDER BY id") == [
        {"role": "system", "content": "Stage 'human_approval' begins."},
        {"role": "system", "content": "The gate of stage 'human_approval' is open."},
        {"role": "system", "content": "The workflow is paused."},
    ]


def test_unknown_workflow_status_and_stage_are_refused(database: Database) -> None:
    with pytest.raises(NotFound):
        advance(database, "workflow-0")
    workflow_id = create(database)
    with pytest.raises(BadRequest, match="active, paused") as caught:
        set_status(database, workflow_id, "done")
    assert caught.value.field == "status"
    with pytest.raises(BadRequest, match="0 to 3") as caught:
        database.write(lambda orm: progress.say(orm, workflow_id, "hello", 4))
    assert caught.value.field == "stageIndex"
