"""One SQLite file, many processes."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pysqlite3
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session as OrmSession

from tests.server import ROOT, wait_for
from tests.store.fresh_var import make_var
from tests.store.locked import held
from tests.store.rows import execute, rows
from webapp.errors import NotFound, ServiceUnavailable
from webapp.store import engine, workflows
from webapp.store.engine import Database, DatabaseBusy, DatabaseFull, open_migrated

INCREMENTS = 100
INCREMENT = """
import sys
from pathlib import Path
from sqlalchemy import text
from tests.store.rows import write_patiently
from webapp.store.engine import open_migrated

def add_one(orm):
    count = int(orm.scalar(text("SELECT request_id FROM workflows")))
    orm.execute(text("UPDATE workflows SET request_id = :count"), {"count": str(count + 1)})

database = open_migrated(Path(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    write_patiently(database, add_one)
"""
OPEN_AND_CLOSE = """
import sys
import pysqlite3
print(flush=True)
while True:
    connection = pysqlite3.connect(sys.argv[1], timeout=0.2, isolation_level=None)
    try:
        connection.execute("UPDATE workflows SET request_id = 'x'")
    except pysqlite3.OperationalError:
        pass
    connection.close()
"""


def create(database: Database) -> str:
    """A new workflow's id."""
    return database.write(
        lambda orm: (
            workflows.create_workflow(orm, template="chat", request_id="0", initial_message=None).id
        )
    )


def test_sqlite_is_a_version_without_the_wal_reset_bug() -> None:
    assert pysqlite3.sqlite_version_info >= (3, 51, 3)


def test_connection_checks_foreign_keys_and_syncs_each_commit(database: Database) -> None:
    assert rows(database, "PRAGMA foreign_keys") == [{"foreign_keys": 1}]
    assert rows(database, "PRAGMA synchronous") == [{"synchronous": 2}]
    assert rows(database, "PRAGMA journal_mode") == [{"journal_mode": "wal"}]


def test_no_increment_of_several_processes_is_lost(database: Database) -> None:
    create(database)
    command = [sys.executable, "-c", INCREMENT, str(database.path.parent), str(INCREMENTS)]
    processes = [subprocess.Popen(command, cwd=ROOT) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert rows(database, "SELECT request_id FROM workflows") == [
        {"request_id": str(4 * INCREMENTS)}
    ]


def test_write_has_the_lock_from_its_beginning(database: Database) -> None:
    other = pysqlite3.connect(str(database.path), timeout=0, isolation_level=None)

    def work(orm: OrmSession) -> None:
        orm.execute(text("SELECT 1"))
        with pytest.raises(pysqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")

    database.write(work)
    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_error_in_the_work_undoes_all_of_it(database: Database) -> None:
    def work(orm: OrmSession) -> None:
        create_in(orm)
        workflows.get_workflow(orm, "nowhere")

    with pytest.raises(NotFound):
        database.write(work)
    assert rows(database, "SELECT * FROM workflows") == []


def create_in(orm: OrmSession) -> None:
    """A workflow in an open transaction."""
    workflows.create_workflow(orm, template="chat", request_id=None, initial_message=None)


def test_read_sees_one_moment(database: Database) -> None:
    count = text("SELECT count(*) FROM workflows")
    with database.read() as orm:
        before = orm.scalar(count)
        create(database)
        assert orm.scalar(count) == before
    with database.read() as orm:
        assert orm.scalar(count) == 1


# --- a locked database ----------------------------------------------------------------


def test_write_gives_up_after_its_patience(database: Database) -> None:
    database.patience_seconds = 0.3
    with held(database.path):
        began = time.monotonic()
        with pytest.raises(DatabaseBusy) as caught:
            create(database)
        assert 0.3 <= time.monotonic() - began < 2
    assert isinstance(caught.value, ServiceUnavailable)
    assert (caught.value.status, caught.value.retry_after) == (503, 2)


def test_write_goes_through_once_the_lock_is_free(database: Database) -> None:
    written: list[str] = []
    with held(database.path):
        writer = threading.Thread(target=lambda: written.append(create(database)))
        writer.start()
        with pytest.raises(AssertionError):
            wait_for(lambda: written, patience_seconds=0.2)
    writer.join(10)
    assert len(written) == 1


def test_wait_for_the_lock_is_measured(database: Database) -> None:
    waits: list[float] = []
    database = engine.Database(database.path, waits.append, patience_seconds=0.3)
    create(database)
    assert waits == []
    with held(database.path), pytest.raises(DatabaseBusy):
        create(database)
    (wait_seconds,) = waits
    assert wait_seconds >= 0.3


def test_read_goes_on_while_another_writes(database: Database) -> None:
    create(database)
    with held(database.path):
        assert len(rows(database, "SELECT * FROM workflows")) == 1


def test_database_that_another_has_for_itself_is_busy(database: Database) -> None:
    create(database)
    database.close()
    database.patience_seconds = 0.1
    with held(database.path, locking="EXCLUSIVE"), pytest.raises(DatabaseBusy):
        rows(database, "SELECT * FROM workflows")


def test_sqlite_itself_never_waits_for_a_lock(database: Database) -> None:
    """In C the wait would stop every stream of a gevent worker."""
    assert rows(database, "PRAGMA busy_timeout") == [{"timeout": 0}]


def test_server_can_start_while_runners_write_their_ends(tmp_path: Path) -> None:
    """The last connection that closes has the whole file to itself for a moment."""
    var = make_var(tmp_path)
    path = var / engine.FILE_NAME
    command = [sys.executable, "-c", OPEN_AND_CLOSE, str(path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        for _ in range(150):
            database = open_migrated(var)
            rows(database, "SELECT * FROM workflows")
            database.close()
    finally:
        for process in processes:
            process.kill()
            process.communicate()


# --- other trouble --------------------------------------------------------------------


def test_full_disk_is_reported_as_such(database: Database) -> None:
    filler = "x" * 1_000_000
    with pytest.raises(DatabaseFull) as caught:
        database.write(
            lambda orm: (
                orm.execute(text("PRAGMA max_page_count = 60")),
                workflows.create_workflow(
                    orm, template="chat", request_id=filler, initial_message=None
                ),
            )
        )
    assert caught.value.status == 503


def test_database_that_may_not_be_written_is_reported_as_such(database: Database) -> None:
    def work(orm: OrmSession) -> None:
        orm.execute(text("PRAGMA query_only = 1"))
        create_in(orm)

    with pytest.raises(DatabaseFull, match="readonly"):
        database.write(work)


def test_mistake_in_the_sql_is_not_reported_as_trouble_with_the_disk(database: Database) -> None:
    with pytest.raises(Exception, match="no such table"):
        execute(database, "UPDATE no_such_table SET x = 1")
