"""Ids that nobody else has."""

import re
import subprocess
import sys
import threading
import time

from tests.server import ROOT
from tests.store.rows import rows, write_patiently
from webapp.store.engine import Database
from webapp.store.ids import SESSION_ID, WORKFLOW_ID, new_session_id, new_workflow_id

PROCESSES, THREADS, EACH = 4, 5, 1000
MAKE = """
import sys, threading
from pathlib import Path
from tests.store.test_ids import insert_in_threads
from webapp.store.engine import open_migrated
insert_in_threads(open_migrated(Path(sys.argv[1])), sys.argv[2])
"""


def insert_in_threads(database: Database, workflow_id: str) -> None:
    """Make ids in several threads at once and insert a session for each."""
    made: list[str] = []

    def make() -> None:
        for _ in range(EACH):
            made.append(new_session_id())

    threads = [threading.Thread(target=make) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    insert_all(database, workflow_id, made)


def insert_all(database: Database, workflow_id: str, ids: list[str]) -> None:
    """Insert sessions, some hundred in a transaction."""
    from sqlalchemy import text

    statement = text(
        "INSERT INTO sessions (id, workflow_id, stage_index, agent, argv, host, log_path, status,"
        " created_at) VALUES (:id, :workflow_id, 0, 'demo', '[]', 'here', :id, 'starting', '')"
    )
    for start in range(0, len(ids), 500):
        values = [{"id": id_, "workflow_id": workflow_id} for id_ in ids[start : start + 500]]
        write_patiently(database, lambda orm, values=values: orm.execute(statement, values))  # type: ignore[misc]


def test_twenty_thousand_sessions_made_at_once_have_an_id_each(
    database: Database, workflow_id: str
) -> None:
    command = [sys.executable, "-c", MAKE, str(database.path.parent), workflow_id]
    processes = [subprocess.Popen(command, cwd=ROOT) for _ in range(PROCESSES)]
    assert [process.wait() for process in processes] == [0] * PROCESSES
    (count,) = rows(database, "SELECT count(*) AS n FROM sessions")
    assert count["n"] == PROCESSES * THREADS * EACH


def test_id_has_its_form() -> None:
    assert SESSION_ID.fullmatch(new_session_id())
    assert WORKFLOW_ID.fullmatch(new_workflow_id())
    assert re.fullmatch(r"session-\d{13}-[0-9a-z]{12}", new_session_id())


def test_id_says_when_it_was_made() -> None:
    before = time.time_ns() // 1_000_000
    made = int(new_session_id().split("-")[1])
    assert before <= made <= time.time_ns() // 1_000_000


def test_ids_sort_by_time() -> None:
    ids = []
    for _ in range(5):
        ids.append(new_session_id())
        time.sleep(0.002)
    assert ids == sorted(ids)


def test_all_letters_are_used() -> None:
    letters = "".join(new_session_id()[-12:] for _ in range(300))
    assert len(set(letters)) == 36
