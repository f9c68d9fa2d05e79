"""Answer a query: the newest sessions first, each with its latest passages that match."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pysqlite3

from webapp.errors import ServiceUnavailable
from webapp.log.dialects.translate import Translate, read_dialect
from webapp.log.opened import OpenLog, open_log
from webapp.search.index import FILE_NAME, TOKENIZER, agent_word, connect
from webapp.search.query import Query
from webapp.search.texts import passages

HITS_OF_SESSION = 3
MOST_SECONDS = 5.0
"""A search that takes longer is given up."""
_INSTRUCTIONS = 10_000
"""Of SQLite's machine, between two looks at the clock."""
_PAST_ALL = 1 << 62
_WINDOW_LETTERS, _OVERLAP_LETTERS = 2000, 200
_LONG_LETTERS = 2 * _WINDOW_LETTERS
_LIKELY_PIECES = 3
"""Those with most of the words are looked into first, and the others only if need be."""
_BEGIN, _END = "\x02", "\x03"
_WITHOUT_MARKS = {ord(_BEGIN): " ", ord(_END): " "}

logger = logging.getLogger(__name__)

_FIND = """
SELECT chunks.id, chunks.start, chunks.stop, sessions.session_id,
       sessions.first_chunk, sessions.last_chunk, sessions.chunk_count
FROM words
CROSS JOIN chunks ON chunks.id = words.rowid
CROSS JOIN sessions ON sessions.id = chunks.session
WHERE words MATCH ? AND words.rowid < ? AND words.rowid >= ? AND chunks.time_ms >= ?
ORDER BY words.rowid DESC
"""
_MARK = """
SELECT rowid, snippet(passages, 0, ?, ?, '…', 28)
FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT 1
"""


@dataclass(frozen=True)
class Search:
    """What is looked for, and where."""

    query: Query
    agent: str | None = None
    since_ms: int = 0
    """Only what was printed at this time or later: Unix time in milliseconds."""
    session_id: str | None = None
    """Only in this session, with as many hits as `limit` allows."""
    limit: int = 10
    """Sessions, or hits in the one session."""
    before: int | None = None
    """A cursor: where the page before ended."""


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


class Group(NamedTuple):
    """A session with its latest hits, the newest first."""

    session_id: str
    hits: list[Hit]
    has_more: bool
    """Whether there are earlier hits than these."""


class Found(NamedTuple):
    """A page of results."""

    groups: list[Group]
    next_before: int | None
    to_do: int
    """Sessions that are not indexed to their end: they run, or wait for it."""


class _Place(NamedTuple):
    """A chunk that matches."""

    chunk: int
    start: int
    stop: int
    session_id: str
    first_chunk: int
    last_chunk: int
    chunk_count: int

    @property
    def is_in_one_run(self) -> bool:
        """Whether no other session's chunks stand between those of this one."""
        return self.last_chunk - self.first_chunk + 1 == self.chunk_count


def find(var: Path, search: Search, log_of: Callable[[str], Path]) -> Found:
    """A page of results; none where there is no index yet. ServiceUnavailable.

    `log_of(session_id)` is the plain name of a session's log. FileNotFoundError from it, or
    where that log is gone, leaves the session out.
    """
    try:
        connection = connect(var / FILE_NAME, read_only=True)
    except FileNotFoundError:
        return Found([], None, 0)
    give_up_at = time.monotonic() + MOST_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > give_up_at, _INSTRUCTIONS)
    try:
        groups, next_before = _page(connection, search)
        to_do = connection.execute("SELECT count(*) FROM sessions WHERE is_done = 0").fetchone()[0]
    except pysqlite3.OperationalError as error:
        raise _unavailable(error, is_late=time.monotonic() > give_up_at) from error
    finally:
        connection.close()
    most = search.limit if search.session_id is not None else HITS_OF_SESSION
    with closing(_Marker(search.query)) as marker:
        shown = [_show(places, most, marker, log_of) for places in groups]
    return Found([group for group in shown if group is not None], next_before, to_do)


