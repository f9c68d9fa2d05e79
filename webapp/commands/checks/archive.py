"""What becomes of finished sessions: the search index, retention, and who sees to both."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pysqlite3
from sqlalchemy import exc

from webapp.commands.checks.finding import Finding
from webapp.commands.figures import byte_count
from webapp.errors import AgentStreamError
from webapp.keeper import lock as keeper_lock
from webapp.keeper.starter import CHECK_SECONDS
from webapp.search import index
from webapp.settings import Settings
from webapp.store import ended_logs, in_use
from webapp.store.engine import FILE_NAME, REVISION, Database

_ANEW = "`agent-stream search --rebuild` makes it anew from the logs; nothing is lost with it"


def check_index(settings: Settings) -> Iterator[Finding]:
    """The search index: can it be read, is it whole, has it all that there is?"""
    path = settings.var.resolve() / index.FILE_NAME
    if not settings.search:
        if path.exists():
            message = f"search is off; {path} takes {byte_count(path.stat().st_size)} for nothing"
            yield Finding("search index", "hint", message, "remove it with its -wal and -shm")
        return
    if not path.exists():
        message = f"{path} is not there yet"
        yield Finding(
            "search index", "hint", message, "a running server and `agent-stream search` make it"
        )
        return
    try:
        yield from _check_content(settings, path)
    except pysqlite3.DatabaseError as error:
        yield Finding("search index", "warn", f"{path} cannot be read: {error}", _ANEW)


def _check_content(settings: Settings, path: Path) -> Iterator[Finding]:
    connection = index.connect(path, read_only=True)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != index.VERSION:
            message = f"{path} is of version {version}, this one needs {index.VERSION}"
            yield Finding("search index", "warn", message, _ANEW)
            return
        problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if problem != "ok":
            yield Finding("search index", "warn", f"{path} is damaged: {problem}", _ANEW)
            return
        done = connection.execute("SELECT count(*) FROM sessions WHERE is_done = 1").fetchone()[0]
    finally:
        connection.close()
    missing = max(0, _ended(settings) - done)
    if missing:
        message = f"{path} is whole; {missing} session(s) that have ended are not in it yet"
        advice = "a running server and `agent-stream search` fill it"
        yield Finding("search index", "hint", message, advice)
    else:
        yield Finding("search index", "ok", f"{path} is whole, with {done} session(s) in it")


def _ended(settings: Settings) -> int:
    """How many ended sessions have a log; 0 where that cannot be told: see `check_database`."""
    path = settings.var.resolve() / FILE_NAME
    if not path.exists():
        return 0
    database = Database(path)
    try:
        if database.revision() != REVISION:
            return 0
        with database.read() as orm:
            return ended_logs.totals(orm)[0]
    except (exc.DatabaseError, AgentStreamError):
        return 0
    finally:
        database.close()


def check_retention(settings: Settings) -> Iterator[Finding]:
    """Whether the limits make sense together, and on this disk."""
    compress, delete = settings.compress_after_days, settings.delete_after_days
    most = settings.max_kept_bytes
    if 0 < delete <= compress:
        yield Finding(
            "retention",
            "warn",
            f"logs are deleted after {delete:g} days, before they would be compressed after "
            f"{compress:g}: none ever is",
            "lower compress_after_days, or set it to 0",
        )
    disk = _disk_bytes(settings.var.resolve())
    if most > disk:
        yield Finding(
            "retention",
            "warn",
            f"max_kept_bytes is {byte_count(most)}, more than the disk has ({byte_count(disk)}): "
            "it is full before anything is deleted",
            "lower max_kept_bytes",
        )
    limits = [f"compressed after {compress:g} days"] if compress else []
    limits += [f"deleted after {delete:g} days"] if delete else []
    limits += [f"the oldest deleted beyond {byte_count(most)}"] if most else []
    yield Finding("retention", "ok", f"logs: {', '.join(limits) or 'kept for ever as they are'}")


def _disk_bytes(path: Path) -> int:
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).total


def check_keeper(settings: Settings) -> Iterator[Finding]:
    """Whether somebody fills the index and looks after the logs, where a server runs."""
    var = settings.var.resolve()
    if keeper_lock.is_held(var):
        yield Finding("keeper", "ok", "one is at work")
    elif in_use.is_used(var):
        yield Finding(
            "keeper",
            "warn",
            f"a server runs on {var}, and no keeper: nothing is indexed, compressed or deleted",
            f"a worker starts one within {CHECK_SECONDS:g} s; if not, the server's log says why",
        )
    else:
        yield Finding("keeper", "ok", "none is wanted: no server runs here")
