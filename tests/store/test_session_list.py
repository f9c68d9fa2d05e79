"""Pages of sessions: whatever is asked for, all of it comes, once, in its order."""

import itertools
import random
from typing import Any

import pytest

from tests.store.rows import add_ended, add_session, execute, rows
from webapp.errors import BadRequest
from webapp.store import indexed_list, session_index, session_list, workflows
from webapp.store.engine import Database
from webapp.store.models import ENDED, STATUSES
from webapp.store.session_filter import Filter
from webapp.store.session_list import Page, count_sessions, find_page, titles_of
from webapp.store.session_order import SORTS

START_MS = 1_700_000_000_000
AGENTS = ("demo", "claude", "codex")
INSERT = """
INSERT INTO sessions (id, workflow_id, stage_index, agent, argv, host, log_path, status, error,
    started_at, ended_at, log_bytes, created_at)
VALUES (:id, :workflow_id, 0, :agent, '[]', 'here', 'x', :status, :error, :started_at, :ended_at,
    :log_bytes, '2026-11-23T21:00:00.000Z')
"""
SAY = """
INSERT INTO messages (workflow_id, stage_index, session_id, role, content, created_at)
SELECT workflow_id, 0, id, 'user', :content, created_at FROM sessions WHERE id = :id
"""
TEXTS = ("fix the tests", "50% of _it_", "Deploy!", "look")


def page_of(database: Database, wanted: Filter, **options: Any) -> Page:
    with database.read() as orm:
        return find_page(orm, wanted, **({"limit": 100} | options))


def pages_of(database: Database, wanted: Filter, **options: Any) -> list[Page]:
    """All pages, each from where the one before ended."""
    pages = [page_of(database, wanted, **options)]
    while (cursor := pages[-1].next_cursor) is not None:
        pages.append(page_of(database, wanted, cursor=cursor, **options))
    return pages


def ids_of(pages: list[Page]) -> list[str]:
    return [session.id for page in pages for session in page.sessions]


@pytest.fixture
def many(database: Database) -> list[dict[str, Any]]:
    """Three hundred sessions of all kinds, as rows with the text that started each."""
    chance = random.Random(7)
    names = [
        database.write(
            lambda orm, at=at: (  # type: ignore[misc]
                workflows.create_workflow(
                    orm, template="chat", request_id=f"REQ-{at}", initial_message=None
                ).id
            )
        )
        for at in range(3)
    ]
    sessions, messages = [], []
    for at in range(300):
        status = chance.choice(STATUSES)
        is_over = status in ENDED
        session_id = f"session-{START_MS + at * 1000:013d}-{at:012d}"
        times = [
            f"2026-11-23T21:00:{chance.randrange(60):02}.000Z",
            f"2026-11-23T21:{chance.randrange(1, 60):02}:00.000Z",
        ]
        sessions.append(
            {
                "id": session_id,
                "workflow_id": chance.choice(names),
                "agent": chance.choice(AGENTS),
                "status": status,
                "error": chance.choice([None, "it broke"]),
                "started_at": chance.choice([times[0], None]),
                "ended_at": times[1] if is_over else None,
                "log_bytes": chance.choice([None, 1, 2, 3]) if is_over else None,
            }
        )
        messages.append({"id": session_id, "content": chance.choice(TEXTS)})
    database.write_sql(
        lambda sql: (sql.executemany(INSERT, sessions), sql.executemany(SAY, messages))
    )
    return rows(
        database,
        "SELECT sessions.*, content, request_id FROM sessions"
        " JOIN messages ON session_id = sessions.id"
        " JOIN workflows ON workflows.id = sessions.workflow_id",
    )


def is_wanted(row: dict[str, Any], wanted: Filter) -> bool:
    made_ms = int(row["id"].split("-")[1])
    words = wanted.text.lower()
    return (
        (not wanted.statuses or row["status"] in wanted.statuses)
        and (not wanted.agents or row["agent"] in wanted.agents)
        and wanted.workflow_id in (None, row["workflow_id"])
        and (wanted.since_ms is None or made_ms >= wanted.since_ms)
        and (wanted.until_ms is None or made_ms < wanted.until_ms)
        and (
            row["id"].startswith(words)
            or words == row["workflow_id"]
            or any(
                words in (row[name] or "").lower() for name in ("content", "error", "request_id")
            )
        )
    )


def duration_of(row: dict[str, Any]) -> int:
    """In whole minutes and seconds, as the rows of `many` have them."""
    times = [row["started_at"] or row["ended_at"], row["ended_at"]]
    start, end = (int(time[14:16]) * 60 + int(time[17:19]) for time in times)
    return max(0, end - start)


