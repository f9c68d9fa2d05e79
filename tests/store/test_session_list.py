"""Pages of sessions: whatever is asked for, all of it comes, once, in its order."""

import random
from typing import Any

import pytest

from tests.store.many_sessions import (
    START_MS,
    add_many,
    check_lists,
    choices,
    ids_of,
    page_of,
    pages_of,
)
from tests.store.rows import add_ended, add_session, execute
from webapp.errors import BadRequest
from webapp.store.engine import Database
from webapp.store.session_filter import Filter
from webapp.store.session_list import count_sessions, find_page, titles_of
from webapp.store.session_order import SORTS
from webapp.store.session_walk import Effort


@pytest.fixture
def many(database: Database) -> list[dict[str, Any]]:
    """Three hundred sessions of all kinds, as rows with the text that started each."""
    return add_many(database)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("collected", [0, 25, 10_000], ids=["walked", "both", "collected"])
def test_each_filter_finds_just_what_it_says_in_its_order(
    database: Database, many: list[dict[str, Any]], sort: str, collected: int
) -> None:
    effort = Effort(
        max_walked=60,
        max_collected=collected,
        max_collected_with_words=collected,
        first_step=16,
        seconds=60,
    )
    chosen = random.Random(collected).sample(choices(many), 30)
    check_lists(database, many, chosen, sort, effort=effort)


def test_search_that_stops_before_its_page_is_full_says_so(
    database: Database, many: list[dict[str, Any]]
) -> None:
    effort = Effort(max_walked=100, first_step=50, seconds=60)
    pages = pages_of(database, Filter(text="no such words"), limit=10, effort=effort)
    assert [page.is_incomplete for page in pages] == [True, True, True, False]
    assert ids_of(pages) == []
    assert not page_of(database, Filter(text="look"), limit=5).is_incomplete


def test_live_sessions_stand_among_the_longest_and_the_largest(
    database: Database, workflow_id: str
) -> None:
    long = {"started_at": "2020-01-01T00:00:00.000Z", "ended_at": "2020-01-01T09:00:00.000Z"}
    ended = add_ended(database, workflow_id, id="session-1", log_bytes=500, **long)
    live = add_session(
        database,
        workflow_id,
        id="session-2",
        status="running",
        started_at="2020-01-01T00:00:00.000Z",
    )
    starting = add_session(database, workflow_id, id="session-3")
    sizes = {live: 1000, starting: None}

    def listed(sort: str, **options: Any) -> list[str]:
        found = pages_of(
            database, Filter(), sort=sort, live_bytes=lambda row: sizes[row.id], **options
        )
        return ids_of(found)

    for limit in (1, 2, 3):
        assert listed("longest", limit=limit) == [live, ended, starting]
        assert listed("largest", limit=limit) == [live, ended, starting]


def test_counts_follow_each_change(database: Database, workflow_id: str) -> None:
    def counted() -> dict[tuple[str, str], int]:
        with database.read() as orm:
            return {(row.agent, row.status): row.count for row in count_sessions(orm)}

    assert counted() == {}
    first = add_session(database, workflow_id)
    add_session(database, workflow_id, agent="claude")
    add_ended(database, workflow_id)
    assert counted() == {
        ("demo", "starting"): 1,
        ("claude", "starting"): 1,
        ("demo", "succeeded"): 1,
    }
    execute(database, "UPDATE sessions SET status = 'running' WHERE id = :id", id=first)
    execute(database, "INSERT OR IGNORE INTO sessions SELECT * FROM sessions WHERE 1")
    assert counted()[("demo", "running")] == 1
    assert ("demo", "starting") not in counted()
    execute(database, "DELETE FROM sessions WHERE agent = 'demo'")
    assert counted() == {("claude", "starting"): 1}
    with database.read() as orm:
        assert count_sessions(orm, ["demo"]) == []


def test_title_is_how_the_message_began_that_started_a_session(
    database: Database, many: list[dict[str, Any]]
) -> None:
    with database.read() as orm:
        page = find_page(orm, Filter(), limit=3)
        assert titles_of(orm, page.sessions) == {
            row["id"]: row["content"]
            for row in many
            if row["id"] in {session.id for session in page.sessions}
        }


def test_list_can_be_of_any_number_of_agents(
    database: Database, many: list[dict[str, Any]]
) -> None:
    wanted = Filter(agents=["demo", *(f"agent-{at}" for at in range(2_000))])
    expected = sorted(row["id"] for row in many if row["agent"] == "demo")
    assert (
        ids_of(pages_of(database, wanted, limit=50, effort=Effort(max_collected=0)))
        == expected[::-1]
    )


@pytest.mark.parametrize(
    ("wanted", "options", "field"),
    [
        (Filter(statuses=["done"]), {}, "status"),
        (Filter(), {"sort": "best"}, "sort"),
        (Filter(), {"cursor": "zzz"}, "cursor"),
        (Filter(), {"cursor": ""}, "cursor"),
        (Filter(), {"cursor": "5.session-1"}, "cursor"),
        (Filter(), {"cursor": "session-1'; --"}, "cursor"),
        (Filter(), {"sort": "longest", "cursor": "session-1"}, "cursor"),
        (Filter(), {"sort": "longest", "cursor": "5.garbage"}, "cursor"),
        (Filter(), {"sort": "largest", "cursor": "x.session-1"}, "cursor"),
    ],
)
def test_what_makes_no_sense_is_refused(
    database: Database, wanted: Filter, options: dict[str, str], field: str
) -> None:
    with pytest.raises(BadRequest) as caught:
        page_of(database, wanted, **options)
    assert caught.value.field == field


def test_each_index_serves_its_list(database: Database) -> None:
    """Nothing is sorted, and no list reads all of the table."""
    plans: list[str] = []
    with database.read() as orm:
        connection: Any = orm.connection().connection.dbapi_connection
        statements: list[str] = []
        connection.set_trace_callback(statements.append)
        for sort in SORTS:
            find_page(orm, Filter(), sort=sort, limit=5)
        find_page(orm, Filter(agents=["demo"], statuses=["lost"]), limit=5)
        find_page(orm, Filter(statuses=["lost"], until_ms=START_MS), limit=5, cursor="session-9")
        connection.set_trace_callback(None)
        for statement in statements:
            if "INDEXED BY" in statement:
                plans += [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert len(plans) > 6
    assert [
        plan for plan in plans if plan in ("SCAN sessions", "USE TEMP B-TREE FOR ORDER BY")
    ] == []
