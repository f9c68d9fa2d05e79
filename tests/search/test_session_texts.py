"""Lists of sessions are searched for words with the index, however much of it is filled."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.search.stored_sessions import StoredSessions
from tests.store.fresh_var import make_var
from tests.store.many_sessions import add_many, check_lists, choices, ids_of, pages_of
from tests.store.rows import execute
from webapp.search.index import FILE_NAME, SearchIndex
from webapp.search.session_texts import open_texts
from webapp.store import session_texts
from webapp.store.engine import Database, open_migrated
from webapp.store.session_filter import Filter
from webapp.store.session_list import find_page
from webapp.store.session_order import ORDERS, SORTS
from webapp.store.session_texts import Mark, NoAnswer, TooSlow, find_by_words
from webapp.store.session_walk import Effort

WORDS = Filter(text="words")
EFFORT = Effort()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty one, in a folder of its own."""
    opened = open_migrated(make_var(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def index(tmp_path: Path, database: Database) -> Iterator[SearchIndex]:
    """An index beside it, empty."""
    opened = SearchIndex(tmp_path / "var")
    yield opened
    opened.close()


def fill(index: SearchIndex, database: Database, known: int, with_texts: int) -> None:
    """Let the index know of the first sessions, and of fewer what was said."""
    with database.read() as orm:
        new = session_texts.sessions_after(orm, 0, known)
        texts = session_texts.ended_texts(orm, [row.session_id for row in new[:with_texts]])
    if new:
        index.add((row[1:] for row in new), Mark(new[-1].rowid, new[-1].session_id))
    index.add_texts(texts)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize(
    ("known", "with_texts", "max_sorted"), [(0, 0, 9), (200, 90, 9), (300, 300, 0), (300, 300, 400)]
)
def test_each_list_is_whole_however_much_is_indexed(
    database: Database,
    index: SearchIndex,
    tmp_path: Path,
    sort: str,
    known: int,
    with_texts: int,
    max_sorted: int,
) -> None:
    many = add_many(database)
    fill(index, database, known, with_texts)
    effort = Effort(
        max_collected_with_words=20, max_sorted=max_sorted, max_named=30, first_step=20, seconds=0
    )
    chosen = [wanted for wanted in choices(many) if wanted.words]
    with open_texts(tmp_path / "var", WORDS) as texts:
        check_lists(
            database,
            many,
            random.Random(known).sample(chosen, 15),
            sort,
            index=texts,
            effort=effort,
        )


def test_words_that_take_the_index_too_long_are_found_in_parts(
    database: Database, index: SearchIndex, tmp_path: Path
) -> None:
    many = add_many(database)
    fill(index, database, 300, 300)
    effort = Effort(
        max_collected_with_words=0, index_seconds=-1, window_sessions=70, seconds=60, first_step=20
    )
    with open_texts(tmp_path / "var", WORDS) as texts:
        for sort in SORTS:
            check_lists(
                database, many, [Filter(text="fix the tests")], sort, index=texts, effort=effort
            )
        pages = pages_of(
            database, Filter(text="no such words"), limit=9, index=texts, effort=effort
        )
    assert ids_of(pages) == []


# --- sessions as they come ----------------------------------------------------------------


def found(stored: StoredSessions, text: str, effort: Effort = EFFORT, **wanted: Any) -> list[str]:
    """What the index finds, the newest first. NoAnswer."""
    with stored.database.read() as orm, open_texts(stored.var, WORDS) as index:
        assert index is not None
        wanted_ones = Filter(text=text, **wanted)
        order = ORDERS["newest"]
        positions = find_by_words(orm, wanted_ones, order, None, 50, index, effort).positions
    return [position.id for position in positions]


def walked(stored: StoredSessions, text: str) -> list[str]:
    """What a page has, where it may walk along the rows."""
    effort = Effort(max_collected_with_words=0)
    with stored.database.read() as orm, open_texts(stored.var, WORDS) as index:
        page = find_page(orm, Filter(text=text), limit=50, index=index, effort=effort)
    return [session.id for session in page.sessions]


def say(stored: StoredSessions, session_id: str, content: str) -> None:
    """Let a message start a session."""
    execute(
        stored.database,
        "INSERT INTO messages (workflow_id, stage_index, session_id, role, content, created_at)"
        " SELECT workflow_id, 0, id, 'user', :content, created_at FROM sessions WHERE id = :id",
        id=session_id,
        content=content,
    )


def test_session_is_found_from_its_start_on(stored: StoredSessions) -> None:
    session_id = stored.add(status="running")
    say(stored, session_id, "fix the tests")
    assert found(stored, "the tests") == [session_id]
    stored.fill()
    assert found(stored, "the tests") == [session_id]
    execute(
        stored.database,
        "UPDATE sessions SET status = 'failed', ended_at = '2026', error = 'it broke'",
    )
    for _ in range(2):
        assert found(stored, "the tests") == found(stored, "it broke") == [session_id]
        stored.fill()


def test_row_with_an_old_id_is_found_at_once(stored: StoredSessions) -> None:
    stored.count = 4000
    stored.add("in time")
    stored.fill()
    stored.count = 10
    late = stored.add("imported")
    say(stored, late, "fix the tests")
    assert found(stored, "the tests") == [late]
    stored.fill()
    assert found(stored, "the tests") == [late]


def test_sessions_of_one_millisecond_are_kept_apart(stored: StoredSessions) -> None:
    ids = [f"session-1700000000123-{letter * 12}" for letter in "abcd"]
    for at, session_id in enumerate(ids):
        stored.add(id=session_id, agent=f"agent-{at}")
        say(stored, session_id, f"task {at}")
        stored.fill()
    assert found(stored, "task", agents=["agent-1", "agent-3"]) == [ids[3], ids[1]]
    assert found(stored, "task 2") == [ids[2]]
    assert found(stored, "task 2", agents=["agent-1"]) == []


@pytest.mark.parametrize(
    "words",
    [
        'say "hi" AND NOT (this)',
        "größe ÄÖ 語言文",
        "x" * 5000,
        "50%_!",
        "*^:",
        "🙂🙂🙂 go",
        "session-handling",
        "a workflow-1",
    ],
)
def test_any_words_are_found(stored: StoredSessions, words: str) -> None:
    session_id = stored.add()
    say(stored, session_id, f"please {words} now")
    for _ in range(2):
        for text in (words, words[:6], words[-4:]):
            assert found(stored, text) == [session_id], text
        stored.fill()
    assert found(stored, f"{words} then") == []


def test_few_letters_are_found_by_a_walk(stored: StoredSessions) -> None:
    session_id = stored.add()
    say(stored, session_id, "ok go")
    stored.fill()
    for text, ids in (("go", [session_id]), ("a\0go", [])):
        with pytest.raises(NoAnswer):
            found(stored, text)
        assert walked(stored, text) == ids


# --- an index that cannot answer ----------------------------------------------------------


def damage(stored: StoredSessions) -> None:
    (stored.var / FILE_NAME).write_bytes(b"no database at all" * 500)


def restore_backup(stored: StoredSessions) -> None:
    """Rows get numbers that other rows had."""
    execute(stored.database, "DELETE FROM messages")
    execute(stored.database, "DELETE FROM sessions")


@pytest.mark.parametrize(
    "spoil",
    [
        damage,
        restore_backup,
        lambda stored: (stored.var / FILE_NAME).unlink(),
        lambda stored: stored.index.clear(),
    ],
    ids=["damaged", "of another database", "gone", "empty"],
)
def test_rows_are_searched_where_the_index_cannot_answer(
    stored: StoredSessions, spoil: Callable[[StoredSessions], object]
) -> None:
    for _ in range(4):
        stored.add("line")
    stored.fill()
    spoil(stored)
    ids = [stored.add("line") for _ in range(2)]
    say(stored, ids[0], "fix the tests")
    assert walked(stored, "the tests") == [ids[0]]


def test_rows_are_searched_where_the_index_lacks_many(stored: StoredSessions) -> None:
    ids = [stored.add("line") for _ in range(4)]
    say(stored, ids[1], "fix the tests")
    with pytest.raises(NoAnswer):
        found(stored, "the tests", Effort(max_unindexed=3))
    assert walked(stored, "the tests") == [ids[1]]
    stored.fill()
    assert found(stored, "the tests", Effort(max_unindexed=3)) == [ids[1]]


def test_index_gives_up_after_a_time(stored: StoredSessions) -> None:
    for _ in range(50):
        say(stored, stored.add("line"), "fix the tests")
    stored.fill()
    with open_texts(stored.var, WORDS) as index:
        assert index is not None
        with pytest.raises(TooSlow):
            index.find("the tests", (0, 10**13), is_rising=True, limit=99, seconds=-1)
        made = index.find("the tests", (0, 10**13), is_rising=True, limit=99, seconds=60)
        assert len(made) == 50
