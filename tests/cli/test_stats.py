"""`stats`."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import run
from tests.store.fresh_var import make_var
from tests.store.rows import add_ended, add_session, execute
from webapp.store import workflows
from webapp.store.engine import Database, open_migrated

START = datetime(2026, 11, 23, 21, 4, 0, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_migrated(make_var(tmp_path))
    yield opened
    opened.close()


def text_of(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def add(database: Database, workflow_id: str, at: datetime, seconds: float, **columns: Any) -> str:
    number = int(at.timestamp() * 1000)
    random = f"{number % 36**6:012d}"[-12:]
    return add_ended(
        database,
        workflow_id,
        id=f"session-{number}-{random}",
        created_at=text_of(at),
        started_at=text_of(at),
        ended_at=text_of(at + timedelta(seconds=seconds)),
        log_bytes=1000,
        **columns,
    )


@pytest.fixture
def workflow_id(database: Database) -> str:
    """Ten `demo` sessions of 1 to 10 s, three that failed an hour later, one of `other`."""
    made = database.write(
        lambda orm: (
            workflows.create_workflow(
                orm, template="chat", request_id=None, initial_message=None
            ).id
        )
    )
    for number in range(1, 11):
        add(database, made, START + timedelta(seconds=number), number)
    later = START + timedelta(hours=1)
    add(database, made, later, 100, status="failed", exit_code=3)
    add(database, made, later + timedelta(seconds=1), 1, status="failed", exit_code=3)
    add(
        database,
        made,
        later + timedelta(seconds=2),
        1,
        status="timed_out",
        exit_code=None,
        exit_signal="SIGTERM",
    )
    add(database, made, later + timedelta(seconds=3), 5, agent="other", status="cancelled")
    return made


def as_json(place: Path, *options: str) -> dict[str, Any]:
    output = run(place, "stats", "--json", *options)
    assert output.returncode == 0, output.stderr
    found: dict[str, Any] = json.loads(output.stdout)
    return found


@pytest.mark.usefixtures("workflow_id")
def test_stats_count_by_status_and_agent(tmp_path: Path) -> None:
    found = as_json(tmp_path)

    assert found["sessions"] == 14
    assert {status: many for status, many in found["byStatus"].items() if many} == {
        "succeeded": 10,
        "failed": 2,
        "timed_out": 1,
        "cancelled": 1,
    }
    assert found["byAgent"]["demo"]["logBytes"] == 13_000
    assert found["byAgent"]["other"]["sessions"] == 1


@pytest.mark.usefixtures("workflow_id")
def test_stats_tell_how_long_sessions_took(tmp_path: Path) -> None:
    demo = as_json(tmp_path)["byAgent"]["demo"]["seconds"]

    assert demo["median"] == pytest.approx(5, abs=0.01)
    assert demo["p95"] == pytest.approx(100, abs=0.01)
    assert demo["longest"] == pytest.approx(100, abs=0.01)
    assert demo["total"] == pytest.approx(157, abs=0.1)


@pytest.mark.usefixtures("workflow_id")
def test_stats_tell_why_sessions_failed_and_the_busiest_hours(tmp_path: Path) -> None:
    found = as_json(tmp_path)

    assert [(each["reason"], each["sessions"]) for each in found["failures"]] == [
        ("exit 3", 2),
        ("SIGTERM", 1),
    ]
    assert [(each["hour"], each["sessions"], each["failed"]) for each in found["busiestHours"]] == [
        ("2026-11-23T21:00Z", 10, 0),
        ("2026-11-23T22:00Z", 4, 3),
    ]
    assert len(as_json(tmp_path, "--limit", "1")["busiestHours"]) == 1


@pytest.mark.usefixtures("workflow_id")
@pytest.mark.parametrize(
    ("since", "sessions"),
    [
        ("2026-11-23", 14),
        ("2026-11-23T22:00:00Z", 4),
        ("2026-11-23T23:30:00+01:00", 0),
        ("2026-11-24", 0),
    ],
)
def test_since_leaves_out_what_was_before(tmp_path: Path, since: str, sessions: int) -> None:
    assert as_json(tmp_path, "--since", since)["sessions"] == sessions


def test_since_may_be_so_long_ago(tmp_path: Path, database: Database, workflow_id: str) -> None:
    add(database, workflow_id, datetime.now(UTC) - timedelta(minutes=30), 1)

    assert as_json(tmp_path, "--since", "1h")["sessions"] == 1
    assert as_json(tmp_path, "--since", "20m")["sessions"] == 0


@pytest.mark.usefixtures("workflow_id")
def test_stats_are_plain_tables_without_a_terminal(tmp_path: Path) -> None:
    output = run(tmp_path, "stats")
    lines = [line.split() for line in output.stdout.splitlines()]

    assert "\x1b" not in output.stdout
    assert lines[1][:8] == ["demo", "13", "0", "10", "2", "0", "1", "0"]
    assert lines[2][:8] == ["other", "1", "0", "0", "0", "1", "0", "0"]
    assert lines[3][:2] == ["all", "14"]
    assert ["2", "demo", "failed", "exit", "3"] in [line[:5] for line in lines]


def test_stats_of_nothing(tmp_path: Path, database: Database) -> None:
    assert run(tmp_path, "stats").stdout == "No sessions yet.\n"
    assert run(tmp_path, "stats", "--since", "1h").stdout == "There are no such sessions.\n"
    assert as_json(tmp_path)["sessions"] == 0


def test_a_session_that_lost_its_runner_counts_as_lost(
    tmp_path: Path, database: Database, workflow_id: str
) -> None:
    add_session(database, workflow_id, host="elsewhere", created_at=text_of(START))
    found = as_json(tmp_path)

    # Its log is not there, so it is found lost, as by any command that lists sessions.
    assert found["live"] == 0
    assert found["byStatus"]["lost"] == 1


@pytest.mark.parametrize("since", ["yesterday", "1x", "2026-13-01", ""])
def test_a_bad_since_is_named(tmp_path: Path, since: str) -> None:
    output = run(tmp_path, "stats", "--since", since)

    assert output.returncode == 2
    assert f"{since!r} is no time, expected" in output.stderr


def test_costs_are_summed_by_agent_project_and_day(
    tmp_path: Path, database: Database, workflow_id: str
) -> None:
    add_usage = "INSERT INTO session_usage (session_id, cost_usd) VALUES (:id, :usd)"
    for days, agent, project, usd in ((0, "demo", "shop", 0.5), (1, "other", None, 1.25)):
        at = START + timedelta(days=days, hours=5)
        session_id = add(database, workflow_id, at, 1, agent=agent, project=project)
        execute(database, add_usage, id=session_id, usd=usd)
    found = json.loads(run(tmp_path, "stats", "--json").stdout)["costUsd"]
    assert found == {
        "total": 1.75,
        "byAgent": {"demo": 0.5, "other": 1.25},
        "byProject": {"shop": 0.5, "": 1.25},
        "byDay": {"2026-11-24": 0.5, "2026-11-25": 1.25},
    }
    shown = run(tmp_path, "stats").stdout
    assert "project shop" in shown
    assert "$1.75" in shown
