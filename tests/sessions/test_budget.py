"""`max_usd_per_day`: an agent that has used its budget starts no more turns that day."""

import pytest

from tests.sessions.conftest import MakeMachine
from tests.sessions.machine import Machine, shell
from tests.store.rows import add_ended, execute, rows
from webapp.sessions import conversations
from webapp.sessions.budget import BudgetReached
from webapp.sessions.new_session import Invocation
from webapp.sessions.once import IdempotencyKey
from webapp.store.models import now

YESTERDAY = "2026-01-01T00:00:00.000Z"


def spend(machine: Machine, usd: float, at: str | None = None, agent: str = "agent") -> None:
    """As an agent's session of one message, and one that talks, which spend half of it each."""
    at = at or now()
    workflow_id = machine.create_workflow()
    for talk in (None, "claude"):
        session_id = add_ended(
            machine.database, workflow_id, agent=agent, talk=talk, created_at=at, ended_at=at
        )
        values = {"id": session_id, "usd": usd / 2}
        execute(
            machine.database,
            "INSERT INTO session_usage (session_id, cost_usd) VALUES (:id, :usd)",
            **values,
        )
        if talk is not None:
            execute(
                machine.database,
                "INSERT INTO turns (session_id, turn, outcome, cost_usd, started_at, ended_at)"
                " VALUES (:id, 1, 'completed', :usd, :at, :at)",
                **values,
                at=at,
            )


def test_budget_that_is_used_refuses_with_the_figures_and_one_notice(
    make_machine: MakeMachine,
) -> None:
    machine = make_machine(shell("exit 0"), max_usd_per_day=2.0)
    spend(machine, 100, at=YESTERDAY)
    spend(machine, 100, agent="other")
    spend(machine, 1.9)
    key = IdempotencyKey("k", "h")
    first = machine.invoke(key=key)

    spend(machine, 0.1)
    for _ in range(2):
        with pytest.raises(BudgetReached, match=r"'agent' has cost \$2\.00 today.*is \$2\.00"):
            machine.invoke()
    assert machine.invoke(workflow_id=first.workflow_id, key=key).id == first.id  # the same request
    query = "SELECT agent, text FROM notices WHERE kind = 'budget'"
    assert rows(machine.database, query) == [
        {"agent": "agent", "text": f"$2.00 of $2.00 on {now()[:10]} (UTC)"}
    ]


def test_message_to_a_live_conversation_is_refused_too(make_machine: MakeMachine) -> None:
    machine = make_machine(talk="claude", max_usd_per_day=2.0)
    session = machine.invoke()
    spend(machine, 2.0)
    count = rows(machine.database, "SELECT count(*) AS n FROM messages")
    with pytest.raises(BudgetReached):
        conversations.invoke(machine.launcher, Invocation(session.workflow_id, message="go on"))
    with pytest.raises(BudgetReached):
        conversations.send_to_live(machine.launcher, machine.row(session), "go on")
    assert rows(machine.database, "SELECT count(*) AS n FROM messages") == count
