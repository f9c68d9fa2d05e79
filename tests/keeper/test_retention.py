"""Old logs are compressed, and at last deleted; nothing else is touched."""

import os
import shutil
from unittest import mock

import pytest

from tests.search.shelf import Shelf
from tests.store.rows import execute, rows
from webapp.keeper import retention
from webapp.keeper.compress import compress_log
from webapp.keeper.retention import Limits, choose, compress_old, delete_log
from webapp.log import lock
from webapp.log.opened import compressed_path

LINES = ["a line of an agent's"] * 300
LATER = "2027"


def row(shelf: Shelf, session_id: str) -> dict[str, object]:
    """A session's row."""
    query = "SELECT log_path, log_stored_bytes, log_deleted_at FROM sessions WHERE id = :id"
    (found,) = rows(shelf.database, query, id=session_id)
    return found


def chosen(shelf: Shelf, **limits: object) -> list[str]:
    """Which logs are over these limits."""
    return [log.session_id for log in choose(shelf.database, Limits(**limits))]  # type: ignore[arg-type]


# --- compression ------------------------------------------------------------------------


def test_old_log_is_compressed_and_its_row_says_so(shelf: Shelf) -> None:
    old, new, small = shelf.add(*LINES), shelf.add(*LINES), shelf.add("short")
    assert sum(compress_old(shelf.database, shelf.var, "2026-09-21T13:01:30.000Z")) > 10_000
    log = shelf.files(old).log
    assert not log.exists()
    assert row(shelf, old) == {
        "log_path": str(compressed_path(log).relative_to(shelf.var)),
        "log_stored_bytes": compressed_path(log).stat().st_size,
        "log_deleted_at": None,
    }
    assert shelf.files(new).log.exists()
    sum(compress_old(shelf.database, shelf.var, LATER))
    assert not shelf.files(new).log.exists()
    assert shelf.files(small).log.exists()


def test_live_and_locked_logs_stay_as_they_are(shelf: Shelf) -> None:
    live, ending = shelf.add(*LINES, status="running"), shelf.add(*LINES)
    fd = lock.open_log(shelf.files(ending).log)
    assert lock.acquire(fd)
    assert list(compress_old(shelf.database, shelf.var, LATER)) == []
    os.close(fd)
    assert shelf.files(live).log.exists()
    assert len(list(compress_old(shelf.database, shelf.var, LATER))) == 1


def test_row_that_a_crash_left_behind_is_mended(shelf: Shelf) -> None:
    session_id = shelf.add(*LINES)
    compress_log(shelf.files(session_id).log)
    list(compress_old(shelf.database, shelf.var, LATER))
    assert str(row(shelf, session_id)["log_path"]).endswith("/output.log.zst")


def test_log_that_cannot_be_compressed_keeps_none_from_it(shelf: Shelf) -> None:
    bad, good = shelf.add(*LINES), shelf.add(*LINES)

    def compress(path: object, pause: object) -> object:
        if bad in str(path):
            raise OSError("no space left")
        return compress_log(path, pause)  # type: ignore[arg-type]

    with mock.patch.object(retention, "compress_log", compress):
        assert len(list(compress_old(shelf.database, shelf.var, LATER))) == 1
    assert shelf.files(bad).log.exists()
    assert not shelf.files(good).log.exists()


# --- which are deleted --------------------------------------------------------------------


def test_oldest_go_first_and_no_more_than_the_limits_say(shelf: Shelf) -> None:
    ids = [shelf.add(*LINES) for _ in range(5)]
    shelf.add(*LINES, status="running")
    size = shelf.files(ids[0]).log.stat().st_size
    assert chosen(shelf) == []
    assert chosen(shelf, ended_before="2026-09-21T13:03:00.000Z") == ids[:2]
    assert chosen(shelf, ended_before="2026") == []
    assert chosen(shelf, max_bytes=size * 3) == ids[:2]
    assert chosen(shelf, max_bytes=size * 3 - 1) == ids[:3]
    assert chosen(shelf, max_bytes=0) == ids
    assert chosen(shelf, max_bytes=0, keep=4) == ids[:1]
    assert chosen(shelf, ended_before=LATER, keep=3) == ids[:2]
    assert chosen(shelf, all_but_kept=True, keep=1) == ids[:4]
    assert chosen(shelf, all_but_kept=True, keep=9) == []
    with mock.patch.object(retention, "_PAGE", 2):
        assert chosen(shelf, max_bytes=0) == ids


