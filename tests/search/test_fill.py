"""Which sessions the index hears of, and when it has done with one."""

import os
from unittest import mock

from tests.search.shelf import Shelf
from tests.store.rows import execute
from webapp.log import lock, reader

END = "UPDATE sessions SET status = 'failed', ended_at = '2026' WHERE id = :id"
DELETE = "UPDATE sessions SET log_deleted_at = '2026' WHERE id = :id"


def test_deleted_log_is_not_read(shelf: Shelf) -> None:
    early, late = shelf.add("word"), shelf.add("word")
    execute(shelf.database, DELETE, id=early)
    sum(shelf.filler.learn())
    execute(shelf.database, DELETE, id=late)
    assert sum(shelf.filler.steps()) == 0
    assert shelf.index.counts() == (2, 0)
    assert shelf.sessions("word") == []


def test_row_that_comes_an_hour_late_is_read(shelf: Shelf) -> None:
    shelf.count = 4000
    shelf.add("in time")
    shelf.fill()
    shelf.count = 10
    late = shelf.add("late")
    shelf.fill()
    assert shelf.sessions("late") == [late]


def test_new_filler_reads_all_rows_once(shelf: Shelf) -> None:
    early, _late = shelf.add("early"), shelf.add("late")
    shelf.fill()
    shelf.index.remove(early)
    shelf.fill()
    assert shelf.sessions("early") == []
    shelf.fill(shelf.small_steps())
    assert shelf.sessions("early") == [early]


def test_rows_of_a_restored_backup_are_read(shelf: Shelf) -> None:
    for _ in range(3):
        shelf.add("lost")
    shelf.fill()
    execute(shelf.database, "DELETE FROM sessions")
    new = shelf.add("new")
    shelf.fill()
    assert shelf.sessions("new") == [new]


def test_log_that_is_still_held_is_not_done(shelf: Shelf) -> None:
    session_id = shelf.add("early words", status="running")
    fd = lock.open_log(shelf.files(session_id).log)
    assert lock.acquire(fd)
    execute(shelf.database, END, id=session_id)
    shelf.fill()
    assert shelf.index.counts() == (1, 1)
    shelf.write(session_id, "last words")
    os.close(fd)
    shelf.fill()
    assert shelf.index.counts() == (1, 0)
    assert shelf.sessions("last") == [session_id]


def test_log_that_cannot_be_read_keeps_none_from_it_and_is_tried_again(shelf: Shelf) -> None:
    bad, good = shelf.add("word"), shelf.add("word")
    log = shelf.files(bad).log
    elsewhere = log.rename(log.with_name("elsewhere"))
    log.symlink_to(elsewhere)
    shelf.fill()
    assert shelf.sessions("word") == [good]
    elsewhere.replace(log)
    shelf.fill()
    assert sorted(shelf.sessions("word")) == [bad, good]


def test_log_that_has_not_grown_is_not_read_again(shelf: Shelf) -> None:
    session_id = shelf.add("word", status="running")
    shelf.fill()
    with mock.patch.object(reader, "read_records", wraps=reader.read_records) as read:
        shelf.fill()
        assert read.call_count == 0
        shelf.write(session_id, "more")
        shelf.fill()
        assert read.call_count > 0