SORT_KEYS: dict[str, Any] = {
    "newest": lambda row: row["id"],
    "oldest": lambda row: row["id"],
    "longest": lambda row: (duration_of(row), row["id"]),
    "largest": lambda row: (row["log_bytes"] or 0, row["id"]),
}


def choices(many: list[dict[str, Any]]) -> list[Filter]:
    """Filters of each kind, and all their combinations."""
    each = itertools.product(
        [(), ("lost",), ("failed", "succeeded", "running")],
        [(), ("claude",), ("demo", "codex", "nobody")],
        [None, many[0]["workflow_id"]],
        [None, START_MS + 100_000],
        [None, START_MS + 250_500],
        ["", "the tests", "50% of _", "IT BROKE", "req-1", many[5]["id"][:20]],
    )
    return [Filter(*fields) for fields in each]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("most", [0, 25, 10_000], ids=["walked", "both", "collected"])
def test_each_filter_finds_just_what_it_says_in_its_order(
    database: Database,
    many: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    sort: str,
    most: int,
) -> None:
    monkeypatch.setattr(indexed_list, "MOST_UNINDEXED", -1)
    monkeypatch.setattr(session_list, "MOST_COLLECTED", most)
    monkeypatch.setattr(session_list, "MOST_WALKED", 60)
    monkeypatch.setattr(session_list, "PATIENCE_SECONDS", 60)
    monkeypatch.setattr(session_list, "_FIRST_STEP", 16)
    check_lists(database, many, random.Random(most).sample(choices(many), 30), sort)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize(("indexed", "most_sorted"), [(0, 9), (90, 9), (400, 0), (400, 9)])
def test_index_finds_the_same_however_much_of_it_is_filled(
    database: Database,
    many: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    sort: str,
    indexed: int,
    most_sorted: int,
) -> None:
    monkeypatch.setattr(session_index, "_MOST_AT_ONCE", 30)
    monkeypatch.setattr(indexed_list, "MOST_SORTED", most_sorted)
    monkeypatch.setattr(indexed_list, "_FIRST_STEP", 5)
    monkeypatch.setattr(indexed_list, "_STEP_PASSED", 20)
    monkeypatch.setattr(indexed_list, "MOST_PASSED", 60)
    monkeypatch.setattr(indexed_list, "PATIENCE_SECONDS", most_sorted)
    for _ in itertools.takewhile(lambda at: at * 30 < indexed, itertools.count()):
        next(session_index.index_waiting(database, fewest=1), 0)
    chosen = random.Random(indexed).sample(choices(many), 30)
    check_lists(database, many, chosen, sort)


def check_lists(
    database: Database, many: list[dict[str, Any]], chosen: list[Filter], sort: str
) -> None:
    """Each filter's pages hold just the rows that it describes, in order."""
    of_ended = sort in ("longest", "largest")
    for wanted in chosen:
        expected = [row for row in many if is_wanted(row, wanted)]
        if of_ended:  # a live one's place moves while it runs: see the test of those
            expected = [row for row in expected if row["status"] in ENDED]
        expected.sort(key=SORT_KEYS[sort], reverse=sort != "oldest")
        found = ids_of(pages_of(database, wanted, sort=sort, limit=7))
        if of_ended:
            live = {row["id"] for row in many if row["status"] not in ENDED}
            found = [session_id for session_id in found if session_id not in live]
        assert found == [row["id"] for row in expected], wanted


def test_search_that_stops_before_its_page_is_full_says_so(
    database: Database, many: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexed_list, "MOST_UNINDEXED", -1)
    monkeypatch.setattr(session_list, "MOST_WALKED", 100)
    monkeypatch.setattr(session_list, "PATIENCE_SECONDS", 60)
    monkeypatch.setattr(session_list, "_FIRST_STEP", 50)
    pages = pages_of(database, Filter(text="no such words"), limit=10)
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
    database: Database, many: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_list, "MOST_COLLECTED", 0)
    wanted = Filter(agents=["demo", *(f"agent-{at}" for at in range(2_000))])
    expected = sorted(row["id"] for row in many if row["agent"] == "demo")
    assert ids_of(pages_of(database, wanted, limit=50)) == expected[::-1]


@pytest.mark.parametrize(
    ("wanted", "options", "field"),
    [
        (Filter(statuses=["done"]), {}, "status"),
        (Filter(), {"sort": "best"}, "sort"),
        (Filter(), {"sort": "longest", "cursor": "session-1"}, "cursor"),
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
