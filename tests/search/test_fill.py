"""Which sessions the index reads, and when it has done with one."""

import os
from pathlib import Path

from tests.search.stored_sessions import StoredSessions
from tests.store.rows import execute
from webapp.log import lock

END = "UPDATE sessions SET status = 'failed', ended_at = '2026' WHERE id = :id"
DELETE = "UPDATE sessions SET log_deleted_at = '2026' WHERE id = :id"


def bytes_read() -> int:
    """How much this process has read from files so far."""
    return int(Path("/proc/self/io").read_text().split()[1])


def test_deleted_log_is_not_read(stored: StoredSessions) -> None:
    early, late = stored.add("word"), stored.add("word")
    execute(stored.database, DELETE, id=early)
    sum(stored.filler.learn())
    execute(stored.database, DELETE, id=late)
    assert sum(stored.filler.steps()) == 0
    assert stored.index.counts() == (2, 0)
    assert stored.sessions("word") == []


def test_row_that_comes_an_hour_late_is_read(stored: StoredSessions) -> None:
    stored.count = 4000
    stored.add("in time")
    stored.fill()
    stored.count = 10
    late = stored.add("late")
    stored.fill()
    assert stored.sessions("late") == [late]


def test_new_filler_reads_all_rows_once(stored: StoredSessions) -> None:
    early, _late = stored.add("early"), stored.add("late")
    stored.fill()
    stored.index.remove(early)
    stored.fill()
    assert stored.sessions("early") == []
    stored.fill(stored.small_steps())
    assert stored.sessions("early") == [early]


def test_rows_of_a_restored_backup_are_read(stored: StoredSessions) -> None:
    for _ in range(3):
        stored.add("lost")
    stored.fill()
    execute(stored.database, "DELETE FROM sessions")
    new = stored.add("new")
    stored.fill()
    assert stored.sessions("new") == [new]


def test_log_that_is_still_held_is_not_done(stored: StoredSessions) -> None:
    session_id = stored.add("early words", status="running")
    fd = lock.open_log(stored.files(session_id).log)
    assert lock.acquire(fd)
    execute(stored.database, END, id=session_id)
    stored.fill()
    assert stored.index.counts() == (1, 1)
    stored.write(session_id, "last words")
    os.close(fd)
    stored.fill()
    assert stored.index.counts() == (1, 0)
    assert stored.sessions("last") == [session_id]


def test_log_that_cannot_be_read_keeps_none_from_it_and_is_tried_again(
    stored: StoredSessions,
) -> None:
    bad, good = stored.add("word"), stored.add("word")
    log = stored.files(bad).log
    elsewhere = log.rename(log.with_name("elsewhere"))
    log.symlink_to(elsewhere)
    stored.fill()
    assert stored.sessions("word") == [good]
    elsewhere.replace(log)
    stored.fill()
    assert sorted(stored.sessions("word")) == [bad, good]


def test_log_that_has_not_grown_is_not_read_again(stored: StoredSessions) -> None:
    session_id = stored.add("x" * 500_000, status="running")
    stored.fill()
    before = bytes_read()
    stored.fill()
    assert bytes_read() - before < 500_000
    before = bytes_read()
    stored.write(session_id, "more")
    stored.fill()
    assert bytes_read() - before > 500_000
