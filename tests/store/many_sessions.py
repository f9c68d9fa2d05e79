"""Three hundred sessions of all kinds, and what a list of them should be for any filter."""

import itertools
import random
from typing import Any

from tests.store.rows import rows
from webapp.store import workflows
from webapp.store.engine import Database
from webapp.store.models import ENDED, STATUSES
from webapp.store.session_filter import Filter
from webapp.store.session_list import Page, find_page

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


def add_many(database: Database) -> list[dict[str, Any]]:
    """Insert them; they are given as rows with the text that started each."""
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
        [
            "",
            "the tests",
            "50% of _",
            "IT BROKE",
            "req-1",
            many[5]["id"][:20],
            many[7]["workflow_id"],
        ],
    )
    return [Filter(*fields) for fields in each]


def check_lists(
    database: Database,
    many: list[dict[str, Any]],
    chosen: list[Filter],
    sort: str,
    **options: Any,
) -> None:
    """Each filter's pages hold just the rows that it describes, in order."""
    of_ended = sort in ("longest", "largest")
    for wanted in chosen:
        expected = [row for row in many if is_wanted(row, wanted)]
        if of_ended:  # a live one's position changes while it runs: see the test of those
            expected = [row for row in expected if row["status"] in ENDED]
        expected.sort(key=SORT_KEYS[sort], reverse=sort != "oldest")
        found = ids_of(pages_of(database, wanted, sort=sort, limit=7, **options))
        if of_ended:
            live = {row["id"] for row in many if row["status"] not in ENDED}
            found = [session_id for session_id in found if session_id not in live]
        assert found == [row["id"] for row in expected], wanted
