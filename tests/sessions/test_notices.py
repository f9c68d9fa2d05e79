"""Notices: what concerns a person, made once for each event, whoever writes it."""

import json
import subprocess
import sys
from typing import Any

from tests.server import ROOT, wait_for
from tests.sessions.conftest import MakeMachine
from tests.sessions.machine import Machine, kill, shell
from tests.sessions.test_lost_conversations import TABLES, killed
from tests.store.rows import add_session, execute, rows
from webapp.runner import row
from webapp.runner.row import ConversationUpdate
from webapp.runner.spec import Spec
from webapp.sessions.rebuild import rebuild
from webapp.sessions.reconcile import reconcile
from webapp.store import notices

START = {"pid": 7, "runner_pid": 6, "started_at": "2026-11-23T21:04:00.000Z"}
AT = "2026-11-23T21:05:00.000Z"
FAILED = {"status": "failed", "exit_code": 1, "exit_signal": None, "error": None}
END = START | FAILED | {"log_bytes": 9, "ended_at": AT}


_WRITE = """
import json, os, sys
from webapp.runner import row
from webapp.runner.spec import Spec
spec, start, *talk = json.load(sys.stdin)
os.waitpid(row.fork_writer(Spec(spec), start, None, row.ConversationUpdate(*talk)), 0)
"""


def made(machine: Machine) -> list[tuple[str, str | None]]:
    found = rows(machine.database, "SELECT kind, text FROM notices ORDER BY id")
    return [(each["kind"], each["text"]) for each in found]


def still_open(machine: Machine) -> list[str]:
    with machine.database.read() as orm:
        return [str(notice["kind"]) for notice in notices.find_open(orm)]


def talking(machine: Machine) -> Spec:
    """A live conversation, as its runner knows it."""
    workflow_id = machine.create_workflow()
    session_id = add_session(machine.database, workflow_id, status="running", talk="claude")
    facts = {"sessionId": session_id, "workflowId": workflow_id, "stageIndex": 0}
    return Spec(facts | {"database": str(machine.database.path)})


def turn(outcome: str | None, **columns: Any) -> dict[str, Any]:
    ended_at = None if outcome is None else AT
    return {"turn": 1, "started_at": AT, "ended_at": ended_at, "outcome": outcome} | columns


def approval(spec: Spec, kind: str = "command", **columns: Any) -> dict[str, Any]:
    return {"id": f"{spec.sessionId}.1", "turn": 1, "kind": kind, "title": "rm a"} | columns


def write(spec: Spec, *turns: dict[str, Any], approvals: tuple[dict[str, Any], ...] = ()) -> None:
    """As the runner writes while its agent works; it may be killed, and write all once more."""
    given = json.dumps([spec.__dict__, START, {"state": "working"}, turns, approvals])
    for _ in range(2):
        subprocess.run([sys.executable, "-c", _WRITE], input=given, text=True, check=True, cwd=ROOT)


def test_session_of_one_message_makes_one_notice_at_its_end(make_machine: MakeMachine) -> None:
    machine = make_machine(shell('read word; [ "$word" = die ] && exit 3; exit 0'), message="stdin")
    machine.run("die\n")
    machine.run("live\n")
    assert made(machine) == [("failed", "exit code 3"), ("turn_ended", None)]


def test_cancelled_session_makes_none(make_machine: MakeMachine) -> None:
    machine = make_machine()
    session = machine.wait_until_running(machine.invoke())
    kill(machine.row(session).runner_pid, 15)
    assert machine.wait_until_gone(session).status == "cancelled"
    assert made(machine) == []


def test_session_whose_runner_was_killed_is_found_lost_once(make_machine: MakeMachine) -> None:
    machine = make_machine()
    session = machine.wait_until_running(machine.invoke())
    kill(session.runner_pid)
    wait_for(lambda: not machine.is_locked(session))
    for _ in range(3):
        assert reconcile(machine.database, machine.var, machine.row(session)).status == "lost"
    assert made(machine) == [("lost", "the runner is gone")]


