"""Rows of workflows and their stages."""

import re

import pytest

from tests.store.rows import execute, rows
from webapp.errors import BadRequest, NotFound
from webapp.store import workflows
from webapp.store.engine import Database
from webapp.store.models import WORKFLOW_STATUSES


def stage_for(database: Database, workflow_id: str, stage_index: int | None = None) -> int:
    """The stage that an invoke runs."""
    return database.write_sql(
        lambda sql: workflows.stage_for_invoke(sql, workflow_id, stage_index).stage_index
    )


def test_new_workflow_is_active_in_the_first_stage_of_its_template(
    database: Database, workflow_id: str
) -> None:
    with database.read() as orm:
        workflow = workflows.get_workflow(orm, workflow_id)
        assert (workflow.status, workflow.current_stage) == ("active", 0)
        assert [(stage.name, stage.status) for stage in workflow.stages] == [("chat", "active")]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", workflow.created_at)


def test_first_message_is_kept(database: Database, workflow_id: str) -> None:
    (message,) = rows(database, "SELECT * FROM messages")
    assert (message["role"], message["content"], message["session_id"]) == ("user", "hello", None)


def test_unknown_template_is_refused_with_those_that_there_are(database: Database) -> None:
    with pytest.raises(BadRequest, match="chat") as caught:
        database.write(
            lambda orm: workflows.create_workflow(
                orm, template="none", request_id=None, initial_message=None
            )
        )
    assert caught.value.field == "template"


def test_unknown_workflow_is_not_found(database: Database) -> None:
    with database.read() as orm, pytest.raises(NotFound) as caught:
        workflows.get_workflow(orm, "workflow-0")
    assert caught.value.field == "workflowId"
    with pytest.raises(NotFound):
        stage_for(database, "workflow-0")


def test_workflows_are_listed_newest_first_and_by_status(
    database: Database, workflow_id: str
) -> None:
    with database.read() as orm:
        for status, expected in (("active", [workflow_id]), ("paused", []), (None, [workflow_id])):
            found = workflows.list_workflows(orm, workflows.Filter(status), limit=10, cursor=None)
            assert [workflow.id for workflow in found] == expected
        assert workflows.list_workflows(orm, workflows.Filter(), limit=10, cursor=workflow_id) == []
        with pytest.raises(BadRequest, match="active, paused"):
            workflows.list_workflows(orm, workflows.Filter("done"), limit=10, cursor=None)


def test_invoke_runs_the_current_stage_by_default(database: Database, workflow_id: str) -> None:
    assert stage_for(database, workflow_id) == 0
    assert stage_for(database, workflow_id, 0) == 0


@pytest.mark.parametrize("stage_index", [-1, 1, 10_000])
def test_stage_out_of_range_is_refused(
    database: Database, workflow_id: str, stage_index: int
) -> None:
    with pytest.raises(BadRequest, match="out of range") as caught:
        stage_for(database, workflow_id, stage_index)
    assert caught.value.field == "stageIndex"


@pytest.mark.parametrize("status", [status for status in WORKFLOW_STATUSES if status != "active"])
def test_workflow_that_is_not_active_is_refused_with_its_status(
    database: Database, workflow_id: str, status: str
) -> None:
    execute(database, "UPDATE workflows SET status = :status", status=status)
    with pytest.raises(BadRequest, match=status) as caught:
        stage_for(database, workflow_id)
    assert caught.value.field == "workflowId"
