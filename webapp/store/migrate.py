"""Bring a database to the newest revision, once, however many processes ask for it."""

import contextlib
import os
import stat
from pathlib import Path

from webapp import flock
from webapp.errors import SetupError
from webapp.store.engine import FILE_NAME, REVISION, Database, open_engine

LOCK_FILE_NAME = "migrate.lock"


def migrations_folder() -> Path:
    """Where the migrations are: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    packed = package / "_migrations"
    return packed if packed.is_dir() else package.parent / "migrations"


def migrate(var: Path, *, is_rebuilding: bool = False) -> bool:
    """Create or upgrade the database of a `var` folder; whether there was anything to do.

    Raises SetupError where the folder or the file cannot be used, and where there are
    sessions but no database, unless that is being made again from them.
    """
    path = var / FILE_NAME
    try:
        var.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_private(var)
        (var / "sessions").mkdir(mode=0o700, exist_ok=True)
        lock_fd = flock.open_file(var / LOCK_FILE_NAME)
    except OSError as error:
        raise SetupError(
            f"Cannot write to {var}: {error.strerror}. "
            "Make it writable, or set AGENT_STREAM_VAR to a folder that is."
        ) from None

    try:
        flock.acquire(lock_fd)
        return _migrate_locked(path, is_rebuilding=is_rebuilding)
    finally:
        os.close(lock_fd)


def _make_private(var: Path) -> None:
    """A checkout brings an empty `var` that other users can read; a folder in use is left alone."""
    mode = var.stat().st_mode
    is_unused = all(path.name.startswith(".") for path in var.iterdir())
    if is_unused and mode & 0o077 and not mode & stat.S_ISVTX:
        with contextlib.suppress(PermissionError):  # of a folder that another user owns
            var.chmod(0o700)


def _migrate_locked(path: Path, *, is_rebuilding: bool) -> bool:
    if path.exists():
        database = Database(path)
        found = database.revision()
        database.close()
        if found == REVISION:
            return False
    elif not is_rebuilding and any((path.parent / "sessions").glob("*/*")):
        raise SetupError(
            f"The database {path} is gone, but its sessions are there. Restore a backup, or run: "
            "agent-stream rebuild"
        )
    else:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    upgrade(path)
    return True


def upgrade(path: Path, revision: str = "head") -> None:
    """Bring a database file to a revision. SetupError.

    Alembic is imported only here: the workers never need it.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError
    from sqlalchemy import exc

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    engine = open_engine(path)
    try:
        with engine.connect() as connection:
            connection.connection.cursor().execute("PRAGMA journal_mode = WAL")
        with engine.execution_options(agent_stream_write=True).begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    except (CommandError, exc.DatabaseError) as error:
        reason = getattr(error, "orig", error)
        raise SetupError(
            f"Cannot migrate {path}: {reason}. "
            "Was it made by a newer version? Then upgrade agent-stream; otherwise restore a backup."
        ) from error
    finally:
        engine.dispose()
