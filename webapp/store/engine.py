"""One SQLite file, many processes: how to open it, read it and write it.

Writers begin with BEGIN IMMEDIATE, so that a read-modify-write is never lost
(https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#pysqlite-serializable).
Nobody waits for a lock inside SQLite, where the wait would stop every stream of a gevent
worker: a locked database is tried again from Python, whose sleep lets the others run.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import pysqlite3
from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, text
from sqlalchemy.orm import Session as OrmSession

from webapp.errors import ServiceUnavailable, SetupError

REVISION = "0013"
"""The migration that this code needs; a test holds it against the newest one."""

LOCK_PATIENCE_SECONDS = 4.0
FILE_NAME = "agent-stream.db"

RECOVERY = (
    "Restore a backup, or run `agent-stream rebuild`, which makes the rows again from the logs; "
    "`agent-stream doctor` says more."
)

_TAKE_SNAPSHOT = text("SELECT 1 FROM sqlite_schema LIMIT 1")
_NO_ROOM = ("full", "readonly", "disk I/O", "unable to open")
_WRITE = "agent_stream_write"
T = TypeVar("T")


class DatabaseBusy(ServiceUnavailable):
    """Another process held the write lock for longer than a request may take."""


class DatabaseFull(ServiceUnavailable):
    """No room on the database's disk."""


class Database:
    """The store of one `var` folder. Made once a process, after any fork and patch."""

    def __init__(
        self,
        path: Path,
        on_lock_wait: Callable[[float], None] = lambda seconds: None,
        *,
        patience_seconds: float = LOCK_PATIENCE_SECONDS,
    ) -> None:
        """`on_lock_wait` gets the seconds of each wait for the lock.

        A wait ends after `patience_seconds` with DatabaseBusy.
        """
        self.path = path
        self.patience_seconds = patience_seconds
        self._reader = open_engine(path)
        self._writer = self._reader.execution_options(**{_WRITE: True})
        self._on_lock_wait = on_lock_wait

    @contextmanager
    def read(self) -> Iterator[OrmSession]:
        """A read transaction. Never hold it across a `yield` to a viewer."""
        with _translated(), OrmSession(self._reader, expire_on_commit=False) as orm:
            self._patiently(lambda: orm.execute(_TAKE_SNAPSHOT))
            yield orm

    def read_sql(self, work: Callable[[Any], T]) -> T:
        """Run `work`, which makes one query, on the driver's own connection.

        For what each new viewer needs: SQLAlchemy takes five times as long as SQLite.
        """

        def attempt() -> T:
            pooled = self._reader.raw_connection()
            try:
                return work(pooled.dbapi_connection)
            finally:
                pooled.close()

        return self._patiently(attempt)

    def write(self, work: Callable[[OrmSession], T]) -> T:
        """Run `work` in one write transaction and commit it; durable when this returns.

        `work` runs again from its start when the database was locked, so it must do
        nothing but database work. Raises DatabaseBusy after 4 s, DatabaseFull.
        """

        def attempt() -> T:
            with OrmSession(self._writer, expire_on_commit=False) as orm, orm.begin():
                return work(orm)

        return self._patiently(attempt)

    def write_sql(self, work: Callable[[Any], T]) -> T:
        """As `write`, for what must be quick: `work` gets the driver's own connection.

        In a small transaction SQLAlchemy takes three times as long as SQLite.
        """

        def attempt() -> T:
            pooled = self._reader.raw_connection()
            try:
                connection: Any = pooled.dbapi_connection
                connection.execute("BEGIN IMMEDIATE")
                try:
                    result = work(connection)
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
                return result
            finally:
                pooled.close()

        return self._patiently(attempt)

    def _patiently(self, attempt: Callable[[], T]) -> T:
        """Try until the lock is free. Readers need it too: the last connection that closes
        takes the whole file for a moment, to tidy up the WAL."""
        began_at = time.monotonic()
        pause = 0.0005
        has_waited = False
        try:
            while True:
                try:
                    with _translated():
                        return attempt()
                except DatabaseBusy:
                    has_waited = True
                    if time.monotonic() >= began_at + self.patience_seconds:
                        raise
                time.sleep(pause * random.uniform(0.5, 1.5))
                pause = min(pause * 2, 0.05)
        finally:
            if has_waited:
                self._on_lock_wait(time.monotonic() - began_at)

    def connect(self) -> Any:
        """A pooled connection for the caller's own use, which the caller closes."""
        return self._reader.raw_connection()

    def revision(self) -> str | None:
        """The migration that the file is at; None for a file that has none.

        Raises SetupError for a file that is no database.
        """
        try:
            with self.read() as orm:
                found = orm.scalar(text("SELECT version_num FROM alembic_version"))
                return None if found is None else str(found)
        except exc.OperationalError as error:
            if "no such table" in str(error.orig):
                return None
            raise
        except exc.DatabaseError as error:
            raise SetupError(f"{self.path} cannot be read: {error.orig}. {RECOVERY}") from error

    def close(self) -> None:
        """Close all connections."""
        self._reader.dispose()


def open_engine(path: Path) -> Engine:
    """An engine on the SQLite that the `pysqlite3` wheel carries.

    The system's own may have the WAL-reset bug: https://sqlite.org/wal.html#walresetbug
    """
    engine = create_engine(
        # mode=rw: a database that was removed is an error, not a new and empty one
        URL.create(
            "sqlite", database=f"file:{quote(str(path))}", query={"mode": "rw", "uri": "true"}
        ),
        module=pysqlite3,
        hide_parameters=True,  # what people say must not reach the server's log
        connect_args={"timeout": 0, "check_same_thread": False},
        pool_size=4,
        max_overflow=-1,
    )
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    # Text that is no UTF-8, in a row edited by hand, must not break the query that meets it.
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")


def _on_begin(connection: Connection) -> None:
    is_write = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


@contextmanager
def _translated() -> Iterator[None]:
    """SQLite's troubles as errors that a client can act on."""
    try:
        yield
    except (exc.OperationalError, pysqlite3.OperationalError) as error:
        reason = str(getattr(error, "orig", error))
        if "locked" in reason or "busy" in reason:
            raise DatabaseBusy(
                "The database is locked by another process; try again in a moment.", retry_after=2
            ) from error
        if any(sign in reason for sign in _NO_ROOM):
            raise DatabaseFull(f"The database cannot be used: {reason}.", retry_after=30) from error
        raise


def quick_check(orm: OrmSession) -> str:
    """`ok`, or the first thing that is wrong with the file.

    https://sqlite.org/pragma.html#pragma_quick_check
    """
    return str(orm.scalar(text("PRAGMA quick_check(1)")))


def check_whole(database: Database) -> None:
    """SetupError if the file is damaged. Reads all of it: for the start, not for a request."""
    try:
        with database.read() as orm:
            problem = quick_check(orm)
    except exc.DatabaseError as error:
        problem = str(error.orig)
    if problem != "ok":
        raise SetupError(f"The database {database.path} is damaged: {problem}. {RECOVERY}")


def open_migrated(
    var: Path, on_lock_wait: Callable[[float], None] = lambda seconds: None
) -> Database:
    """The database of a `var` folder; SetupError, naming the command, if it is not migrated."""
    path = var / FILE_NAME
    if not path.exists():
        raise SetupError(f"There is no database at {path}. Run: agent-stream migrate")
    database = Database(path, on_lock_wait)
    found = database.revision()
    if found != REVISION:
        database.close()
        raise SetupError(
            f"The database at {path} is at revision {found or 'none'}, "
            f"this version needs {REVISION}. Run: agent-stream migrate"
        )
    return database
