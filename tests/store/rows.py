"""Rows for tests."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session as OrmSession

from webapp.store.engine import Database, DatabaseBusy
from webapp.store.ids import new_session_id

_COLUMNS: dict[str, Any] = {
    "stage_index": 0,
    "agent": "demo",
    "argv": '["demo"]',
    "cwd": None,
    "pid": None,
    "runner_pid": None,
    "host": "here",
    "log_path": "sessions/x/output.log",
    "status": "starting",
    "exit_code": None,
    "exit_signal": None,
    "error": None,
    "log_bytes": None,
    "created_at": "2026-11-23T21:04:00.123Z",
    "started_at": None,
    "ended_at": None,
}
ENDED_AT = "2026-11-23T21:04:07.523Z"


def add_session(database: Database, workflow_id: str, **columns: Any) -> str:
    """Insert a session with these columns; its id."""
    row = {"id": new_session_id(), "workflow_id": workflow_id} | _COLUMNS | columns
    names = ", ".join(row)
    parameters = ", ".join(f":{name}" for name in row)
    statement = text(f"INSERT INTO sessions ({names}) VALUES ({parameters})")
    database.write(lambda orm: orm.execute(statement, row))
    return str(row["id"])


def add_ended(database: Database, workflow_id: str, **columns: Any) -> str:
    """Insert a session that has ended; its id."""
    ended = {"status": "succeeded", "ended_at": ENDED_AT, "exit_code": 0}
    return add_session(database, workflow_id, **(ended | columns))


def execute(database: Database, statement: str, **values: Any) -> None:
    """Change something in a write transaction."""
    database.write(lambda orm: orm.execute(text(statement), values))


def write_patiently(database: Database, work: Callable[[OrmSession], Any]) -> None:
    """Write for as long as it takes: on a loaded machine others hold the lock for seconds."""
    for _ in range(30):
        with suppress(DatabaseBusy):
            database.write(work)
            return
    raise AssertionError("the database was locked for two minutes")


def rows(database: Database, query: str, **values: Any) -> list[dict[str, Any]]:
    """What a query finds."""
    with database.read() as orm:
        return [dict(row) for row in orm.execute(text(query), values).mappings()]
