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
from webapp.log.dialects.translate import read_dialect
from webapp.log.opened import open_log
from webapp.search.index import FILE_NAME, agent_word, connect
from webapp.search.query import Query
from webapp.search.snippets import Hit, Marker

HITS_OF_SESSION = 3
MAX_SECONDS = 5.0
_INSTRUCTIONS = 500
"""Of SQLite's machine, between two looks at the clock."""
_PAST_ALL = 1 << 62

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


class _Match(NamedTuple):
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
        """Whether no other session's chunks are between those of this one."""
        return self.last_chunk - self.first_chunk + 1 == self.chunk_count


def find(
    var: Path,
    search: Search,
    log_of: Callable[[str], Path],
    *,
    max_seconds: float = MAX_SECONDS,
) -> Found:
    """A page of results; none where there is no index yet. ServiceUnavailable.

    `log_of(session_id)` is the plain name of a session's log. FileNotFoundError from it, or
    where that log is gone, leaves the session out.
    """
    try:
        connection = connect(var / FILE_NAME, read_only=True)
    except FileNotFoundError:
        return Found([], None, 0)
    give_up_at = time.monotonic() + max_seconds
    connection.set_progress_handler(lambda: time.monotonic() > give_up_at, _INSTRUCTIONS)
    try:
        groups, next_before = _page(connection, search)
        to_do = connection.execute("SELECT count(*) FROM sessions WHERE is_done = 0").fetchone()[0]
    except pysqlite3.OperationalError as error:
        if time.monotonic() > give_up_at:
            raise ServiceUnavailable(
                f"The search took more than {max_seconds:g} s and was given up; look for rarer"
                " words."
            ) from error
        raise ServiceUnavailable(
            f"The search index cannot be read now: {error}.", retry_after=5
        ) from error
    finally:
        connection.close()
    limit = search.limit if search.session_id is not None else HITS_OF_SESSION
    with closing(Marker(search.query)) as marker:
        shown = [_show(matches, limit, marker, log_of) for matches in groups]
    return Found([group for group in shown if group is not None], next_before, to_do)


# --- which chunks -----------------------------------------------------------------------


def _page(connection: Any, search: Search) -> tuple[list[list[_Match]], int | None]:
    """Each session's chunks, one more than are shown if there are more; the next page's cursor."""
    max_hits, max_sessions = HITS_OF_SESSION, search.limit
    if search.session_id is not None:
        max_hits, max_sessions = search.limit, 1
    groups: dict[str, list[_Match]] = {}
    lowest, before = _bounds(connection, search)
    while True:
        for match in _matches(connection, search, lowest, before):
            if match.session_id not in groups and len(groups) == max_sessions:
                return list(groups.values()), before
            group = groups.setdefault(match.session_id, [])
            if len(group) <= max_hits:
                group.append(match)
            before = match.chunk
            if len(group) <= max_hits:
                continue
            if search.session_id is not None:
                return [group], group[-2].chunk
            if match.is_in_one_run and not search.query.has_prefix:
                # Skip the rest of its chunks, which may be a large part of the index.
                before = match.first_chunk
                break
        else:
            return list(groups.values()), None


def _bounds(connection: Any, search: Search) -> tuple[int, int]:
    """Which chunks can match at all: those from the first number up to before the second."""
    lowest, before = 0, _PAST_ALL if search.before is None else search.before
    if search.since_ms:
        found = connection.execute(
            "SELECT min(first_chunk) FROM sessions WHERE last_ms >= ?", (search.since_ms,)
        ).fetchone()
        lowest = _PAST_ALL if found[0] is None else found[0]
    if search.session_id is not None:
        found = connection.execute(
            "SELECT first_chunk, last_chunk FROM sessions"
            " WHERE session_id = ? AND first_chunk IS NOT NULL",
            (search.session_id,),
        ).fetchone()
        first, last = (_PAST_ALL, -1) if found is None else found
        lowest, before = max(lowest, first), min(before, last + 1)
    return lowest, before


def _matches(connection: Any, search: Search, lowest: int, before: int) -> Iterator[_Match]:
    words = search.query.expression
    if search.agent is not None:
        words = f"({words}) AND {agent_word(search.agent)}"
    rows = connection.execute(_FIND, (words, before, lowest, search.since_ms))
    for match in map(_Match._make, rows):
        if search.session_id in (None, match.session_id):
            yield match


# --- what is shown ----------------------------------------------------------------------


def _show(
    matches: list[_Match], limit: int, marker: Marker, log_of: Callable[[str], Path]
) -> Group | None:
    session_id = matches[0].session_id
    try:
        log = open_log(log_of(session_id))
    except FileNotFoundError:
        return None
    except OSError:
        logger.exception("cannot open the log of %s, in which something was found", session_id)
        return None
    try:
        translate = read_dialect(log).translate
        hits = [marker.mark(log, match.start, match.stop, translate) for match in matches[:limit]]
    except OSError:
        logger.exception("cannot show what was found in %s", session_id)
        return None
    finally:
        log.close()
    shown = [hit for hit in hits if hit is not None]
    return Group(session_id, shown, len(matches) > limit) if shown else None