def test_compressed_log_counts_for_what_it_takes_on_disk(shelf: Shelf) -> None:
    ids = [shelf.add(*LINES) for _ in range(3)]
    list(compress_old(shelf.database, shelf.var, LATER))
    total = sum(compressed_path(shelf.files(one).log).stat().st_size for one in ids)
    assert chosen(shelf, max_bytes=total) == []
    assert chosen(shelf, max_bytes=total - 1) == ids[:1]


# --- deletion -----------------------------------------------------------------------------


@pytest.mark.parametrize("is_compressed", [False, True])
def test_all_of_a_session_goes_but_its_row(shelf: Shelf, is_compressed: bool) -> None:
    session_id, other = shelf.add(*LINES, "needle"), shelf.add("needle")
    shelf.fill()
    if is_compressed:
        list(compress_old(shelf.database, shelf.var, LATER))
    assert delete_log(shelf.database, shelf.var, session_id)
    assert not shelf.files(session_id).directory.exists()
    assert shelf.sessions("needle") == [other]
    assert shelf.index.counts() == (2, 0)
    assert row(shelf, session_id)["log_deleted_at"] is not None
    assert chosen(shelf, max_bytes=0) == [other]
    sum(shelf.filler.learn())
    sum(shelf.filler.steps())
    assert shelf.sessions("needle") == [other]
    assert delete_log(shelf.database, shelf.var, other)
    assert not shelf.files(other).directory.parent.exists()


def test_what_lives_is_never_deleted(shelf: Shelf) -> None:
    live, ending = shelf.add(*LINES, status="running"), shelf.add(*LINES)
    fd = lock.open_log(shelf.files(ending).log)
    assert lock.acquire(fd)
    for session_id in (live, ending, "session-1790000000000-000000000000"):
        assert not delete_log(shelf.database, shelf.var, session_id)
    os.close(fd)
    assert shelf.files(live).log.exists()
    assert shelf.files(ending).log.exists()


def test_folder_that_is_not_where_it_should_be_is_left_alone(shelf: Shelf) -> None:
    session_id, other = shelf.add(*LINES), shelf.add(*LINES)
    path = str(shelf.files(other).log.relative_to(shelf.var))
    execute(shelf.database, "UPDATE sessions SET log_path = :p WHERE id = :i", p=path, i=session_id)
    assert not delete_log(shelf.database, shelf.var, session_id)
    assert shelf.files(other).log.exists()


def test_deletion_that_was_cut_off_is_made_again(shelf: Shelf) -> None:
    session_id = shelf.add(*LINES)
    with (
        mock.patch("shutil.rmtree", side_effect=OSError("cut off")),
        pytest.raises(OSError, match="cut off"),
    ):
        delete_log(shelf.database, shelf.var, session_id)
    assert not shelf.files(session_id).log.exists()
    assert row(shelf, session_id)["log_deleted_at"] is None
    assert delete_log(shelf.database, shelf.var, session_id)
    assert row(shelf, session_id)["log_deleted_at"] is not None


def test_log_is_locked_until_all_of_it_is_gone(shelf: Shelf) -> None:
    session_id = shelf.add(*LINES)
    fd = lock.open_log(shelf.files(session_id).log)
    found = []

    def remove(path: str, *, dir_fd: int) -> None:
        found.append(lock.is_held(fd))
        rmtree(path, dir_fd=dir_fd)

    rmtree = shutil.rmtree
    with mock.patch("shutil.rmtree", remove):
        assert delete_log(shelf.database, shelf.var, session_id)
    assert found == [True]
    assert not lock.is_held(fd)
    os.close(fd)
