"""Copy the database while it is in use, by SQLite's backup API.

https://sqlite.org/backup.html: to copy the file itself, even to open and close it, would
drop this process's locks and may catch it half written.
"""

import os
import secrets
from pathlib import Path

import pysqlite3

from webapp.errors import SetupError


def backup(database: Path, target: Path) -> None:
    """Write a whole and checked copy, or nothing. SetupError.

    Readers and writers continue; the copy is of the moment at which it began.
    """
    unfinished = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _copy(database, unfinished)
        os.link(unfinished, target)  # never over another file
    except FileExistsError:
        raise SetupError(f"{target} is there already; name another file.") from None
    except (OSError, pysqlite3.Error) as error:
        raise SetupError(f"Cannot copy {database} to {target}: {error}.") from None
    finally:
        for path in (unfinished, unfinished.with_name(f"{unfinished.name}-journal")):
            path.unlink(missing_ok=True)


def _copy(database: Path, target: Path) -> None:
    source = pysqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)
    try:
        copy = pysqlite3.connect(str(target), isolation_level=None)
        try:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a WAL beside it
            problem = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            copy.close()
    finally:
        source.close()
    if problem != "ok":
        raise SetupError(f"{database} is damaged: {problem}. `agent-stream doctor` says more.")
    fd = os.open(target, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
