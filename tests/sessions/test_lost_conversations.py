"""Conversations whose runner was killed, and rows of conversations made again from their logs."""

from typing import Any

from tests.sessions.conftest import MakeMachine
from tests.sessions.conversation_log import two_turns, write_log
from tests.sessions.machine import Machine
from tests.store.rows import add_session, execute, rows
from webapp.log.conversation import Conversation
from webapp.sessions.conversations import read_log
from webapp.sessions.layout import new_session_files
from webapp.sessions.rebuild import rebuild
from webapp.sessions.reconcile import reconcile
from webapp.store.ids import new_session_id
from webapp.store.models import Session

ROW = {
    "status": "running",
    "talk": "claude",
    "state": "waiting",
    "conversation_id": "c-1",
    "open_approvals": "[{}]",
}
TABLES = ("approvals", "turns", "session_usage", "messages", "sessions", "stages", "workflows")


def killed(machine: Machine, **columns: Any) -> Session:
    """A session whose runner was killed in a turn, while it waited for a person."""
    session_id = new_session_id()
    files = new_session_files(machine.var, session_id)
    files.directory.mkdir(parents=True)
    files.log.write_bytes(write_log(session_id, *two_turns(session_id)))
    path = str(files.log.relative_to(machine.var))
    row = {"id": session_id, "log_path": path} | ROW | columns
    add_session(machine.database, machine.create_workflow(), **row)
    return machine.find(session_id)


def conversation(machine: Machine, session: Session) -> Conversation:
    return read_log(machine.var, session)


def test_what_waited_for_a_person_is_withdrawn_in_log_and_row(make_machine: MakeMachine) -> None:
    machine = make_machine()
    session = reconcile(machine.database, machine.var, killed(machine))
    assert (session.status, session.state, session.open_approvals) == ("lost", None, None)
    assert (session.conversation_id, session.mode, session.model) == ("c-1", "plan", "opus")
    assert session.session_rules == '["Bash(mkdir:*)"]'

    found = conversation(machine, session)
    resolved = [each.resolution for each in found.approvals.values()]
    assert [each and each["outcome"] for each in resolved] == ["allowed", "withdrawn"]
    assert [turn.facts["outcome"] for turn in found.turns.values()] == ["completed", "failed"]
    assert machine.events(session)[-1].name == "done"

    query = "SELECT title, turn, outcome, by FROM approvals ORDER BY id"
    assert rows(machine.database, query) == [
        {"title": "mkdir a", "turn": 1, "outcome": "allowed", "by": "ada"},
        {"title": "rm a", "turn": 2, "outcome": "withdrawn", "by": None},
    ]
    query = "SELECT turn, outcome, input_tokens, cost_usd FROM turns"
    assert rows(machine.database, query) == [
        {"turn": 1, "outcome": "completed", "input_tokens": 100, "cost_usd": 0.5},
        {"turn": 2, "outcome": "failed", "input_tokens": None, "cost_usd": None},
    ]
    (usage,) = rows(machine.database, "SELECT input_tokens, cost_usd FROM session_usage")
    assert usage == {"input_tokens": 100, "cost_usd": 0.5}


def test_message_that_no_agent_took_still_waits(make_machine: MakeMachine) -> None:
    machine = make_machine()
    session = reconcile(machine.database, machine.var, killed(machine))
    pending = conversation(machine, session).pending_messages
    assert [message["content"] for message in pending] == ["later"]


def test_rows_of_a_conversation_come_back_from_its_log(make_machine: MakeMachine) -> None:
    machine = make_machine()
    reconcile(machine.database, machine.var, killed(machine))
    queries = [
        "SELECT id, talk, state, mode, model, conversation_id, open_approvals, session_rules"
        " FROM sessions",
        "SELECT * FROM turns",
        "SELECT * FROM approvals",
        "SELECT * FROM session_usage",
    ]
    before = [rows(machine.database, query) for query in queries]
    for table in TABLES:
        execute(machine.database, f"DELETE FROM {table}")

    assert rebuild(machine.database, machine.var).unusable == []
    assert [rows(machine.database, query) for query in queries] == before


def test_two_logs_without_an_end_may_be_of_one_conversation(make_machine: MakeMachine) -> None:
    machine = make_machine()
    ids = {killed(machine, conversation_id=None).id for _ in range(2)}
    for table in TABLES:
        execute(machine.database, f"DELETE FROM {table}")
    assert rebuild(machine.database, machine.var).sessions == 2
    found = rows(machine.database, "SELECT id, status, conversation_id FROM sessions ORDER BY id")
    assert {row["id"] for row in found} == ids
    assert sorted(str(row["conversation_id"]) for row in found) == ["None", "c-1"]
