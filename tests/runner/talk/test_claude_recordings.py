"""What Claude Code and a client really said, played by a fake Claude that checks its stdin."""

import json
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.runner.talk.claude_script import Act, read_script
from tests.runner.talk.talking import Record, Talking, talk
from tests.server import wait_for
from tests.sessions.machine import machine

PLAYER = Path(__file__).with_name("player.py")
APPROVALS = [
    *("allowed", "allowed changed", "denied", "denied", "allowed", "allowed", "answered"),
    *("allowed", "allowed", "withdrawn"),
]
APPROVAL_TURNS = [
    *("completed", "completed", "completed", "interrupted", "completed", "completed"),
    *("completed", "completed", "completed", "completed", "completed", "interrupted"),
    *("completed", "interrupted", "completed", "completed", "completed", "completed", "completed"),
]


@pytest.mark.parametrize(
    ("recording", "approvals", "turns"),
    [
        ("claude-two-turns", [], ["completed"] * 2),
        ("claude-approvals", APPROVALS, APPROVAL_TURNS),
        ("claude-approvals-new", APPROVALS, APPROVAL_TURNS),
        (
            "claude-question-plan",
            ["denied", "allowed", "denied", "allowed", "answered"],
            ["completed"] * 7,
        ),
        ("claude-steered-old", [], ["completed"]),
        ("claude-steered-new", [], ["completed"]),
        ("claude-thinking-partial", [], ["completed"]),
        ("claude-api-error", [], ["failed"]),
        ("claude-api-error-new", [], ["failed"]),
    ],
)
def test_recording_is_a_conversation(
    tmp_path: Path, recording: str, approvals: list[str], turns: list[str]
) -> None:
    acts, played = read_script(recording)
    script = tmp_path / "played.jsonl"
    script.write_text("".join(json.dumps(entry) + "\n" for entry in played), encoding="utf-8")
    command = (sys.executable, "-I", "-S", str(PLAYER), str(script))
    with machine(tmp_path, command, talk="claude", dialect="claude") as here:
        talking = talk(here, acts[0].fields["content"])
        for number, act in enumerate(acts[1:], start=2):
            do(talking, act)
            (tmp_path / f"said-{number}").touch()
        ended = talking.end_of_script(script, len(turns))

        stderr = [r.content for r in here.records(ended) if r.stream == b"stderr"]
        assert (stderr, ended.status, ended.error) == ([], "cancelled", None)
        assert [outcome_of(record) for record in talking.of_type("approval_resolved")] == approvals
        assert [record["outcome"] for record in talking.of_type("turn_ended")] == turns
        last = [line for line in map(json.loads, lines(played)) if line.get("type") == "result"][-1]
        cost = sum(record["costUsd"] for record in talking.of_type("turn_ended"))
        assert cost == pytest.approx(last["total_cost_usd"])


def lines(played: list[dict[str, Any]]) -> list[str]:
    return [entry["line"] for entry in played if entry["dir"] == "<"]


def outcome_of(resolved: Record) -> str:
    return str(resolved["outcome"]) + (" changed" if resolved.get("changed") else "")


def do(talking: Talking, act: Act) -> None:
    """Do what was done, when the agent is as far as it was then."""
    wait_for(lambda: len(talking.of_type("approval")) >= act.approvals)
    wait_for(lambda: len(talking.of_type("turn_ended")) >= act.turns)
    if act.kind == "answer":
        answer(talking, act)
    elif act.kind == "message":
        message_id = act.fields["id"] or str(uuid.uuid4())
        reply = talking.say(act.fields["content"], message_id)
        assert reply["state"] == ("queued" if act.is_while_busy else "sent")
    else:
        reply = talking.ask(act.kind, by="ann", **act.fields)
        assert "error" not in reply


def answer(talking: Talking, act: Act) -> None:
    approval = talking.of_type("approval")[-1]
    fields = {name: act.fields[name] for name in ("message",) if name in act.fields}
    option = act.fields["option"]
    updated = act.fields.get("updatedInput")
    if approval["kind"] == "question":
        assert updated is not None
        option = "answer"
        fields["answers"] = {
            question["id"]: updated["answers"][question["question"]].split(", ")
            for question in approval["questions"]
        }
    elif updated is not None:
        changes = {k: v for k, v in updated.items() if approval["input"].get(k) != v}
        if changes:
            fields["input"] = changes
    assert "resolved" in talking.answer(approval, option, **fields)
