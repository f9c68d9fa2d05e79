"""Clients and agents that break the rules, and limits that are over."""

import json
import os
import signal
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.runner.talk.scripted import (
    INIT,
    MESSAGE,
    RESULT,
    Entry,
    asks,
    gets,
    hears,
    playing,
    prints,
    raw,
    reads,
)
from tests.runner.talk.talking import talk
from tests.server import wait_for
from tests.sessions.machine import machine

QUESTION = prints(
    {
        "type": "control_request",
        "request_id": "q",
        "request": {
            "subtype": "can_use_tool",
            "tool_name": "AskUserQuestion",
            "input": {"questions": [{"question": "Which?", "options": [{"label": "A"}]}]},
        },
    }
)

ABORTED = prints(
    {
        "type": "result",
        "subtype": "error_during_execution",
        "terminal_reason": "aborted_streaming",
        "total_cost_usd": 0.5,
    }
)


def test_answers_that_break_the_rules_say_why(tmp_path: Path) -> None:
    script = (MESSAGE, INIT, asks("r1"), hears("r1", behavior="allow"), QUESTION)
    with playing(tmp_path, *script) as talking:
        first = talking.wait("approval")["id"]
        for answer, error, expected in (
            ({"id": "session-1.9", "option": "deny"}, "unknown", ""),
            ({"id": None, "option": "deny"}, "unknown", ""),
            ({"id": first, "option": "always"}, "option", "allow_once"),
            ({"id": first}, "option", "allow_once"),
            ({"id": first, "option": "allow_once", "message": "x"}, "message", "no message"),
            ({"id": first, "option": "deny", "message": 5}, "message", "a text"),
            ({"id": first, "option": "allow_once", "input": {"other": "x"}}, "input", "command"),
            ({"id": first, "option": "allow_once", "input": {"command": 5}}, "input", "command"),
            ({"id": first, "option": "deny", "input": {"command": "x"}}, "input", "no input"),
            ({"id": first, "option": "deny", "answers": {}}, "answers", "no answers"),
        ):
            reply = talking.ask("answer", **answer)
            assert reply["error"] == error
            assert expected in reply.get("expected", "")

        won = talking.ask("answer", id=first, option="allow_once", by="ann")["resolved"]
        late = talking.ask("answer", id=first, option="deny", by="bob")
        assert late == {"error": "closed", "resolved": won}
        question = talking.wait("approval", kind="question")["id"]
        wrong: tuple[object, ...] = (
            None,
            {},
            {"1": []},
            {"1": "A"},
            {"1": ["A", "B"]},
            {"2": ["A"]},
        )
        for answers in wrong:
            reply = talking.ask("answer", id=question, option="answer", answers=answers)
            assert reply["error"] == "answers"
        assert len(talking.of_type("approval_resolved")) == 1


def test_message_is_accepted_once(tmp_path: Path) -> None:
    with playing(tmp_path, MESSAGE, INIT) as talking:
        talking.wait("conversation")
        message_id = str(uuid.uuid4())
        first = talking.say("More.", message_id)
        assert first["state"] == "queued"
        assert talking.say("More.", message_id) == first
        assert talking.say("Other.", message_id) == {"error": "other content"}
        offset = first["offset"]
        record = talking.machine.log(talking.session)[offset:].partition(b"\n")[0]
        assert json.loads(record.partition(b" F ")[2])["id"] == message_id
        assert talking.ask("cancel_message", id=message_id) == {"cancelled": True}
        assert talking.ask("cancel_message", id=message_id) == {"cancelled": False}
        replies = [talking.say("x" * 50_000) for _ in range(30)]
        assert replies[-1] == {"error": "full"}


@pytest.mark.parametrize(
    ("kind", "fields", "error"),
    [
        ("mode", {"mode": "bypassPermissions"}, "mode"),
        ("mode", {"mode": 5}, "mode"),
        ("model", {"model": ""}, "model"),
        ("message", {"id": 5, "content": "x"}, "message"),
    ],
)
def test_request_that_makes_no_sense_is_refused(
    tmp_path: Path, kind: str, fields: dict[str, Any], error: str
) -> None:
    with playing(tmp_path, MESSAGE, INIT) as talking:
        reply = talking.ask(kind, **fields)
        assert reply["error"] == error
        assert reply["expected"]


def test_agent_that_reuses_ids_gets_one_answer_each(tmp_path: Path) -> None:
    script = (
        *(MESSAGE, INIT, asks("r", command="one"), asks("r", command="two")),
        *(hears("r", updatedInput={"command": "two"}), asks("r", command="three")),
        *(hears("r", updatedInput={"command": "three"}), RESULT),
    )
    with playing(tmp_path, *script) as talking:
        for title in ("two", "three"):
            talking.answer(talking.wait("approval", title=title), "allow_once")
        talking.wait("turn_ended")
        outcomes = [record["outcome"] for record in talking.of_type("approval_resolved")]
        assert outcomes == ["withdrawn", "allowed", "allowed"]
        assert len({record["id"] for record in talking.of_type("approval")}) == 3


