"""The tables as SQLite has them: what the models say, and what they will not take."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import Table, exc, inspect

from tests.store.rows import ENDED_AT, add_ended, add_session, execute, rows
from webapp.store.engine import Database, open_engine
from webapp.store.models import ENDED, STATUSES, WORKFLOW_OVER, WORKFLOW_STATUSES, Base
from webapp.store.workflows import create_workflow


@pytest.mark.parametrize("name", sorted(Base.metadata.tables))
def test_model_has_the_columns_of_its_table(database: Database, name: str) -> None:
    engine = open_engine(database.path)
    migrated = inspect(engine).get_columns(name)
    keys = inspect(engine).get_pk_constraint(name)["constrained_columns"]
    engine.dispose()
    model: Table = Base.metadata.tables[name]
    as_migrated = [
        (column["name"], str(column["type"]), column["nullable"] and column["name"] not in keys)
        for column in migrated
    ]
    as_model = [
        (column.name, _type_of(column.type), bool(column.nullable)) for column in model.columns
    ]
    assert as_model == as_migrated
    assert [column.name for column in model.primary_key] == keys


def _type_of(kind: Any) -> str:
    return {"VARCHAR": "TEXT"}.get(str(kind), str(kind))


def test_each_table_has_a_model(database: Database) -> None:
    tables = rows(database, "SELECT name, sql FROM sqlite_schema WHERE type = 'table'")
    names = {table["name"] for table in tables}
    assert names - {"alembic_version", "sqlite_sequence"} == set(Base.metadata.tables)


@pytest.mark.parametrize("name", sorted(Base.metadata.tables))
def test_table_is_strict(database: Database, name: str) -> None:
    (table,) = rows(database, "SELECT strict FROM pragma_table_list(:name)", name=name)
    assert table["strict"] == 1


def test_each_foreign_key_of_a_model_is_one_of_its_table(database: Database) -> None:
    engine = open_engine(database.path)
    for name, model in Base.metadata.tables.items():
        migrated = {
            (key["constrained_columns"][0], key["referred_table"])
            for key in inspect(engine).get_foreign_keys(name)
        }
        assert migrated == {(key.parent.name, key.column.table.name) for key in model.foreign_keys}
    engine.dispose()


# --- what they will not take ----------------------------------------------------------


def test_session_of_an_unknown_workflow_is_refused(database: Database) -> None:
    with pytest.raises(exc.IntegrityError, match="FOREIGN KEY"):
        add_session(database, "workflow-0")


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "unheard-of"},
        {"status": "succeeded", "ended_at": None},
        {"stage_index": -1},
        {"argv": "not json"},
        {"agent": None},
        {"log_path": None},
        {"pid": "seven"},
        {"state": "asleep"},
        {"open_approvals": "not json"},
        {"exit_code": 1.5},
    ],
    ids=str,
)
def test_session_that_makes_no_sense_is_refused(
    database: Database, workflow_id: str, columns: dict[str, Any]
) -> None:
    with pytest.raises(exc.IntegrityError):
        add_session(database, workflow_id, **columns)


@pytest.mark.parametrize("status", STATUSES)
def test_each_status_of_a_session_is_taken(
    database: Database, workflow_id: str, status: str
) -> None:
    add_session(database, workflow_id, status=status, ended_at=ENDED_AT)


@pytest.mark.parametrize("status", WORKFLOW_STATUSES)
def test_each_status_of_a_workflow_is_taken(
    database: Database, workflow_id: str, status: str
) -> None:
    execute(database, "UPDATE workflows SET status = :status", status=status)


def test_other_status_of_a_workflow_is_refused(database: Database, workflow_id: str) -> None:
    with pytest.raises(exc.IntegrityError):
        execute(database, "UPDATE workflows SET status = 'unheard-of'")


@pytest.mark.parametrize("before", ENDED)
@pytest.mark.parametrize("after", STATUSES)
def test_ended_session_never_changes_its_status(
    database: Database, workflow_id: str, before: str, after: str
) -> None:
    add_ended(database, workflow_id, status=before)
    if after == before:
        execute(database, "UPDATE sessions SET status = :after", after=after)
        return
    with pytest.raises(exc.IntegrityError, match="never changes"):
        execute(database, "UPDATE sessions SET status = :after", after=after)
    assert rows(database, "SELECT status FROM sessions") == [{"status": before}]


@pytest.mark.parametrize("before", WORKFLOW_OVER)
@pytest.mark.parametrize("after", WORKFLOW_STATUSES)
def test_workflow_that_is_over_never_changes(
    database: Database, workflow_id: str, before: str, after: str
) -> None:
    execute(database, "UPDATE workflows SET status = :before", before=before)
    if after == before:
        execute(database, "UPDATE workflows SET status = :after", after=after)
        return
    for change in ("status = :after", "current_stage = length(:after)"):
        with pytest.raises(exc.IntegrityError, match="never changes"):
            execute(database, f"UPDATE workflows SET {change}", after=after)
    assert rows(database, "SELECT status, current_stage FROM workflows") == [
        {"status": before, "current_stage": 0}
    ]


# --- for people -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "outcome"),
    [
        ({"status": "succeeded", "exit_code": 0}, "exit 0"),
        ({"status": "failed", "exit_code": 7}, "exit 7"),
        ({"status": "failed", "exit_code": None, "exit_signal": "SIGKILL"}, "SIGKILL"),
        ({"status": "failed", "exit_code": None, "error": "command not found"}, "command not f"),
        ({"status": "lost", "exit_code": None, "error": "the runner is gone"}, "the runner is"),
    ],
)
def test_overview_says_how_a_session_ended(
    database: Database, workflow_id: str, columns: dict[str, Any], outcome: str
) -> None:
    add_ended(database, workflow_id, **columns)
    (line,) = rows(database, "SELECT * FROM session_overview")
    assert line["outcome"].startswith(outcome)
    assert line["status"] == columns["status"]


def test_overview_is_one_readable_line_a_session(database: Database, workflow_id: str) -> None:
    session_id = add_ended(
        database, workflow_id, started_at="2026-11-23T21:04:00.023Z", log_bytes=123_456
    )
    (line,) = rows(database, "SELECT * FROM session_overview")
    assert line == {
        "session": session_id,
        "status": "succeeded",
        "outcome": "exit 0",
        "agent": "demo",
        "started": "2026-11-23 21:04:00",
        "took": "7.5 s",
        "log_size": "123 kB",
        "cost": "",
        "workflow": workflow_id,
        "stage": 0,
        "log": "sessions/x/output.log",
    }


def test_live_sessions_are_those_that_have_not_ended(database: Database, workflow_id: str) -> None:
    add_ended(database, workflow_id)
    live = add_session(database, workflow_id, status="running", pid=7)
    waiting = add_session(database, workflow_id, status="running", pid=8, state="waiting")
    lines = rows(database, "SELECT * FROM live_sessions ORDER BY session")
    found = [(line["session"], line["outcome"]) for line in lines]
    assert sorted(found) == sorted([(live, "pid 7"), (waiting, "pid 8, waiting")])


def test_conversation_has_at_most_one_live_session(database: Database, workflow_id: str) -> None:
    for _ in range(2):
        add_ended(database, workflow_id, conversation_id="c-1")
    add_session(database, workflow_id, status="running", conversation_id="c-1")
    with pytest.raises(exc.IntegrityError, match="conversation_id"):
        add_session(database, workflow_id, conversation_id="c-1")
    for _ in range(2):
        add_session(database, workflow_id)


def test_workflow_overview_counts_sessions(database: Database, workflow_id: str) -> None:
    add_ended(database, workflow_id)
    add_session(database, workflow_id)
    (line,) = rows(database, "SELECT * FROM workflow_overview")
    assert (line["workflow"], line["stage"]) == (workflow_id, "chat (1 of 1)")
    assert (line["sessions"], line["live"], line["request"]) == (2, 1, "r-1")


def test_stage_overview_adds_up_its_sessions(database: Database, workflow_id: str) -> None:
    started = "2026-11-23T21:04:00.023Z"
    for status, cost in (("succeeded", 0.5), ("failed", 0.25), ("succeeded", None)):
        session_id = add_ended(database, workflow_id, status=status, started_at=started)
        if cost is not None:
            values = {"id": session_id, "cost": cost}
            execute(database, "INSERT INTO session_usage VALUES (:id, 10, 2, :cost, 7)", **values)
    assert rows(database, "SELECT * FROM stage_overview") == [
        {
            "workflow": workflow_id,
            "stage": 0,
            "name": "chat",
            "status": "active",
            "gate": "auto, open",
            "sessions": 3,
            "failed": 1,
            "seconds": 22.5,
            "input_tokens": 20,
            "output_tokens": 4,
            "cost_usd": 0.75,
        }
    ]


def test_stage_that_has_not_begun_is_in_the_overview(database: Database) -> None:
    create = partial(create_workflow, template="standard", request_id=None, initial_message=None)
    database.write(lambda orm: create(orm).id)
    found = rows(database, "SELECT gate, sessions, failed, cost_usd FROM stage_overview")
    closed = {"sessions": 0, "failed": 0, "cost_usd": None}
    person, agent = "human_approval, closed", "agent, closed"
    assert found == [{"gate": gate} | closed for gate in (person, person, agent, person)]


def test_history_names_who_said_what(database: Database, workflow_id: str) -> None:
    session_id = add_ended(database, workflow_id, agent="claude")
    say = "INSERT INTO messages VALUES (NULL, :workflow, 0, :session, 'agent', 'Done.', :at, NULL)"
    execute(database, say, workflow=workflow_id, session=session_id, at=ENDED_AT)
    found = rows(database, "SELECT who, said, session FROM history")
    assert found == [
        {"who": "user", "said": "hello", "session": None},
        {"who": "claude", "said": "Done.", "session": session_id},
    ]


VIEWS = (
    "session_overview",
    "live_sessions",
    "stage_overview",
    "workflow_overview",
    "history",
    "approval_overview",
    "turn_overview",
)


def test_overviews_of_an_empty_database_are_empty(database: Database) -> None:
    for view in VIEWS:
        assert rows(database, f"SELECT * FROM {view}") == []


def test_each_table_and_view_says_what_it_is(database: Database) -> None:
    query = "SELECT name, sql FROM sqlite_schema WHERE type IN ('table', 'view')"
    found = rows(database, f"{query} AND name NOT IN ('alembic_version', 'sqlite_sequence')")
    assert {row["name"] for row in found} >= {*VIEWS, *Base.metadata.tables}
    silent = [row["name"] for row in found if "  -- " not in row["sql"].partition("\n")[0]]
    assert silent == []


def test_session_used_nothing_less_than_nothing(database: Database, workflow_id: str) -> None:
    session_id = add_ended(database, workflow_id)
    for values in ("-1, 0, 0, 0", "0, -1, 0, 0", "0, 0, -0.1, 0", "0, 0, 0, -1"):
        with pytest.raises(exc.IntegrityError):
            execute(database, f"INSERT INTO session_usage VALUES (:id, {values})", id=session_id)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM sessions WHERE workflow_id = 'x' ORDER BY id DESC LIMIT 1",
        "SELECT * FROM sessions WHERE status = 'failed' ORDER BY id DESC LIMIT 51",
        "SELECT * FROM sessions ORDER BY id DESC LIMIT 51",
        "SELECT * FROM workflows WHERE status = 'active' ORDER BY id DESC LIMIT 51",
        "SELECT * FROM sessions WHERE open_approvals IS NOT NULL ORDER BY id",
        "SELECT * FROM sessions WHERE workflow_id = 'x' AND agent = 'claude'"
        " AND (talk IS NOT NULL OR conversation_id IS NOT NULL) ORDER BY id DESC LIMIT 1",
        "SELECT * FROM approvals WHERE session_id = 'x'",
    ],
)
def test_query_of_a_long_table_reads_an_index(database: Database, query: str) -> None:
    plan = " ".join(row["detail"] for row in rows(database, f"EXPLAIN QUERY PLAN {query}"))
    assert "USING" in plan
    assert "TEMP B-TREE" not in plan


def test_live_sessions_are_found_without_reading_the_ended_ones(database: Database) -> None:
    query = "SELECT * FROM sessions WHERE status IN ('starting', 'running') ORDER BY id"
    plan = " ".join(row["detail"] for row in rows(database, f"EXPLAIN QUERY PLAN {query}"))
    assert "INDEX" in plan
    assert "SCAN sessions USING INDEX sqlite_autoindex" not in plan
