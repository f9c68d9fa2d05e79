"""The keeper works alone, goes on after an error, and ends with its worker."""

import json
import os
import select
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.keeper.keeper import running_keeper
from tests.search.stored_sessions import StoredSessions
from tests.server import PATIENCE_SECONDS, wait_for
from tests.sessions.machine import kill, machine
from tests.store.rows import execute
from webapp.keeper.lock import KeeperLock
from webapp.keeper.retention import Limits, choose
from webapp.search.index import FILE_NAME as INDEX_NAME

LINES = ["a line of an agent's"] * 300


def test_error_of_one_round_costs_no_other(stored: StoredSessions) -> None:
    session_id = stored.add("needle")
    execute(stored.database, "ALTER TABLE sessions RENAME TO gone")
    with running_keeper(stored.var.parent) as keeper:
        wait_for(lambda: keeper.output().count("the keeper goes on with its next round") > 1)
        execute(stored.database, "ALTER TABLE gone RENAME TO sessions")
        wait_for(lambda: stored.sessions("needle") == [session_id])
        assert os.getpriority(os.PRIO_PROCESS, keeper.process.pid) == 19
        assert keeper.end_worker() == 0


def test_index_that_is_locked_is_filled_later(stored: StoredSessions) -> None:
    with (
        closing(sqlite3.connect(stored.var / INDEX_NAME, isolation_level=None)) as other,
        running_keeper(stored.var.parent) as keeper,
    ):
        other.execute("BEGIN IMMEDIATE")
        session_id = stored.add("needle")
        wait_for(lambda: keeper.output())
        other.execute("ROLLBACK")
        wait_for(lambda: stored.sessions("needle") == [session_id])


def test_what_is_off_is_not_done_and_what_is_on_is(stored: StoredSessions) -> None:
    old, new = (stored.add(*LINES) for _ in range(2))
    size = stored.files(new).log.stat().st_size
    with running_keeper(
        stored.var.parent, SEARCH="0", COMPRESS_AFTER_DAYS="0", MAX_KEPT_BYTES=str(size)
    ) as keeper:
        wait_for(lambda: not stored.files(old).log.exists())
        keeper.end_worker()
    assert stored.files(new).log.exists()
    with running_keeper(stored.var.parent, SEARCH="0", COMPRESS_AFTER_DAYS="0.00001"):
        wait_for(lambda: not stored.files(new).log.exists())
    assert stored.files(new).directory.exists()
    assert stored.find("line").groups == []


def test_session_whose_runner_died_ends_though_nobody_looks_at_it(tmp_path: Path) -> None:
    with machine(tmp_path) as place:
        lost, living = (place.wait_until_running(place.invoke()) for _ in range(2))
        kill(lost.runner_pid)
        wait_for(lambda: not place.is_locked(lost))
        with running_keeper(place.var.parent, SEARCH="0"):
            wait_for(lambda: place.row(lost).status == "lost")
        assert (place.row(lost).exit_code, place.row(living).status) == (None, "running")
        assert json.loads(place.records(lost)[-1].content)["status"] == "lost"


def test_second_keeper_does_nothing(stored: StoredSessions) -> None:
    session_id = stored.add(*LINES)
    first = KeeperLock(stored.var)
    assert first.acquire()
    with running_keeper(stored.var.parent, MAX_KEPT_BYTES="1") as keeper:
        assert keeper.process.wait(PATIENCE_SECONDS) == 0
    assert (keeper.output(), stored.files(session_id).log.exists()) == ("", True)
    first.release()


def test_only_one_has_the_lock_until_it_releases_it(stored: StoredSessions) -> None:
    first, second = KeeperLock(stored.var), KeeperLock(stored.var)
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()


def test_keeper_ends_with_its_worker_among_sessions_without_logs(stored: StoredSessions) -> None:
    """However many there are: their logs can be neither compressed nor skipped at once."""
    sample = stored.add(*LINES)
    execute(
        stored.database,
        """
        INSERT INTO sessions (id, workflow_id, stage_index, agent, argv, host, log_path, status,
            log_bytes, created_at, ended_at)
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
        SELECT printf('session-1600000000000-%012d', i), workflow_id, stage_index, agent, argv,
            host, printf('sessions/2020-09-13/session-1600000000000-%012d/output.log', i), status,
            log_bytes, created_at, '2020-09-13T12:00:00.000Z'
        FROM sessions, n WHERE id = :sample
        """,
        sample=sample,
    )
    assert sum(1 for _ in choose(stored.database, Limits(all_but_kept=True))) == 30_001
    with running_keeper(stored.var.parent, SEARCH="0", COMPRESS_AFTER_DAYS="1") as keeper:
        keeper.wait_until_at_work()
        assert keeper.end_worker(patience_seconds=10) == 0
    with running_keeper(stored.var.parent, SEARCH="0", COMPRESS_AFTER_DAYS="1"):
        wait_for(lambda: not stored.files(sample).log.exists())


def test_keeper_holds_nothing_of_the_server_and_ctrl_c_does_not_end_it(
    stored: StoredSessions,
) -> None:
    read_fd, write_fd = os.pipe()
    high_fd = 1500
    os.dup2(write_fd, high_fd)
    with running_keeper(stored.var.parent, pass_fds=(write_fd, high_fd)) as keeper:
        os.close(write_fd)
        os.close(high_fd)
        assert select.select([read_fd], [], [], PATIENCE_SECONDS)[0] == [read_fd]
        assert os.read(read_fd, 1) == b""
        keeper.wait_until_at_work()
        keeper.process.send_signal(signal.SIGINT)
        session_id = stored.add("needle")
        wait_for(lambda: stored.sessions("needle") == [session_id])
        assert keeper.end_worker() == 0
    os.close(read_fd)