def test_agent_that_floods_is_refused(tmp_path: Path) -> None:
    requests = [asks(f"r{number}") for number in range(60)]
    denials = [hears(f"r{number}", behavior="deny") for number in range(50, 60)]
    with playing(tmp_path, MESSAGE, INIT, *requests, *denials, RESULT) as talking:
        talking.wait("turn_ended")
        assert len(talking.of_type("approval")) == 50
        assert len(talking.of_type("approvals_refused")) == 1


def test_junk_between_lines_is_no_request(tmp_path: Path) -> None:
    deep = '{"type":"control_request","request":' + "[" * 500 + "]" * 500 + "}"
    long = json.dumps({"type": "control_request", "request_id": "x" * (1 << 20)})
    script = (
        *(MESSAGE, INIT, raw('half a line "control_request"'), raw(deep), raw(long)),
        *(raw('{"type":"control_request"}'), raw('["control_request"]'), raw('"result"')),
        prints({"type": "control_request", "request_id": 5, "request": {"subtype": "hook"}}),
        *(reads({"response": {"subtype": "error"}}), reads({"response": {"subtype": "error"}})),
        *(asks("r", command="\ud800"), hears("r", behavior="allow"), RESULT),
    )
    with playing(tmp_path, *script) as talking:
        talking.answer(talking.wait("approval"), "allow_once")
        talking.wait("turn_ended", outcome="completed")
        assert talking.of_type("request_too_long")[0]["bytes"] > 1 << 20
        assert len(talking.of_type("approval")) == 1


def test_agent_that_dies_leaves_nothing_open(tmp_path: Path) -> None:
    with playing(tmp_path, MESSAGE, INIT, asks("r")) as talking:
        approval = talking.wait("approval")
        pid = wait_for(lambda: talking.machine.row(talking.session).pid)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        ended = talking.machine.wait_until_gone(talking.session)
        assert (ended.state, ended.open_approvals) == (None, None)
        assert talking.wait("approval_resolved")["outcome"] == "withdrawn"
        assert talking.wait("approval_resolved")["id"] == approval["id"]
        assert talking.wait("turn_ended")["outcome"] == "failed"
        kinds = [record["type"] for record in talking.records]
        assert kinds[-1] == "done"


def test_agent_executes_what_is_redacted_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", "correct-horse-battery")
    command = "curl -H 'Authorization: correct-horse-battery' example.org"
    script = (
        *(MESSAGE, INIT, asks("r1", command=command, description="d")),
        hears("r1", updatedInput={"command": command, "description": "changed"}),
        *(asks("r2", command=command), hears("r2", updatedInput={"command": command}), RESULT),
    )
    with playing(tmp_path, *script, env=("MY_TOKEN",), allow=("Bash(curl x)",)) as talking:
        first = talking.wait("approval")
        shown = first["input"]["command"]
        assert shown == "curl -H 'Authorization: [redacted]' example.org"
        copied = talking.answer(first, "allow_once", input={"command": shown})
        assert copied["error"] == "input"  # or the agent would run it with the mark in it
        talking.answer(first, "allow_once", input={"description": "changed"})
        talking.answer(talking.wait("approval", 2), "allow_once")
        talking.wait("turn_ended", outcome="completed")
        assert b"correct-horse" not in talking.machine.log(talking.session)
        row = talking.machine.row(talking.session)
        assert "correct-horse" not in f"{row.open_approvals} {row.session_rules}"


def test_rules_answer_without_a_person(tmp_path: Path) -> None:
    script = (
        *(MESSAGE, INIT, asks("a", command="git log -1"), hears("a", behavior="allow")),
        *(asks("b", command="true; rm x"), hears("b", behavior="deny")),
        *(asks("c", tool="Edit", file_path="/a"), hears("c", behavior="allow")),
        *(asks("d", tool="Write", file_path="/b"), hears("d", behavior="allow"), RESULT),
    )
    rules = {"allow": ("Bash(git log:*)",), "deny": ("Bash(rm:*)",)}
    with playing(tmp_path, *script, **rules) as talking:
        edit = talking.wait("approval", tool="Edit")
        assert "Write" in edit["sessionRules"]
        talking.answer(edit, "allow_session")
        talking.wait("turn_ended", denied=1)
        resolved = [(r["outcome"], r["by"]) for r in talking.of_type("approval_resolved")]
        assert resolved == [
            *(("allowed", "rule"), ("denied", "rule")),
            *(("allowed", "ann"), ("allowed", "rule")),
        ]
        wait_for(lambda: "Write" in str(talking.machine.row(talking.session).session_rules))


