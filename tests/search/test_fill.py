"""Which sessions the index hears of, and when it has done with one."""

import os
from unittest import mock

from tests.search.shelf import Shelf
from tests.store.rows import execute
from webapp.log import lock, reader

END = "UPDATE sessions SET status = 'failed', ended_at = '2026' WHERE id = :id"
DELETE = "UPDATE sessions SET log_deleted_at = '2026' WHERE id = :id"


def test_session_whose_log_is_deleted_is_neither_heard_of_nor_filled(shelf: Shelf) -> None:
    session_id = shelf.add("word")
    sum(shelf.filler.learn())
    execute(shelf.database, DELETE, id=session_id)
    assert sum(shelf.filler.steps()) == 0
    assert shelf.index.counts() == (0, 0)
    sum(shelf.filler.learn(all_of_them=True))
    assert shelf.index.counts() == (0, 0)


def test_row_that_comes_half_a_minute_late_is_heard_of(shelf: Shelf) -> None:
    shelf.count = 40
    shelf.add("in time")
    shelf.fill()
    shelf.count = 10
    late = shelf.add("late")
    shelf.fill()
    assert shelf.sessions("late") == [late]


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
