"""Take in the log of a session that ran elsewhere: its files, its row and its workflow's.

The log is written beside the place where it shall lie and moved there whole, so that nobody
ever meets half of it.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from webapp.errors import BadRequest, Conflict
from webapp.log import reader
from webapp.log.folder import open_file, opened_folder
from webapp.log.opened import open_log
from webapp.sessions import rebuild
from webapp.sessions.foreign_log import checked
from webapp.sessions.import_folder import arrival, remove_abandoned
from webapp.sessions.layout import SessionFiles, new_session_files
from webapp.store import sessions
from webapp.store.engine import Database
from webapp.store.models import Session

MAX_BYTES = 4_000_000_000
"""A longer log is imported only where the caller says so."""


def adopt(
    database: Database,
    var: Path,
    records: Iterable[bytes],
    messages: list[dict[str, Any]],
    max_bytes: int = MAX_BYTES,
) -> Session:
    """Make a session from its whole log; `messages` are those of its workflow's history.

    `records` are the lines of the log. Nothing that is there is overwritten. Raises Conflict
    where there is a session with this id, BadRequest for a log that is none, has no end, is
    damaged or longer than `max_bytes`; whatever `records` raises.
    """
    remove_abandoned(var)
    with arrival(var) as beside:
        session_id = _write(beside, checked(records, max_bytes))
        _check_free(database, session_id)
        files = new_session_files(var, session_id)
        if os.path.lexists(files.directory):
            raise Conflict(f"There are files of {session_id} already: {files.directory}.")
        with opened_folder(files.directory.parent, parts=2, make=True) as day_fd:
            os.rename(beside.directory, files.directory.name, dst_dir_fd=day_fd)
    try:
        return _add_rows(database, var, files, messages)
    except BaseException:
        shutil.rmtree(files.directory, ignore_errors=True)
        raise


def _write(files: SessionFiles, records: Iterable[bytes]) -> str:
    """Write the log and make sure that it is one; the id of its session."""
    with open(open_file(files.log, os.O_RDWR | os.O_CREAT | os.O_EXCL), "wb") as log:
        log.writelines(records)
        log.flush()
        os.fsync(log.fileno())

    opened = open_log(files.log)
    try:
        facts = rebuild.first_record(opened)
        if facts is None or not reader.is_complete(opened):
            raise BadRequest("The log has no end, or its last record has no newline.")
    finally:
        opened.close()
    return str(facts["sessionId"])


def _check_free(database: Database, session_id: str) -> None:
    with database.read() as orm:
        found = sessions.find_session(orm, session_id)
    if found is not None:
        raise Conflict(
            f"There is a session {session_id} already, and it is {found.status}; an import "
            "never overwrites."
        )


def _add_rows(
    database: Database, var: Path, files: SessionFiles, messages: list[dict[str, Any]]
) -> Session:
    rows = [(each["role"], each["content"], each["createdAt"]) for each in messages]
    rebuilt = rebuild.add(database, var, files, rows)
    if rebuilt.unusable:
        raise BadRequest(f"The log cannot be used: {rebuilt.unusable[0][1]}.")
    session_id = files.directory.name
    if not rebuilt.sessions:
        raise Conflict(f"There is a session {session_id} already.")
    with database.read() as orm:
        return sessions.get_session(orm, session_id)
