"""Where in the list of sessions words may be: what the list's search asks the index.

Of each session that has ended the index holds, as the trigrams of FTS5
(https://sqlite.org/fts5.html#the_trigram_tokenizer), the message that started it, its error and
its workflow's request id. The rowid is the millisecond in which the session was made. It names a
superset: trigrams may be apart from each other, and sessions may share a millisecond.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pysqlite3

from webapp.search.index import FILE_NAME, connect
from webapp.store.session_filter import Filter
from webapp.store.session_texts import Mark, NoAnswer, TooSlow
from webapp.store.session_walk import deadline

_LETTERS = 3
_STEP = 2
"""Each second trigram of a text has all its letters, and is found in half the time."""
_MAX_TRIGRAMS = 200
_INSTRUCTIONS = 20
"""Of SQLite's machine between two looks at the clock. FTS5 spends few, each a long time."""


class SessionTexts:
    """A snapshot of the index. NoAnswer from any method if it cannot be read."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def mark(self) -> Mark | None:
        """The last row of the database that the index knows of."""
        rows = self._rows("SELECT source_rowid, session_id FROM mark")
        return Mark(*rows[0]) if rows else None

    def unindexed(self, limit: int) -> list[str]:
        """Sessions whose texts it does not have: those that have not ended, or ended just now."""
        query = "SELECT session_id FROM sessions WHERE has_texts = 0 LIMIT ?"
        return [session_id for (session_id,) in self._rows(query, limit)]

    def find(
        self,
        words: str,
        bounds: tuple[int, int],
        *,
        is_rising: bool,
        limit: int,
        seconds: float | None,
    ) -> list[int]:
        """The milliseconds, within bounds, in which sessions were made that may have the words.

        NoAnswer for fewer than three letters, TooSlow after that many seconds of work.
        """
        if len(words) < _LETTERS or "\0" in words:
            raise NoAnswer
        query = (
            "SELECT rowid FROM session_texts WHERE session_texts MATCH ?"  # noqa: S608 - our own words
            f" AND rowid BETWEEN ? AND ? ORDER BY rowid {'ASC' if is_rising else 'DESC'} LIMIT ?"
        )
        is_late = deadline(math.inf if seconds is None else seconds)
        self._connection.set_progress_handler(is_late, _INSTRUCTIONS)
        try:
            return [made for (made,) in self._rows(query, _expression(words), *bounds, limit)]
        except NoAnswer:
            if is_late():
                raise TooSlow from None
            raise
        finally:
            self._connection.set_progress_handler(None, 0)

    def _rows(self, query: str, *values: object) -> list[Any]:
        try:
            return list(self._connection.execute(query, values))
        except pysqlite3.DatabaseError as error:
            raise NoAnswer from error


@contextmanager
def open_texts(var: Path, wanted: Filter) -> Iterator[SessionTexts | None]:
    """The index, for a list that needs it; None where there is none."""
    if not wanted.words:
        yield None
        return
    try:
        connection = connect(var / FILE_NAME, read_only=True, busy_seconds=0)
    except (FileNotFoundError, pysqlite3.DatabaseError):
        yield None
        return
    try:
        connection.execute("BEGIN")
        yield SessionTexts(connection)
    finally:
        connection.close()


def _expression(words: str) -> str:
    starts = [*range(0, len(words) - _LETTERS, _STEP), len(words) - _LETTERS]
    trigrams = dict.fromkeys(words[start : start + _LETTERS] for start in starts)
    return " AND ".join(_quoted(trigram) for trigram in list(trigrams)[:_MAX_TRIGRAMS])


def _quoted(trigram: str) -> str:
    escaped = trigram.replace('"', '""')
    return f'"{escaped}"'