def test_request_that_nobody_answers_is_denied(tmp_path: Path) -> None:
    script = (MESSAGE, INIT, asks("r"), hears("r", behavior="deny"), RESULT)
    with playing(tmp_path, *script, approval_seconds=1) as talking:
        assert talking.wait("approval")["expiresAt"]
        assert talking.wait("approval_resolved")["outcome"] == "expired"
        talking.wait("turn_ended", outcome="completed", denied=1)


def test_turn_that_takes_too_long_is_interrupted(tmp_path: Path) -> None:
    stopped = prints({"type": "result", "terminal_reason": "aborted_tools", "is_error": True})
    interrupt = reads({"type": "control_request", "request": {"subtype": "interrupt"}})
    script = (MESSAGE, INIT, asks("r"), interrupt, stopped, MESSAGE, INIT, RESULT)
    with playing(tmp_path, *script, turn_seconds=1) as talking:
        talking.wait("approval")
        ended = talking.wait("turn_ended")
        assert (ended["outcome"], "1 s" in ended["error"]) == ("interrupted", True)
        assert talking.say("Go on.")["state"] == "sent"
        talking.wait("turn_ended", turn=2, outcome="completed")


@pytest.mark.parametrize(
    ("entries", "outcome", "cost", "exit_signal"),
    [
        ((gets("SIGINT"), ABORTED), "interrupted", 0.5, None),
        ((gets("SIGINT"), gets("SIGTERM")), "interrupted", None, None),
        ((gets("SIGINT"), gets("SIGTERM"), gets("SIGQUIT")), "interrupted", None, "SIGKILL"),
    ],
    ids=["ends cleanly", "is terminated", "is killed"],
)
def test_agent_that_ignores_an_interrupt_ends_all_the_same(
    tmp_path: Path,
    entries: tuple[Entry, ...],
    outcome: str,
    cost: float | None,
    exit_signal: str | None,
) -> None:
    interrupt = reads({"type": "control_request", "request": {"subtype": "interrupt"}})
    with playing(tmp_path, MESSAGE, INIT, interrupt, *entries, grace_seconds=0.5) as talking:
        talking.wait("conversation")
        assert talking.ask("interrupt", by="ann")["interrupted"] is True
        ended = talking.machine.wait_until_gone(talking.session)
        assert (ended.status, ended.exit_signal, ended.error) == ("cancelled", exit_signal, None)
        turn = talking.wait("turn_ended")
        assert (turn["outcome"], turn.get("costUsd")) == (outcome, cost)


@pytest.mark.parametrize("protocol", ["codex", "acp"])
def test_agent_that_never_gets_ready_ends(tmp_path: Path, protocol: str) -> None:
    with machine(tmp_path, ("sleep", "600"), talk=protocol, turn_seconds=1) as here:
        talking = talk(here, "Go.")
        assert talking.wait("user_message")["state"] == "queued"
        ended = here.wait_until_gone(talking.session)
        assert (ended.status, ended.error) == ("failed", "The agent was not ready within 1 s.")
        assert talking.of_type("turn_started", "user_message_state") == []  # it is sent again


def test_conversation_that_the_agent_forgot_is_lost(tmp_path: Path) -> None:
    set_model = reads({"request": {"subtype": "set_model", "model": "m"}})
    lost = {"type": "result", "is_error": True, "num_turns": 0, "errors": ["No conversation x"]}
    with playing(tmp_path, MESSAGE, INIT, RESULT, idle_seconds=1) as talking:
        first = talking.machine.wait_until_gone(talking.session)
        (tmp_path / "script.jsonl").write_text(
            "".join(json.dumps(entry) + "\n" for entry in (set_model, MESSAGE, prints(lost)))
        )
        second = talk(talking.machine, "Go on.", first.workflow_id)
        ended = second.machine.wait_until_gone(second.session)
        assert ended.status == "failed"
        record = second.wait("conversation_lost")
        assert (record["conversationId"], record["error"]) == ("c-1", "No conversation x")
        assert second.of_type("user_message_state") == []  # it is sent again later


def test_conversation_is_held_by_one_session(tmp_path: Path) -> None:
    with playing(tmp_path, MESSAGE, INIT, RESULT) as first:
        first.wait("turn_ended")
        other = talk(first.machine, "Go.", first.machine.create_workflow())
        ended = other.machine.wait_until_gone(other.session)  # this agent says the same id
        assert ended.error == "Conversation c-1 is in use by another session."
        assert first.machine.row(first.session).is_live
