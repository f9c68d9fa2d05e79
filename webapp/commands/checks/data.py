"""The var folder: can it be written, is its database whole, does what it says still hold?"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import exc

from webapp.commands.checks.finding import Finding, Mark
from webapp.commands.figures import byte_count
from webapp.errors import AgentStreamError, SetupError
from webapp.log import lock
from webapp.sessions.layout import session_files
from webapp.settings import Settings
from webapp.store import sessions
from webapp.store.engine import FILE_NAME, REVISION, Database, quick_check
from webapp.store.models import Session

LITTLE_SPACE, NO_SPACE = 2_000_000_000, 100_000_000
_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre")
_RECOVERY = (
    "stop the server; restore a backup if there is one; then `agent-stream rebuild` makes the "
    "rows that are missing again from the logs (it puts a damaged file aside)"
)
_MOUNTS = Path("/proc/mounts")


def check_var(settings: Settings) -> Iterator[Finding]:
    """The folder itself, and the file system that it lies on."""
    var = settings.var.resolve()
    place = _nearest(var)
    is_usable = place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    if not is_usable:
        reason = "cannot be written" if place.is_dir() else "is no folder"
        message = f"{place} {reason}" if place == var else f"{var} cannot be made: {place} {reason}"
        yield Finding("var", "bad", message, "make it writable, or set AGENT_STREAM_VAR")
        return
    if place != var:
        yield Finding("var", "hint", f"{var} is not there yet", "`agent-stream serve` makes it")
    else:
        yield Finding("var", "ok", f"{var} can be written")
        yield from _check_mode(var)
    yield from _check_space(place)
    yield from _check_file_system(place)


def _nearest(path: Path) -> Path:
    """The path, or as much of it as is there."""
    while not os.path.lexists(path) and path != path.parent:
        path = path.parent
    return path


def _check_mode(var: Path) -> Iterator[Finding]:
    mode = var.stat().st_mode & 0o777
    if mode & 0o077:
        yield Finding(
            "var", "warn", f"others can look into it: its mode is {mode:04o}", f"chmod 700 {var}"
        )


def _check_space(place: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(place).free
    message = f"{byte_count(free)} free"
    if free < LITTLE_SPACE:
        mark: Mark = "bad" if free < NO_SPACE else "warn"
        yield Finding("disk", mark, message, "make room: a full disk stops new sessions")
    else:
        yield Finding("disk", "ok", message)


def _check_file_system(place: Path) -> Iterator[Finding]:
    kind = file_system_of(place, _MOUNTS)
    if kind is not None and (kind in _NETWORK or kind.startswith("fuse")):
        yield Finding(
            "disk",
            "warn",
            f"{place} lies on {kind}: inotify does not hear there, so streams look once a "
            "second; and SQLite's WAL needs a local disk (https://sqlite.org/wal.html)",
            "set AGENT_STREAM_VAR to a folder on a local disk",
        )


def file_system_of(place: Path, mounts: Path) -> str | None:
    """The type of the file system that a folder lies on, by proc_mounts(5); None if unknown."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    best, kind = -1, None
    for line in lines:
        _device, point, found, *_rest = line.split(" ")
        for code, letter in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
            point = point.replace(code, letter)
        # A later mount on the same point hides the earlier one.
        if place.is_relative_to(point) and len(point) >= best:
            best, kind = len(point), found
    return kind


def check_database(settings: Settings) -> Iterator[Finding]:
    """The database, and the sessions that it believes to be running."""
    var = settings.var.resolve()
    path = var / FILE_NAME
    if not path.exists():
        if any((var / "sessions").glob("*/*")):
            message = f"{path} is gone, but its sessions are there"
            yield Finding("database", "bad", message, _RECOVERY)
            return
        advice = "`agent-stream serve` and `agent-stream migrate` make it"
        yield Finding("database", "hint", f"{path} is not there yet", advice)
        return
    database = Database(path)
    try:
        yield from _check_content(database, var)
    except exc.DatabaseError as error:
        yield Finding("database", "bad", f"{path} cannot be read: {error.orig}", _RECOVERY)
    except SetupError as error:
        yield Finding("database", "bad", str(error), _RECOVERY)
    except AgentStreamError as error:
        yield Finding("database", "bad", f"{path}: {error}", "see who else uses it")
    finally:
        database.close()


def _check_content(database: Database, var: Path) -> Iterator[Finding]:
    path, revision = database.path, database.revision()
    if revision != REVISION:
        yield Finding(
            "database",
            "bad",
            f"{path} is at revision {revision or 'none'}, this version needs {REVISION}",
            "`agent-stream migrate`; if a newer version made it, upgrade agent-stream",
        )
        return
    with database.read() as orm:
        problem = quick_check(orm)
        live = sessions.live_sessions(orm)
    if problem != "ok":
        yield Finding("database", "bad", f"{path} is damaged: {problem}", _RECOVERY)
        return
    yield Finding("database", "ok", f"{path} at revision {revision}, whole")
    yield from _check_live(var, live)


def _check_live(var: Path, live: list[Session]) -> Iterator[Finding]:
    lost = [session.id for session in live if not _has_runner(var, session)]
    if lost:
        yield Finding(
            "sessions",
            "warn",
            f"{len(lost)} of {len(live)} live session(s) have lost their runner: "
            + ", ".join(lost[:3])
            + ("…" if lost[3:] else ""),
            "`agent-stream ls` writes down that they have ended",
        )
    else:
        yield Finding("sessions", "ok", f"{len(live)} live, each with its runner")


def _has_runner(var: Path, session: Session) -> bool:
    try:
        log_fd = lock.open_log(session_files(var, session).log)
    except OSError:
        return False
    try:
        return lock.is_held(log_fd)
    finally:
        lock.close_log(log_fd)