def test_turn_that_was_cut_with_its_runner_is_lost_and_not_failed_too(
    make_machine: MakeMachine,
) -> None:
    machine = make_machine()
    session = killed(machine)
    reconcile(machine.database, machine.var, session)
    assert [kind for kind, _text in made(machine)] == ["lost"]


def test_turns_and_approvals_make_one_notice_each(make_machine: MakeMachine) -> None:
    machine = make_machine()
    spec = talking(machine)
    asked = approval(spec, asked_at=AT)
    write(spec, turn(None), approvals=(asked,))
    assert made(machine) == [("approval", "rm a")]

    write(spec, turn(None), approvals=(asked | {"outcome": "allowed", "resolved_at": AT},))
    assert still_open(machine) == []
    write(spec, turn("completed"))
    write(spec, turn("completed"), turn("interrupted", turn=2))
    write(spec, turn("interrupted", turn=3, error="The turn took longer than 5 s."))
    assert made(machine)[1:] == [
        ("turn_ended", None),
        ("failed", "The turn took longer than 5 s."),
    ]


def test_question_is_a_question_and_a_rule_asks_nobody(make_machine: MakeMachine) -> None:
    machine = make_machine()
    spec = talking(machine)
    by_rule = approval(spec, asked_at=AT, outcome="allowed", by="rule", resolved_at=AT)
    write(spec, approvals=(by_rule,))
    assert made(machine) == []
    question = approval(spec, "question", asked_at=AT) | {"id": f"{spec.sessionId}.2"}
    write(spec, approvals=(question,))
    assert made(machine) == [("question", "rm a")]


def test_agent_that_dies_in_its_turn_makes_one_notice(make_machine: MakeMachine) -> None:
    machine = make_machine()
    spec = talking(machine)
    failed = ConversationUpdate({}, [turn("failed", error="The agent ended.")], [])
    row.write_end(spec, END, None, None, None, failed)
    assert made(machine) == [("failed", "The agent ended.")]


def test_agent_that_dies_at_rest_makes_one_notice(make_machine: MakeMachine) -> None:
    machine = make_machine()
    spec = talking(machine)
    write(spec, turn("completed"))
    row.write_end(spec, END, None, None, None, ConversationUpdate({}, [turn("completed")], []))
    assert made(machine) == [("turn_ended", None), ("failed", "exit code 1")]


def test_rows_that_are_made_again_call_nobody(make_machine: MakeMachine) -> None:
    machine = make_machine()
    ended, live = killed(machine), killed(machine, conversation_id=None)
    reconcile(machine.database, machine.var, ended)
    for table in ("notices", *TABLES):
        execute(machine.database, f"DELETE FROM {table}")

    assert rebuild(machine.database, machine.var).sessions == 2
    query = "SELECT session_id, kind, heard_at IS NOT NULL AS heard, done_at IS NULL AS open"
    assert rows(machine.database, f"{query} FROM notices ORDER BY id") == [
        {"session_id": live.id, "kind": "turn_ended", "heard": 1, "open": 0},
        {"session_id": live.id, "kind": "approval", "heard": 1, "open": 1},
    ]


def test_message_or_a_look_ends_what_asks_for_no_answer(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("exit 1"))
    machine.run()
    workflow_id = machine.run().workflow_id
    spec = talking(machine)
    write(spec, approvals=(approval(spec, asked_at=AT),))
    assert still_open(machine) == ["approval", "failed", "failed"]
    machine.database.write(lambda orm: notices.mark_seen(orm, workflow_id))
    assert still_open(machine) == ["approval", "failed"]
    machine.database.write(lambda orm: notices.mark_seen(orm, None))
    assert still_open(machine) == ["approval"]
    execute(
        machine.database,
        "INSERT INTO messages (workflow_id, stage_index, role, content, created_at)"
        f" SELECT workflow_id, 0, 'user', 'go', '{AT}' FROM sessions",
    )
    assert still_open(machine) == ["approval"]
