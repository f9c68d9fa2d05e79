"""The index of sessions by what is known of them: `session_index`, and what is not in it yet.

Its words are three letters long, as FTS5's trigram tokenizer makes them
(https://sqlite.org/fts5.html#the_trigram_tokenizer): all that stand in the text which a list can
be searched for, and for each fact (an agent, a status, a workflow) one of letters that nobody
writes. So FTS5 finds where any of these meet, in the order of time: its rowid is the millisecond
in which a session was made, as its id tells it.

It says where to look, never what is so: it forgets nothing, several sessions may be made in one
millisecond, and words in threes may stand apart. Whoever asks it looks at the rows.
"""

import re
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

from webapp.store.engine import Database
from webapp.store.models import LIVE
from webapp.store.session_filter import ID_BEGINNING, Filter

FEWEST_AT_ONCE = 200
"""So many sessions wait to be indexed together: each transaction is a piece to be merged."""
_MOST_AT_ONCE = 500
_MOST_LETTERS_AT_ONCE = 200_000
_GRAM_LETTERS = 3
_GRAM_STEP = 2
"""Each second gram of a text holds all its letters, and is found in half the time."""
_MOST_WORDS = 200
_BETWEEN_TEXTS = "\x1f"
_FACT_PLANE = 0x100000
_FACT_LETTERS = 0xFFFE

_ENDED = f"sessions.status NOT IN {LIVE}"
_WAITING = (
    "FROM unindexed_sessions CROSS JOIN sessions ON sessions.id = session_id"
    f" WHERE {_ENDED} AND session_id GLOB '{ID_BEGINNING}{'[0-9]' * 13}-*'"
)
_COUNT_WAITING = f"SELECT count(*) FROM (SELECT 1 {_WAITING} LIMIT ?)"  # noqa: S608 - our own words
_SELECT_WAITING = f"""
SELECT session_id, agent, sessions.status, sessions.workflow_id, error,
    (SELECT request_id FROM workflows WHERE workflows.id = sessions.workflow_id),
    (SELECT group_concat(content, char(31)) FROM messages
        WHERE messages.session_id = sessions.id AND role = 'user')
{_WAITING} ORDER BY session_id LIMIT ?
"""  # noqa: S608
_INSERT = "INSERT INTO session_index (rowid, words, agent, status, workflow) VALUES (?, ?, ?, ?, ?)"
_DELETE = "DELETE FROM unindexed_sessions WHERE session_id = ?"


def index_waiting(database: Database, *, fewest: int | None = None) -> Iterator[int]:
    """Index the sessions that have ended, once so many wait; each step tells how many it took."""
    fewest = FEWEST_AT_ONCE if fewest is None else fewest
    with database.read() as orm:
        connection: Any = orm.connection().connection.dbapi_connection
        (waiting,) = connection.execute(_COUNT_WAITING, (fewest,)).fetchone()
    if waiting < fewest:
        return
    while taken := database.write_sql(_index_some):
        yield taken


def _index_some(connection: Any) -> int:
    entries, done, letters = [], [], 0
    for session_id, agent, status, workflow_id, *texts in connection.execute(
        _SELECT_WAITING, (_MOST_AT_ONCE,)
    ):
        words = _BETWEEN_TEXTS.join(text.replace("\0", " ") for text in texts if text)
        facts = _fact("agent", agent), _fact("status", status), _fact("workflow", workflow_id)
        entries.append((made_ms(session_id), words, *facts))
        done.append((session_id,))
        letters += len(words)
        if letters >= _MOST_LETTERS_AT_ONCE:
            break
    connection.executemany(_INSERT, entries)
    connection.executemany(_DELETE, done)
    return len(done)


def made_ms(session_id: str) -> int:
    """The Unix time, in milliseconds, in which a session was made."""
    return int(session_id[len(ID_BEGINNING) : len(ID_BEGINNING) + 13])


def bounds_ms(lowest: str, highest: str) -> tuple[int, int]:
    """The milliseconds, both included, that hold all ids between two, or beginnings of ids."""
    digits = re.compile(rf"{ID_BEGINNING}([0-9]{{1,13}})")
    first, last = digits.match(lowest), digits.match(highest)
    return (
        0 if first is None else int(first[1].ljust(13, "0")),
        10**13 if last is None else int(last[1].ljust(13, "9")),
    )


def query_of(wanted: Filter) -> str | None:
    """What to MATCH for a superset of what is wanted; None where the index is no use."""
    each = [
        *_either("status", wanted.statuses),
        *_either("agent", wanted.agents),
        *_either("workflow", [] if wanted.workflow_id is None else [wanted.workflow_id]),
        *_said(wanted.text),
    ]
    if not each or sum(len(wanted_words) for wanted_words in each) > _MOST_LETTERS_AT_ONCE:
        return None
    if max(len(wanted.agents), len(wanted.statuses)) > _MOST_WORDS:
        return None
    return " AND ".join(each)


def _either(kind: str, values: Sequence[str]) -> list[str]:
    words = [_quoted(_fact(kind, value)) for value in dict.fromkeys(values)]
    return [f"({' OR '.join(words)})"] if words else []


def _said(text: str) -> list[str]:
    """A text stands somewhere, or is a workflow's id. The beginning of an id is found by time."""
    if text.startswith(ID_BEGINNING) or "\0" in text or len(text) < _GRAM_LETTERS:
        return []
    starts = [*range(0, len(text) - _GRAM_LETTERS, _GRAM_STEP), len(text) - _GRAM_LETTERS]
    grams = dict.fromkeys(text[start : start + _GRAM_LETTERS] for start in starts)
    words = " AND ".join(_quoted(gram) for gram in list(grams)[:_MOST_WORDS])
    return [f"(({words}) OR {_quoted(_fact('workflow', text))})"]


def _fact(kind: str, value: str) -> str:
    """A word for a fact: nearly always another for another fact, in letters for private use."""
    digest = blake2b(f"{kind}\0{value}".encode(), digest_size=2 * _GRAM_LETTERS).digest()
    letters = (digest[at : at + 2] for at in range(0, len(digest), 2))
    return "".join(chr(_FACT_PLANE + int.from_bytes(pair) % _FACT_LETTERS) for pair in letters)


def _quoted(word: str) -> str:
    escaped = word.replace('"', '""')
    return f'"{escaped}"'
