"""`/overview`: what agents did and cost, and the same as CSV."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.http.client import Client, data_of, plain_error
from tests.store.rows import add_ended, execute
from webapp.store.models import now

TURN = """
INSERT INTO turns (session_id, turn, outcome, cost_usd, input_tokens, output_tokens, first_word_ms,
    started_at, ended_at) VALUES (:id, :turn, 'completed', :cost, 1000, 100, :word, :at, :at)
"""
USAGE = """
INSERT INTO session_usage (session_id, cost_usd, input_tokens, output_tokens)
VALUES (:id, :cost, 10, 1)
"""
APPROVAL = """
INSERT INTO approvals (id, session_id, kind, asked_at, outcome, by, resolved_at)
VALUES (:id || '.' || :number, :id, 'command', :asked, 'allowed', :by, :resolved)
"""


def in_seconds(seconds: float) -> str:
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture(scope="module")
def talked(client: Client) -> tuple[str, str]:
    """A conversation of two turns in a project, one that waited; its session and workflow."""
    database, workflow_id = client.machine.database, client.create_workflow()
    at = now()
    session_id = add_ended(
        database, workflow_id, agent="=talker", talk="claude", project="shop",
        created_at=at, ended_at=at,
    )  # fmt: skip
    for turn, cost, word in ((1, 0.5, 400), (2, 0.25, 800), (3, None, 9000)):
        execute(database, TURN, id=session_id, turn=turn, cost=cost, word=word, at=at)
    execute(database, USAGE, id=session_id, cost=0.75)  # the sum of its turns, counted once
    waited = {"id": session_id, "asked": at, "resolved": in_seconds(90)}
    execute(database, APPROVAL, **waited, number=1, by="ada")
    execute(database, APPROVAL, **waited, number=2, by="rule")
    once = add_ended(
        database, workflow_id, agent="once", created_at=at, ended_at=at,
        status="failed", exit_code=1,
    )  # fmt: skip
    execute(database, USAGE, id=once, cost=0.125)
    old = add_ended(
        database, workflow_id, id="session-1795000000000-aaaaaaaaaaaa", agent="ancient",
        created_at="2026-01-01T00:00:00.000Z", ended_at="2026-01-01T00:00:00.000Z",
    )  # fmt: skip
    execute(database, USAGE, id=old, cost=100.0)
    return session_id, workflow_id


def test_csv_has_a_line_for_each_day_agent_and_project(
    client: Client, talked: tuple[str, str]
) -> None:
    response = client.get("/overview.csv?days=7")
    assert response.mimetype == "text/csv"
    lines = list(csv.DictReader(io.StringIO(response.get_data(as_text=True))))
    found = {line["agent"]: line for line in lines}
    talker, once = found["'=talker"], found["once"]  # no spreadsheet runs it
    assert [talker[name] for name in ("project", "sessions", "succeeded", "cost_usd")] == [
        "shop", "1", "1", "0.75",
    ]  # fmt: skip
    assert (talker["input_tokens"], talker["output_tokens"]) == ("3000", "300")
    assert talker["first_word_seconds"] == "0.8"
    assert 89 < float(talker["waited_seconds"]) < 91
    assert [once[name] for name in ("failed", "cost_usd", "first_word_seconds")] == [
        "1", "0.125", "",
    ]  # fmt: skip
    assert "ancient" not in found


@pytest.mark.parametrize("by", ["day", "agent", "project"])
def test_page_shows_charts_with_numbers(client: Client, talked: tuple[str, str], by: str) -> None:
    page = client.get(f"/overview?days=7&by={by}", Accept="text/html").get_data(as_text=True)
    charts = re.findall(r'data-chart="(\w+)".*?</figure>', page, re.DOTALL)
    assert charts == ["sessions", "cost", "tokens", "word", "waiting"]
    expected = {"day": now()[:10], "agent": "=talker", "project": "shop"}[by]
    assert re.search(rf">{expected}: \$0\.\d+<|\"{expected}: \$0\.\d+\"", page)
    assert "$0.8750" in page
    assert "style=" not in page


@pytest.mark.parametrize(
    ("query", "field"),
    [("days=0", "days"), ("days=367", "days"), ("days=x", "days"), ("by=hour", "by")],
)
@pytest.mark.parametrize("path", ["/overview", "/overview.csv"])
def test_bad_query_is_refused(client: Client, path: str, query: str, field: str) -> None:
    assert plain_error(client.get(f"{path}?{query}")) == (400, "BAD_REQUEST", field)


def test_session_and_list_say_what_was_spent(client: Client, talked: tuple[str, str]) -> None:
    session_id, workflow_id = talked
    session = client.session(session_id)
    assert (session["costUsd"], session["workflowCostUsd"]) == (0.75, 100.875)
    listed = client.get(f"/api/sessions?workflowId={workflow_id}").get_json()["sessions"]
    costs = {each["agent"]: each["costUsd"] for each in listed}
    assert costs == {"=talker": 0.75, "once": 0.125, "ancient": 100.0}
    free = data_of(client.get(f'/api/trpc/session.get?input={{"sessionId":"{client.finished()}"}}'))
    assert (free["costUsd"], free["workflowCostUsd"]) == (None, None)
