"""Whether any process has committed to the database since the last look."""

from typing import Any

from webapp.store.engine import Database


class CommitWatch:
    """Polls `PRAGMA data_version`, which costs a look at shared memory and no query.

    Its connection is its own: the pragma does not count what its own connection commits.
    https://sqlite.org/pragma.html#pragma_data_version
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pooled: Any = None
        self._version: int | None = None

    def has_changed(self) -> bool:
        """Whether there was a commit since the last call; True at the first one."""
        if self._pooled is None:
            self._pooled = self._database.connect()
        # All rows are fetched, so that no statement is open, which would hold a read transaction.
        rows = self._pooled.dbapi_connection.execute("PRAGMA data_version").fetchall()
        before, self._version = self._version, rows[0][0]
        return bool(before != self._version)

    def close(self) -> None:
        """Close the connection; the next look is a first one again."""
        self._version = None
        if self._pooled is not None:
            self._pooled.close()
            self._pooled = None
