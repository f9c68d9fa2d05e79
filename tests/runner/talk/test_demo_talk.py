"""The demo agent that holds a conversation: all that a person can do with it."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runner.talk.talking import Talking, talk
from tests.sessions.machine import Machine, machine
from tests.sessions.test_lost_conversations import TABLES
from tests.store.rows import execute, rows
from webapp.agents.profiles import BUILT_IN
from webapp.sessions.rebuild import rebuild

SESSIONS = "SELECT * FROM sessions ORDER BY id"
DEMO = BUILT_IN["demo-talk"]


def demo_machine(folder: Path, monkeypatch: pytest.MonkeyPatch, **profile: Any) -> Any:
    monkeypatch.setenv("HOME", str(folder))
    fields = {"resume_command": DEMO.resume_command, "talk": "claude", "dialect": "claude"}
    return machine(folder, DEMO.command, **(fields | profile))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    with demo_machine(tmp_path, monkeypatch) as made:
        yield made


def text_of(talking: Talking) -> str:
    """What the agent said, as the stream's events have it."""
    return "".join(str(event.data) for event in talking.machine.events(talking.session))


def test_it_remembers_and_ends_when_idle_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with demo_machine(tmp_path, monkeypatch, idle_seconds=1) as here:
        first = talk(here, "approve. My number is 42.")
        approval = first.wait("approval")
        assert first.ask("mode", mode="acceptEdits", by="ann") == {"mode": "acceptEdits"}
        assert first.ask("model", model="demo-2", by="ann") == {"model": "demo-2"}
        first.answer(approval, "deny")
        ended = here.wait_until_gone(first.session)
        assert (ended.status, ended.exit_code, ended.state) == ("succeeded", 0, None)
        assert first.of_type("done")[0]["idle"] is True

        second = talk(here, "And now?", first.session.workflow_id)
        assert second.session.id != first.session.id
        second.wait("turn_ended", turn=1)
        conversation = second.wait("conversation")
        assert conversation["resumedFrom"] == first.session.id
        assert (conversation["mode"], conversation["model"]) == ("acceptEdits", "demo-2")
        assert "My number is 42." in text_of(second)


def test_rows_of_a_conversation_come_back_from_its_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with demo_machine(tmp_path, monkeypatch, idle_seconds=1) as here:
        workflow_id = here.create_workflow()
        for message in ("approve", "edit"):
            talking = talk(here, message, workflow_id)
            talking.answer(talking.wait("approval"), "allow_session")
            here.wait_until_gone(talking.session)
        before = rows(here.database, SESSIONS)
        assert before[1]["resumed_from"] == before[0]["id"]
        first, both = (json.loads(str(row["session_rules"])) for row in before)
        assert set(first) < set(both)
        for table in TABLES:
            execute(here.database, f"DELETE FROM {table}")

        assert rebuild(here.database, here.var).sessions == 2
        assert rows(here.database, SESSIONS) == before


def test_requests_wait_for_a_person_and_take_changes(here: Machine) -> None:
    talking = talk(here, "approve, edit, ask")
    command = talking.wait("approval", kind="command")
    talking.wait("state", state="waiting")
    changed = talking.answer(command, "allow_once", input={"command": "date -u +%d"})
    assert changed["resolved"]["outcome"] == "allowed"
    edit = talking.wait("approval", kind="edit")
    assert "welcome" in edit["input"]["new_string"]
    assert talking.answer(edit, "deny", message="Leave it.")["resolved"]["outcome"] == "denied"
    question = talking.wait("approval", kind="question")
    assert [q["multiSelect"] for q in question["questions"]] == [False, True]
    answers = {"1": ["Blue"], "2": ["Name", "the moon"]}
    assert talking.answer(question, "answer", answers=answers)["resolved"]["outcome"] == "answered"

    assert talking.wait("turn_ended")["denied"] == 1
    said = text_of(talking)
    for expected in ("this is a demo) date -u +%d", "Leave it.", "Name, the moon"):
        assert expected in said
    talking.end()
    with sqlite3.connect(here.database.path) as database:
        rows = database.execute("SELECT kind, outcome, by FROM approvals ORDER BY id").fetchall()
    assert rows == [
        ("command", "allowed", "ann"),
        ("edit", "denied", "ann"),
        ("question", "answered", "ann"),
    ]


def test_plan_is_approved_and_changes_the_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with demo_machine(tmp_path, monkeypatch, mode="plan") as here:
        talking = talk(here, "Go.")
        plan = talking.wait("approval", kind="plan")
        assert "greeting.py" in plan["input"]["plan"]
        talking.answer(plan, "allow_session")
        talking.wait("turn_ended", outcome="completed")  # edits are accepted by now
        assert talking.of_type("mode")[-1]["mode"] == "acceptEdits"
        assert len(talking.of_type("approval")) == 1
        talking.end()


def test_stop_ends_the_turn_and_cancels_what_waits(here: Machine) -> None:
    talking = talk(here, "slow")
    talking.wait("user_message_state", state="taken")
    assert talking.say("later")["state"] == "queued"
    reply = talking.ask("interrupt", by="ann")
    assert reply == {"interrupted": True, "cancelled": [talking.of_type("user_message")[-1]["id"]]}
    talking.wait("turn_ended", outcome="interrupted")
    talking.wait("state", 1, state="idle")
    assert talking.say("Still there?")["state"] == "sent"
    talking.wait("turn_ended", turn=2, outcome="completed")
    assert "later" not in text_of(talking).split("Still there?")[1]
    talking.end()


def test_message_while_it_works_joins_the_turn(here: Machine) -> None:
    talking = talk(here, "approve slow")
    approval = talking.wait("approval")
    assert talking.say("approve")["state"] == "queued"
    talking.answer(approval, "allow_once")
    talking.answer(talking.wait("approval", 2), "allow_once")
    assert talking.wait("turn_ended")["turn"] == 1
    assert len(talking.of_type("turn_started")) == 1
    talking.end()
