"""Which logs are compressed and which are deleted, and doing it, one log a step.

Nothing live is touched: a session must have ended by its row, and no process may hold the lock
on its log. Rows stay. A step that is interrupted anywhere is repeated.
"""

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from webapp.keeper.compress import compress_log
from webapp.log import folder, lock
from webapp.log.opened import compressed_path
from webapp.search.index import FILE_NAME as INDEX_NAME
from webapp.search.index import SearchIndex
from webapp.sessions.layout import SessionFiles, new_session_files, session_files
from webapp.store import ended_logs, sessions
from webapp.store.ended_logs import EndedLog
from webapp.store.engine import Database
from webapp.store.models import Session

_PAGE = 200

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """How long and how much is kept. A log is deleted if it exceeds any of the limits."""

    ended_before: str | None = None
    """Sessions that ended before this time, as rows hold it."""
    max_bytes: int | None = None
    """What all logs of ended sessions may take on disk; the oldest are deleted first."""
    keep: int = 0
    """How many of the newest are never deleted."""
    all_but_kept: bool = False
    """Delete all but those `keep` ones."""


def days_ago(days: float) -> str:
    """The time that many days ago, as rows hold it."""
    time = datetime.now(UTC) - timedelta(days=days)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- compression ------------------------------------------------------------------------


def compress_old(
    database: Database, var: Path, ended_before: str, pause: Callable[[], None] = lambda: None
) -> Iterator[int]:
    """Compress the logs of sessions that ended before a time; the bytes that each step saved.

    A step is a session: 0 where its log stays as it is, until the next round looks at it again.
    `pause` is called every second or so within a step too, and may raise to end it.
    """
    after = ended_logs.START
    while True:
        with database.read() as orm:
            page = ended_logs.uncompressed_logs(orm, ended_before, after, _PAGE)
        for session in page:
            try:
                yield _compress(database, var, session, pause)
            except OSError:
                logger.exception("cannot compress the log of %s", session.id)
                yield 0
        if not page:
            return
        after = (page[-1].ended_at or "", page[-1].id)


def _compress(database: Database, var: Path, session: Session, pause: Callable[[], None]) -> int:
    """The bytes that were saved; 0 where the log is left as it is."""
    log = session_files(var, session).log
    try:
        done = compress_log(log, pause)
        if done is None:
            return 0
        size, stored_bytes = done
    except FileNotFoundError:
        try:
            size = stored_bytes = folder.file_size(compressed_path(log))
        except FileNotFoundError:
            return 0
        # After a crash before the row was written.
    path = str(compressed_path(log).relative_to(var))
    database.write(lambda orm: ended_logs.mark_compressed(orm, session.id, path, stored_bytes))
    return size - stored_bytes


# --- deletion ---------------------------------------------------------------------------


def choose(database: Database, limits: Limits) -> Iterator[EndedLog]:
    """The logs that exceed a limit, the oldest end first."""
    with database.read() as orm:
        count, total = ended_logs.totals(orm)
    left = count - limits.keep
    after = ended_logs.START
    while left > 0:
        with database.read() as orm:
            page = ended_logs.ended_logs(orm, after, min(_PAGE, left))
        if not page:
            return
        for log in page:
            if not _is_over(log, total, limits):
                return
            yield log
            total -= log.stored_bytes
        left -= len(page)
        after = (page[-1].ended_at, page[-1].session_id)


def _is_over(log: EndedLog, total: int, limits: Limits) -> bool:
    return (
        limits.all_but_kept
        or (limits.ended_before is not None and log.ended_at < limits.ended_before)
        or (limits.max_bytes is not None and total > limits.max_bytes)
    )


def delete_log(database: Database, var: Path, session_id: str) -> bool:
    """Delete all of a session but its row, which then says when; whether that was done.

    False for one that lives, whose runner is just ending, or whose folder is not where it should
    be. A reader that has the log open can read it to its end. OSError.
    """
    with database.read() as orm:
        session = sessions.find_session(orm, session_id)
    if session is None or session.is_live:
        return False
    files = session_files(var, session)
    if files != new_session_files(var, session_id):
        logger.warning("%s is in %s: left alone", session_id, files.directory)
        return False
    log_fd = _lock_if_there(files)
    try:
        if log_fd == _HELD:
            return False
        _remove(files)
        _forget(var, session_id)
        database.write(lambda orm: ended_logs.mark_deleted(orm, session_id))
    finally:
        if log_fd >= 0:
            os.close(log_fd)
    return True


_HELD, _GONE = -2, -1


def _lock_if_there(files: SessionFiles) -> int:
    """A descriptor that holds the lock; _HELD if another process does, _GONE without a log."""
    try:
        fd = lock.open_log(files.log)
    except (FileNotFoundError, folder.NotRegular):
        return _GONE
    if lock.acquire(fd):
        return fd
    os.close(fd)
    return _HELD


def _remove(files: SessionFiles) -> None:
    """The log first: after a crash the rest of the folder reveals nothing."""
    try:
        with folder.opened_folder(files.directory) as folder_fd:
            for path in (files.log, compressed_path(files.log)):
                _unlink(path.name, folder_fd)
        with folder.opened_folder(files.directory.parent, parts=2) as day_fd:
            shutil.rmtree(files.directory.name, dir_fd=day_fd)
    except (FileNotFoundError, folder.NotRegular):
        return
    try:
        files.directory.parent.rmdir()
    except OSError:
        return  # other sessions of that day


def _unlink(name: str, folder_fd: int) -> None:
    try:
        os.unlink(name, dir_fd=folder_fd)
    except FileNotFoundError:
        return


def _forget(var: Path, session_id: str) -> None:
    """Remove a session from the search index."""
    if (var / INDEX_NAME).exists():
        index = SearchIndex(var)
        try:
            index.forget_log(session_id)
        finally:
            index.close()