def _unavailable(error: Exception, *, is_late: bool) -> ServiceUnavailable:
    if is_late:
        return ServiceUnavailable(
            f"The search took more than {MOST_SECONDS:g} s and was given up; look for rarer words."
        )
    return ServiceUnavailable(f"The search index cannot be read now: {error}.", retry_after=5)


# --- which chunks -----------------------------------------------------------------------


def _page(connection: Any, search: Search) -> tuple[list[list[_Place]], int | None]:
    """Each session's chunks, one more than are shown if there are more; the next page's cursor."""
    most_hits, most_sessions = HITS_OF_SESSION, search.limit
    if search.session_id is not None:
        most_hits, most_sessions = search.limit, 1
    groups: dict[str, list[_Place]] = {}
    least, before = _bounds(connection, search)
    while True:
        for place in _places(connection, search, least, before):
            if place.session_id not in groups and len(groups) == most_sessions:
                return list(groups.values()), before
            group = groups.setdefault(place.session_id, [])
            if len(group) <= most_hits:
                group.append(place)
            before = place.chunk
            if len(group) <= most_hits:
                continue
            if search.session_id is not None:
                return [group], group[-2].chunk
            if place.is_in_one_run and not search.query.has_prefix:
                # Over the rest of it, which may be most of the index.
                before = place.first_chunk
                break
        else:
            return list(groups.values()), None


def _bounds(connection: Any, search: Search) -> tuple[int, int]:
    """Which chunks can match at all: those from the first number up to before the second."""
    least, before = 0, _PAST_ALL if search.before is None else search.before
    if search.since_ms:
        found = connection.execute(
            "SELECT min(first_chunk) FROM sessions WHERE last_ms >= ?", (search.since_ms,)
        ).fetchone()
        least = _PAST_ALL if found[0] is None else found[0]
    if search.session_id is not None:
        found = connection.execute(
            "SELECT first_chunk, last_chunk FROM sessions"
            " WHERE session_id = ? AND first_chunk IS NOT NULL",
            (search.session_id,),
        ).fetchone()
        first, last = (_PAST_ALL, -1) if found is None else found
        least, before = max(least, first), min(before, last + 1)
    return least, before


def _places(connection: Any, search: Search, least: int, before: int) -> Iterator[_Place]:
    match = search.query.expression
    if search.agent is not None:
        match = f"({match}) AND {agent_word(search.agent)}"
    rows = connection.execute(_FIND, (match, before, least, search.since_ms))
    for place in map(_Place._make, rows):
        if search.session_id in (None, place.session_id):
            yield place


# --- what stands there ------------------------------------------------------------------


def _show(
    places: list[_Place], most: int, marker: "_Marker", log_of: Callable[[str], Path]
) -> Group | None:
    session_id = places[0].session_id
    try:
        log = open_log(log_of(session_id))
    except FileNotFoundError:
        return None
    except OSError:
        logger.exception("cannot open the log of %s, in which something was found", session_id)
        return None
    try:
        translate = read_dialect(log).translate
        hits = [marker.mark(log, place, translate) for place in places[:most]]
    except OSError:
        logger.exception("cannot show what was found in %s", session_id)
        return None
    finally:
        log.close()
    shown = [hit for hit in hits if hit is not None]
    return Group(session_id, shown, len(places) > most) if shown else None


class _Marker:
    """Finds the passage of a chunk that matches best, with SQLite's own idea of words."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._connection = pysqlite3.connect(":memory:", isolation_level=None)
        self._connection.execute(
            f'CREATE VIRTUAL TABLE passages USING fts5(text, tokenize = "{TOKENIZER}")'
        )

    def close(self) -> None:
        self._connection.close()

    def mark(self, log: OpenLog, place: _Place, translate: Translate | None) -> Hit | None:
        """The hit to show for a chunk; None where the log holds something else by now."""
        records = log.read(place.stop - place.start, place.start)
        pieces = [
            (passage, piece)
            for passage in passages(records, place.start, translate)
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
        """How many of the words that are looked for stand in it, as far as a glance tells."""
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
