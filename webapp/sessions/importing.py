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
from webapp.sessions.import_folder import arrival, remove_abandoned
from webapp.sessions.layout import SessionFiles, new_session_files
from webapp.store import sessions
from webapp.store.engine import Database
from webapp.store.ids import SESSION_ID
from webapp.store.models import Session


def adopt(
    database: Database, var: Path, records: Iterable[bytes], messages: list[dict[str, Any]]
) -> Session:
    """Make a session from its whole log; `messages` are those of its workflow's history.

    Nothing that is there is overwritten. Raises Conflict where there is a session with this
    id, BadRequest for a log that is none, or has no end; whatever `records` raises.
    """
    remove_abandoned(var)
    with arrival(var) as beside:
        session_id = _write(beside, records)
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
        facts = rebuild.first_record(opened) or {}
        session_id = facts.get("sessionId")
        if facts.get("type") != "session" or not isinstance(session_id, str):
            raise BadRequest("The log does not begin with the record of its session.")
        if not SESSION_ID.fullmatch(session_id):
            raise BadRequest(f"The log's session is {session_id!r}, which is no session's id.")
        if not reader.is_complete(opened):
            raise BadRequest(
                f"The log of {session_id} has no end: it was exported while the session ran, or "
                "cut short. Export it again when the session has ended."
            )
    finally:
        opened.close()
    return session_id


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
