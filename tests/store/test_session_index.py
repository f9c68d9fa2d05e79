"""The index of sessions: what goes in, when, and that it never leaves out what is wanted."""

from typing import Any

import pytest

from tests.store.rows import add_ended, add_session, execute, rows
from webapp.store import indexed_list, session_index, session_list
from webapp.store.engine import Database
from webapp.store.session_filter import Filter
from webapp.store.session_index import bounds_ms, index_waiting, query_of
from webapp.store.session_list import find_page
from webapp.store.session_order import ORDERS

MADE = "session-1700000000123"


def unindexed(database: Database) -> set[str]:
    return {
        row["session_id"] for row in rows(database, "SELECT session_id FROM unindexed_sessions")
    }


def index_all(database: Database) -> int:
    return sum(index_waiting(database, fewest=1))


def found(database: Database, **wanted: Any) -> list[str]:
    with database.read() as orm:
        return [session.id for session in find_page(orm, Filter(**wanted), limit=50).sessions]


def say(database: Database, session_id: str, content: str) -> None:
    execute(
        database,
        "INSERT INTO messages (workflow_id, stage_index, session_id, role, content, created_at)"
        " SELECT workflow_id, 0, id, 'user', :content, created_at FROM sessions WHERE id = :id",
        id=session_id,
        content=content,
    )


@pytest.fixture(autouse=True)
def only_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other way to a page."""

    def refuse(*_given: object) -> None:
        raise AssertionError("the index was not asked")

    monkeypatch.setattr(session_list, "_small_source", refuse)


def test_what_has_ended_is_indexed_and_what_lives_waits(
    database: Database, workflow_id: str
) -> None:
    ended, live = add_ended(database, workflow_id), add_session(database, workflow_id)
    assert unindexed(database) == {ended, live}
    assert list(index_waiting(database)) == []  # too few to be worth it
    assert index_all(database) == 1
    assert unindexed(database) == {live}
    assert sorted(found(database, text="r-1")) == sorted([ended, live])


def test_session_that_changes_afterwards_is_indexed_again(
    database: Database, workflow_id: str
) -> None:
    session_id = add_ended(database, workflow_id, id=f"{MADE}-aaaaaaaaaaaa")
    index_all(database)
    assert unindexed(database) == set()
    say(database, session_id, "hello again")
    assert unindexed(database) == {session_id}
    index_all(database)
    execute(database, "UPDATE sessions SET error = 'it broke', agent = 'other'")
    assert unindexed(database) == {session_id}
    for _ in range(2):
        assert found(database, text="hello again", agents=["other"]) == [session_id]
        assert found(database, text="it broke", agents=["demo"]) == []
        index_all(database)
    execute(database, "DELETE FROM messages")
    execute(database, "DELETE FROM sessions")
    assert unindexed(database) == set()
    assert found(database, text="it broke", agents=["other"]) == []


def test_sessions_of_one_millisecond_are_told_apart(database: Database, workflow_id: str) -> None:
    ids = [f"{MADE}-{letter * 12}" for letter in "abcd"]
    for at, session_id in enumerate(ids):
        add_ended(database, workflow_id, id=session_id, agent=f"agent-{at}")
        say(database, session_id, f"task {at}")
        index_all(database)
    execute(database, "INSERT INTO session_index (session_index) VALUES ('optimize')")
    assert found(database, text="task", agents=["agent-1", "agent-3"]) == [ids[3], ids[1]]
    assert found(database, text="task 2") == [ids[2]]
    assert found(database, text="task 2", agents=["agent-1"]) == []


@pytest.mark.parametrize(
    "words",
    [
        'say "hi" AND NOT (this)',
        "größe ÄÖ 語言文",
        "x" * 5000,
        "50%_!",
        "*^:",
        "🙂🙂🙂 go",
    ],
)
def test_any_words_are_found(database: Database, workflow_id: str, words: str) -> None:
    session_id = add_ended(database, workflow_id)
    say(database, session_id, f"please {words} now")
    for _ in range(2):
        for text in (words, words[:5], words[-4:]):
            assert found(database, text=text, statuses=["succeeded"]) == [session_id]
        index_all(database)


def test_list_without_an_index_is_found_in_another_way(
    database: Database, workflow_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_ended(database, workflow_id)
    with database.read() as orm:
        order = ORDERS["newest"]
        ask = (orm, Filter(text="hello"), order, None, 5)
        assert indexed_list.find_indexed(*ask) is not None
        monkeypatch.setattr(indexed_list, "MOST_UNINDEXED", 0)
        assert indexed_list.find_indexed(*ask) is None


@pytest.mark.parametrize(
    ("wanted", "is_known"),
    [
        (Filter(), False),
        (Filter(text="ab"), False),
        (Filter(text="abc"), True),
        (Filter(text="a\0bc"), False),
        (Filter(text="session-17"), False),
        (Filter(text="ab", agents=["demo"]), True),
        (Filter(agents=[f"agent-{at}" for at in range(150)]), True),
        (Filter(agents=[f"agent-{at}" for at in range(2000)]), False),
        (Filter(text="words of some length " * 500), True),
    ],
)
def test_index_says_what_it_knows_nothing_of(
    database: Database, wanted: Filter, *, is_known: bool
) -> None:
    assert (query_of(wanted) is not None) is is_known
    assert (
        found(database, text=wanted.text[:2], agents=wanted.agents[:150], statuses=["lost"]) == []
    )
    if is_known:
        query = "SELECT rowid FROM session_index WHERE session_index MATCH :words"
        assert rows(database, query, words=query_of(wanted)) == []


@pytest.mark.parametrize(
    ("lowest", "highest", "bounds"),
    [
        ("", "session-~", (0, 10**13)),
        ("session-17", "session-17~", (1_700_000_000_000, 1_799_999_999_999)),
        (f"{MADE}-ab", f"{MADE}-ac", (1_700_000_000_123, 1_700_000_000_123)),
        ("garbage", "session-x", (0, 10**13)),
    ],
)
def test_bounds_hold_all_ids_between(lowest: str, highest: str, bounds: tuple[int, int]) -> None:
    assert bounds_ms(lowest, highest) == bounds
    assert session_index.made_ms(f"{MADE}-aaaaaaaaaaaa") == 1_700_000_000_123
