"""What is shown of a chunk that matches: its best passage, with the words marked."""

from collections.abc import Iterator
from typing import NamedTuple

import pysqlite3

from webapp.log.dialects.translate import Translate
from webapp.log.opened import OpenLog
from webapp.search.index import TOKENIZER
from webapp.search.query import Query
from webapp.search.texts import passages

_WINDOW_LETTERS, _OVERLAP_LETTERS = 2000, 200
_LONG_LETTERS = 2 * _WINDOW_LETTERS
_LIKELY_PIECES = 3
"""Those that have more of the words are searched first, and the others only if needed."""
_BEGIN, _END = "\x02", "\x03"
_WITHOUT_MARKS = {ord(_BEGIN): " ", ord(_END): " "}

_MARK = """
SELECT rowid, snippet(passages, 0, ?, ?, '…', 28)
FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT 1
"""


class Snippet(NamedTuple):
    """A piece of text, and whether it is one of the words that were looked for."""

    text: str
    is_match: bool


class Hit(NamedTuple):
    """A passage that matches."""

    offset: int
    """A stream that begins here begins with it."""
    end: int
    """Where it ends: the id of its event, by which a session's page opens at it."""
    time: str
    stream: str
    snippet: list[Snippet]


class Marker:
    """Finds the passage of a chunk that matches best; SQLite says what a word is."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._connection = pysqlite3.connect(":memory:", isolation_level=None)
        self._connection.execute(
            f'CREATE VIRTUAL TABLE passages USING fts5(text, tokenize = "{TOKENIZER}")'
        )

    def close(self) -> None:
        """Close its database."""
        self._connection.close()

    def mark(self, log: OpenLog, start: int, stop: int, translate: Translate | None) -> Hit | None:
        """The hit to show for a chunk of a log; None where the log has other content by now."""
        records = log.read(stop - start, start)
        pieces = [
            (passage, piece)
            for passage in passages(records, start, translate)
            for piece in _pieces(passage.text)
        ]
        pieces.sort(key=lambda one: self._parts_in(one[1]), reverse=True)
        for some in (pieces[:_LIKELY_PIECES], pieces[_LIKELY_PIECES:]):
            found = self._look_into([piece for _passage, piece in some])
            if found is not None:
                passage = some[found[0]][0]
                snippet = _snippet(found[1])
                return Hit(passage.start, passage.stop, passage.time, passage.stream, snippet)
        return None

    def _look_into(self, pieces: list[str]) -> tuple[int, str] | None:
        """Which of these matches best, and its snippet."""
        self._connection.execute("DELETE FROM passages")
        self._connection.executemany(
            "INSERT INTO passages (rowid, text) VALUES (?, ?)",
            ((at, piece.translate(_WITHOUT_MARKS)) for at, piece in enumerate(pieces)),
        )
        marks = (_BEGIN, _END, self._query.wanted)
        found: tuple[int, str] | None = self._connection.execute(_MARK, marks).fetchone()
        return found

    def _parts_in(self, piece: str) -> int:
        """How many of the wanted words it has; an estimate, without SQLite."""
        text = piece.casefold()
        return sum(part in text for part in self._query.parts)


def _pieces(text: str) -> Iterator[str]:
    """The text, in parts that overlap where it is long."""
    if len(text) <= _LONG_LETTERS:
        yield text
        return
    for start in range(0, len(text), _WINDOW_LETTERS):
        yield text[start : start + _WINDOW_LETTERS + _OVERLAP_LETTERS]


def _snippet(marked: str) -> list[Snippet]:
    found: list[Snippet] = []
    for part in marked.split(_BEGIN):
        if not found:
            found.append(Snippet(part, is_match=False))
            continue
        match, _end, rest = part.partition(_END)
        found += [Snippet(match, is_match=True), Snippet(rest, is_match=False)]
    return [snippet for snippet in found if snippet.text]
