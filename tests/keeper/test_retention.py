"""Old logs are compressed, and at last deleted; nothing else is touched."""

import os
import shutil
from unittest import mock

import pytest

from tests.search.stored_sessions import StoredSessions
from tests.store.rows import execute, rows
from webapp.keeper.compress import compress_log
from webapp.keeper.retention import Limits, choose, compress_old, delete_log
from webapp.log import lock
from webapp.log.opened import compressed_path

LINES = ["a line of an agent's"] * 300
LATER = "2027"


def row(stored: StoredSessions, session_id: str) -> dict[str, object]:
    """A session's row."""
    query = "SELECT log_path, log_stored_bytes, log_deleted_at FROM sessions WHERE id = :id"
    (found,) = rows(stored.database, query, id=session_id)
    return found


def chosen(stored: StoredSessions, **limits: object) -> list[str]:
    """Which logs are over these limits."""
    return [log.session_id for log in choose(stored.database, Limits(**limits))]  # type: ignore[arg-type]


# --- compression ------------------------------------------------------------------------


def test_old_log_is_compressed_and_its_row_says_so(stored: StoredSessions) -> None:
    old, new, small = stored.add(*LINES), stored.add(*LINES), stored.add("short")
    assert sum(compress_old(stored.database, stored.var, "2026-09-21T13:01:30.000Z")) > 10_000
    log = stored.files(old).log
    assert not log.exists()
    assert row(stored, old) == {
        "log_path": str(compressed_path(log).relative_to(stored.var)),
        "log_stored_bytes": compressed_path(log).stat().st_size,
        "log_deleted_at": None,
    }
    assert stored.files(new).log.exists()
    sum(compress_old(stored.database, stored.var, LATER))
    assert not stored.files(new).log.exists()
    assert stored.files(small).log.exists()


def test_live_and_locked_logs_stay_as_they_are(stored: StoredSessions) -> None:
    live, ending = stored.add(*LINES, status="running"), stored.add(*LINES)
    fd = lock.open_log(stored.files(ending).log)
    assert lock.acquire(fd)
    assert list(compress_old(stored.database, stored.var, LATER)) == [0]
    os.close(fd)
    assert stored.files(live).log.exists()
    assert len(list(compress_old(stored.database, stored.var, LATER))) == 1


def test_row_that_a_crash_left_behind_is_mended(stored: StoredSessions) -> None:
    session_id = stored.add(*LINES)
    compress_log(stored.files(session_id).log)
    list(compress_old(stored.database, stored.var, LATER))
    assert str(row(stored, session_id)["log_path"]).endswith("/output.log.zst")


def test_log_that_cannot_be_compressed_keeps_none_from_it(stored: StoredSessions) -> None:
    gone, folder, good = (stored.add(*LINES) for _ in range(3))
    stored.files(gone).log.unlink()
    stored.files(folder).log.unlink()
    stored.files(folder).log.mkdir()
    saved = list(compress_old(stored.database, stored.var, LATER))
    assert (saved[:2], saved[2] > 10_000) == ([0, 0], True)
    assert not stored.files(good).log.exists()


# --- which are deleted --------------------------------------------------------------------


def test_oldest_go_first_and_no_more_than_the_limits_say(stored: StoredSessions) -> None:
    ids = [stored.add(*LINES) for _ in range(5)]
    stored.add(*LINES, status="running")
    size = stored.files(ids[0]).log.stat().st_size
    assert chosen(stored) == []
    assert chosen(stored, ended_before="2026-09-21T13:03:00.000Z") == ids[:2]
    assert chosen(stored, ended_before="2026") == []
    assert chosen(stored, max_bytes=size * 3) == ids[:2]
    assert chosen(stored, max_bytes=size * 3 - 1) == ids[:3]
    assert chosen(stored, max_bytes=0) == ids
    assert chosen(stored, max_bytes=0, keep=4) == ids[:1]
    assert chosen(stored, ended_before=LATER, keep=3) == ids[:2]
    assert chosen(stored, all_but_kept=True, keep=1) == ids[:4]
    assert chosen(stored, all_but_kept=True, keep=9) == []


def test_compressed_log_counts_for_what_it_takes_on_disk(stored: StoredSessions) -> None:
    ids = [stored.add(*LINES) for _ in range(3)]
    list(compress_old(stored.database, stored.var, LATER))
    total = sum(compressed_path(stored.files(one).log).stat().st_size for one in ids)
    assert chosen(stored, max_bytes=total) == []
    assert chosen(stored, max_bytes=total - 1) == ids[:1]


# --- deletion -----------------------------------------------------------------------------


@pytest.mark.parametrize("is_compressed", [False, True])
def test_all_of_a_session_goes_but_its_row(stored: StoredSessions, is_compressed: bool) -> None:
    session_id, other = stored.add(*LINES, "needle"), stored.add("needle")
    stored.fill()
    if is_compressed:
        list(compress_old(stored.database, stored.var, LATER))
    assert delete_log(stored.database, stored.var, session_id)
    assert not stored.files(session_id).directory.exists()
    assert stored.sessions("needle") == [other]
    assert stored.index.counts() == (2, 0)
    assert row(stored, session_id)["log_deleted_at"] is not None
    assert chosen(stored, max_bytes=0) == [other]
    sum(stored.filler.learn())
    sum(stored.filler.steps())
    assert stored.sessions("needle") == [other]
    assert delete_log(stored.database, stored.var, other)
    assert not stored.files(other).directory.parent.exists()


def test_what_lives_is_never_deleted(stored: StoredSessions) -> None:
    live, ending = stored.add(*LINES, status="running"), stored.add(*LINES)
    fd = lock.open_log(stored.files(ending).log)
    assert lock.acquire(fd)
    for session_id in (live, ending, "session-1790000000000-000000000000"):
        assert not delete_log(stored.database, stored.var, session_id)
    os.close(fd)
    assert stored.files(live).log.exists()
    assert stored.files(ending).log.exists()


def test_folder_that_is_not_where_it_should_be_is_left_alone(stored: StoredSessions) -> None:
    session_id, other = stored.add(*LINES), stored.add(*LINES)
    path = str(stored.files(other).log.relative_to(stored.var))
    execute(
        stored.database, "UPDATE sessions SET log_path = :p WHERE id = :i", p=path, i=session_id
    )
    assert not delete_log(stored.database, stored.var, session_id)
    assert stored.files(other).log.exists()


def test_deletion_that_was_cut_off_is_made_again(stored: StoredSessions) -> None:
    session_id = stored.add(*LINES)
    with (
        mock.patch("shutil.rmtree", side_effect=OSError("cut off")),
        pytest.raises(OSError, match="cut off"),
    ):
        delete_log(stored.database, stored.var, session_id)
    assert not stored.files(session_id).log.exists()
    assert row(stored, session_id)["log_deleted_at"] is None
    assert delete_log(stored.database, stored.var, session_id)
    assert row(stored, session_id)["log_deleted_at"] is not None


def test_log_is_locked_until_all_of_it_is_gone(stored: StoredSessions) -> None:
    session_id = stored.add(*LINES)
    fd = lock.open_log(stored.files(session_id).log)
    found = []

    def remove(path: str, *, dir_fd: int) -> None:
        found.append(lock.is_held(fd))
        rmtree(path, dir_fd=dir_fd)

    rmtree = shutil.rmtree
    with mock.patch("shutil.rmtree", remove):
        assert delete_log(stored.database, stored.var, session_id)
    assert found == [True]
    assert not lock.is_held(fd)
    os.close(fd)
