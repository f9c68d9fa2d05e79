"""Rows of sessions."""

from typing import Any

import pytest

from tests.store.rows import ENDED_AT, add_ended, add_session, rows
from webapp.errors import NotFound
from webapp.store import sessions
from webapp.store.engine import Database
from webapp.store.models import Session

END = sessions.End(
    status="failed",
    exit_code=3,
    exit_signal=None,
    error=None,
    log_bytes=42,
    ended_at=ENDED_AT,
    pid=7,
    started_at="2026-11-23T21:04:00.223Z",
)


def new(workflow_id: str, session_id: str = "session-1") -> Session:
    """A session that is about to start."""
    return Session(
        id=session_id,
        workflow_id=workflow_id,
        stage_index=0,
        agent="demo",
        argv="[]",
        cwd=None,
        takes_input=0,
        host="here",
        log_path="x",
        status="starting",
        created_at=ENDED_AT,
    )


def test_session_is_inserted_with_its_message_and_its_key(
    database: Database, workflow_id: str
) -> None:
    session = new(workflow_id)

    def insert(sql: Any) -> tuple[str, str] | None:
        sessions.add_session(sql, session, "go")
        sessions.add_idempotency_key(sql, "k", "hash", session)
        return sessions.find_idempotency_key(sql, "k")

    assert database.write_sql(insert) == ("hash", "session-1")
    with database.read() as orm:
        assert sessions.get_session(orm, "session-1").is_live
    (message,) = rows(database, "SELECT * FROM messages WHERE session_id IS NOT NULL")
    assert (message["role"], message["content"]) == ("user", "go")


def test_session_without_a_message_has_none(database: Database, workflow_id: str) -> None:
    database.write_sql(lambda sql: sessions.add_session(sql, new(workflow_id), None))
    assert rows(database, "SELECT * FROM messages WHERE session_id IS NOT NULL") == []


@pytest.mark.parametrize("text", ["", "\0", "a\0b", "\U0001f600\u2028", "x" * (1 << 20)], ids=len)
def test_message_is_kept_as_it_is(database: Database, workflow_id: str, text: str) -> None:
    database.write_sql(lambda sql: sessions.add_session(sql, new(workflow_id), text))
    (message,) = rows(database, "SELECT content FROM messages WHERE session_id IS NOT NULL")
    assert message["content"] == text


def test_unknown_session_was_never_there(database: Database) -> None:
    with database.read() as orm:
        assert sessions.find_session(orm, "session-0") is None
        with pytest.raises(NotFound, match="never was one") as caught:
            sessions.get_session(orm, "session-0")
    assert caught.value.field == "sessionId"


def test_live_sessions_are_found(database: Database, workflow_id: str) -> None:
    add_ended(database, workflow_id)
    live = [add_session(database, workflow_id, status=status) for status in ("starting", "running")]
    with database.read() as orm:
        assert {session.id for session in sessions.live_sessions(orm)} == set(live)


def test_newest_session_of_a_workflow_is_found(database: Database, workflow_id: str) -> None:
    with database.read() as orm:
        assert sessions.newest_session(orm, workflow_id) is None
    add_session(database, workflow_id, id="session-1")
    add_session(database, workflow_id, id="session-2")
    with database.read() as orm:
        newest = sessions.newest_session(orm, workflow_id)
        assert newest is not None
        assert newest.id == "session-2"
        assert sessions.newest_of_all(orm) == newest


def test_live_row_is_closed(database: Database, workflow_id: str) -> None:
    session_id = add_session(database, workflow_id)
    database.write(lambda orm: sessions.end_session(orm, session_id, END))
    with database.read() as orm:
        row = sessions.get_session(orm, session_id)
    assert (row.status, row.exit_code, row.log_bytes, row.pid) == ("failed", 3, 42, 7)
    assert (row.ended_at, row.started_at) == (END.ended_at, END.started_at)
    assert not row.is_live


def test_ended_row_stays_as_it_is(database: Database, workflow_id: str) -> None:
    session_id = add_ended(database, workflow_id)
    before = rows(database, "SELECT * FROM sessions")
    database.write(lambda orm: sessions.end_session(orm, session_id, END))
    assert rows(database, "SELECT * FROM sessions") == before


def test_end_that_knows_no_pid_keeps_the_one_that_is_known(
    database: Database, workflow_id: str
) -> None:
    from dataclasses import replace

    session_id = add_session(database, workflow_id, status="running", pid=99)
    end = replace(END, pid=None, started_at=None)
    database.write(lambda orm: sessions.end_session(orm, session_id, end))
    with database.read() as orm:
        assert sessions.get_session(orm, session_id).pid == 99


def test_a_look_up_finds_what_the_models_find(database: Database, workflow_id: str) -> None:
    add_ended(database, workflow_id)
    (row,) = rows(database, "SELECT * FROM sessions")
    found = database.read_sql(lambda sql: sessions.look_up(sql, row["id"]))
    assert {name: getattr(found, name) for name in row} == dict(row)
    with pytest.raises(NotFound, match="'session-9'"):
        database.read_sql(lambda sql: sessions.look_up(sql, "session-9"))
