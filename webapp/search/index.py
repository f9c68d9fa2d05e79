"""The search index: `var/search.db`, a database of its own that can be made again at any time.

It holds which words are in which chunk of which log, and in what a list of sessions can be
searched for (session_texts.py), but no text: what is found is read where it is. FTS5,
contentless: https://sqlite.org/fts5.html#contentless_tables
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pysqlite3

from webapp.errors import SetupError
from webapp.search.texts import Chunk
from webapp.store.ids import created_ms
from webapp.store.session_texts import Mark

FILE_NAME = "search.db"
TOKENIZER = "unicode61 remove_diacritics 2"
"""Words are runs of letters and digits; case and accents do not count."""
VERSION = 2
"""Of tables and texts. An index of another version is removed and filled again."""
BUSY_SECONDS = 5.0

SCHEMA = f"""
CREATE TABLE sessions (
    id          INTEGER PRIMARY KEY,
    session_id  TEXT NOT NULL UNIQUE,
    agent       TEXT NOT NULL,
    has_texts   INTEGER NOT NULL DEFAULT 0 CHECK (has_texts IN (0, 1)),  -- in session_texts
    indexed_to  INTEGER NOT NULL DEFAULT 0,  -- an offset in its log; -1: it is deleted
    is_done     INTEGER NOT NULL DEFAULT 0 CHECK (is_done IN (0, 1)),
    first_chunk INTEGER,
    last_chunk  INTEGER,
    chunk_count INTEGER NOT NULL DEFAULT 0,  -- fewer than from first to last: others between
    last_ms     INTEGER NOT NULL DEFAULT 0   -- when it last printed something, Unix time
) STRICT;
CREATE INDEX sessions_to_do ON sessions (id) WHERE is_done = 0;
CREATE INDEX sessions_without_texts ON sessions (id) WHERE has_texts = 0;
CREATE INDEX sessions_by_time ON sessions (last_ms, first_chunk);
CREATE TABLE chunks (
    id      INTEGER PRIMARY KEY,             -- newer chunks have higher ones
    session INTEGER NOT NULL REFERENCES sessions (id),
    start   INTEGER NOT NULL,                -- offsets in the log
    stop    INTEGER NOT NULL,
    time_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX chunks_by_session ON chunks (session);
CREATE VIRTUAL TABLE words USING fts5(
    text, content = '', contentless_delete = 1, tokenize = "{TOKENIZER}"
);
-- The rowid is the millisecond in which a session was made, as its id says.
CREATE VIRTUAL TABLE session_texts USING fts5(
    text, content = '', detail = none, columnsize = 0, tokenize = 'trigram'
);
CREATE TABLE mark (                          -- the last row of the database that was read
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    source_rowid INTEGER NOT NULL,
    session_id   TEXT NOT NULL
) STRICT;
PRAGMA user_version = {VERSION};
"""


class Entry(NamedTuple):
    """A session as the index knows it."""

    key: int
    session_id: str
    agent: str
    indexed_to: int


class Stale(Exception):
    """What an entry says of its session holds no longer."""


def agent_word(agent: str) -> str:
    """A word in each chunk of an agent's sessions that is never typed."""
    return f"agentx{agent.encode().hex()}"


class SearchIndex:
    """The index, to write to it: one process at a time."""

    def __init__(self, var: Path) -> None:
        """Open it; made where it is missing, damaged or of another version."""
        self.path = var / FILE_NAME
        self._connection = _open_or_make(self.path)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def clear(self) -> None:
        """Throw everything away. Searches find nothing until it is filled again."""
        with self._writing() as connection:
            connection.execute("INSERT INTO words (words) VALUES ('delete-all')")
            connection.execute("INSERT INTO session_texts (session_texts) VALUES ('delete-all')")
            for table in ("chunks", "sessions", "mark"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names

    @contextmanager
    def _writing(self) -> Iterator[Any]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def mark(self) -> Mark | None:
        """The last row of the database that was read."""
        found = self._connection.execute("SELECT source_rowid, session_id FROM mark").fetchone()
        return None if found is None else Mark(*found)

    def add(self, sessions: Iterable[tuple[str, str, bool]], mark: Mark | None = None) -> None:
        """Sessions to be indexed, each with its agent and whether it has a log.

        Those that it knows stay as they are. `mark` is the last row, if it is to be set.
        """
        with self._writing() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO sessions (session_id, agent, is_done) VALUES (?, ?, NOT ?)",
                sessions,
            )
            if mark is not None:
                connection.execute("INSERT OR REPLACE INTO mark VALUES (1, ?, ?)", mark)

    def without_texts(self, after: int, limit: int) -> list[tuple[int, str]]:
        """Keys and ids of the sessions whose texts are not indexed, the oldest first."""
        rows = self._connection.execute(
            "SELECT id, session_id FROM sessions WHERE has_texts = 0 AND id > ?"
            " ORDER BY id LIMIT ?",
            (after, limit),
        )
        return list(rows)

    def add_texts(self, texts: Iterable[tuple[str, str]]) -> None:
        """Index what a list can be searched for, once for each session, by its id."""
        with self._writing() as connection:
            for session_id, text in texts:
                new = connection.execute(
                    "UPDATE sessions SET has_texts = 1 WHERE session_id = ? AND has_texts = 0",
                    (session_id,),
                )
                if new.rowcount and text:
                    connection.execute(
                        "INSERT INTO session_texts (rowid, text) VALUES (?, ?)",
                        (created_ms(session_id), text.replace("\0", " ")),
                    )

    def to_do(self, after: int = 0, limit: int = 500) -> list[Entry]:
        """Sessions that are not indexed to their end, the oldest first."""
        rows = self._connection.execute(
            "SELECT id, session_id, agent, indexed_to FROM sessions"
            " WHERE is_done = 0 AND id > ? ORDER BY id LIMIT ?",
            (after, limit),
        )
        return [Entry(*row) for row in rows]

    def append(self, entry: Entry, chunks: list[Chunk], indexed_to: int, *, is_done: bool) -> Entry:
        """Add a session's next chunks, in one transaction with how far it is indexed then.

        Stale if the index was emptied, or the session removed, since it was read.
        """
        word = agent_word(entry.agent)
        with self._writing() as connection:
            moved = connection.execute(
                "UPDATE sessions SET indexed_to = ?, is_done = ?"
                " WHERE id = ? AND session_id = ? AND indexed_to = ?",
                (indexed_to, is_done, entry.key, entry.session_id, entry.indexed_to),
            )
            if moved.rowcount == 0:
                raise Stale(f"{entry.session_id} is not in the index as it was")
            last = connection.execute("SELECT coalesce(max(id), 0) FROM chunks").fetchone()[0]
            for number, chunk in enumerate(chunks, last + 1):
                connection.execute(
                    "INSERT INTO chunks VALUES (?, ?, ?, ?, ?)",
                    (number, entry.key, chunk.start, chunk.stop, chunk.time_ms),
                )
                connection.execute(
                    "INSERT INTO words (rowid, text) VALUES (?, ?)",
                    (number, f"{chunk.text}\n{word}"),
                )
            if chunks:
                connection.execute(
                    "UPDATE sessions SET first_chunk = coalesce(first_chunk, ?), last_chunk = ?,"
                    " chunk_count = chunk_count + ?, last_ms = max(last_ms, ?) WHERE id = ?",
                    (
                        last + 1,
                        last + len(chunks),
                        len(chunks),
                        max(chunk.time_ms for chunk in chunks),
                        entry.key,
                    ),
                )
        return entry._replace(indexed_to=indexed_to)

    def forget_log(self, session_id: str) -> None:
        """Forget all that is in a session's log."""
        with self._writing() as connection:
            connection.execute(
                "DELETE FROM words WHERE rowid IN (SELECT chunks.id FROM chunks"
                " JOIN sessions ON sessions.id = chunks.session WHERE session_id = ?)",
                (session_id,),
            )
            connection.execute(
                "DELETE FROM chunks WHERE session = (SELECT id FROM sessions WHERE session_id = ?)",
                (session_id,),
            )
            connection.execute(
                "UPDATE sessions SET is_done = 1, indexed_to = -1, first_chunk = NULL,"
                " last_chunk = NULL, chunk_count = 0 WHERE session_id = ?",
                (session_id,),
            )

    def remove(self, session_id: str) -> None:
        """Forget a session whose row is gone."""
        self.forget_log(session_id)
        with self._writing() as connection:
            connection.execute("DELETE FROM sessions WHERE session_id = ?", (session_id,))

    def counts(self) -> tuple[int, int]:
        """How many sessions it knows, and how many of them are not indexed to their end."""
        known, done = self._connection.execute(
            "SELECT count(*), coalesce(sum(is_done), 0) FROM sessions"
        ).fetchone()
        return known, known - done


def _open_or_make(path: Path) -> Any:
    try:
        connection = connect(path)
        if connection.execute("PRAGMA user_version").fetchone()[0] == VERSION:
            return connection
        connection.close()
    except FileNotFoundError:
        pass
    except pysqlite3.DatabaseError as error:
        if isinstance(error, pysqlite3.OperationalError) and "malformed" not in str(error):
            raise SetupError(f"{path} cannot be used: {error}.") from error
    _remove(path)
    _make(path)
    return connect(path)


def _make(path: Path) -> None:
    """It gets its name when it is whole: until then a search finds no index."""
    part = path.with_name(f"{path.name}.part")
    _remove(part)
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    connection = connect(part)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(SCHEMA)
    connection.close()
    os.rename(part, path)


def connect(path: Path, *, read_only: bool = False, busy_seconds: float = BUSY_SECONDS) -> Any:
    """A connection to the index. FileNotFoundError where there is none."""
    if not path.exists():
        raise FileNotFoundError(f"there is no {path}")
    connection = pysqlite3.connect(
        f"file:{quote(str(path))}?mode=rw",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
    )
    # What a power cut takes of it is filled again: `indexed_to` goes with the chunks.
    connection.execute("PRAGMA synchronous = NORMAL")
    if read_only:  # `mode=ro` works only while another connection has the WAL open
        connection.execute("PRAGMA query_only = ON")
    return connection


def _remove(path: Path) -> None:
    for suffix in ("-wal", "-shm", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
