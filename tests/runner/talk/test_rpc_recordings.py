"""What Codex and agents of the ACP really said, played by fake ones that check their stdin."""

import json
import sys
import uuid
from pathlib import Path

import pytest

from tests.runner.talk.claude_script import Act
from tests.runner.talk.rpc_script import RpcScript
from tests.runner.talk.talking import Talking, talk
from tests.server import wait_for
from tests.sessions.machine import machine

PLAYER = Path(__file__).with_name("player.py")
DECISIONS = {
    "accept": "allow_once",
    "acceptForSession": "allow_session",
    "decline": "deny",
    "cancel": "deny_and_stop",
}
CODEX = [*["completed"] * 6, "interrupted", "interrupted", "completed"]


@pytest.mark.parametrize(
    ("talk_name", "recording", "mode", "approvals", "turns"),
    [
        (
            *("codex", "codex-app-server", None),
            ["allowed", "denied", "allowed", "allowed", "denied", "withdrawn"],
            [
                *(["completed"] * 6 + ["interrupted"] * 2 + ["completed"] * 2),
                *("interrupted", "completed", "failed"),
            ],
        ),
        ("codex", "codex-more", None, ["allowed", "answered", "denied"], ["completed"] * 5),
        ("codex", "codex-resume", None, [], ["completed"]),
        (
            *("acp", "acp-claude-new", None, ["allowed", "denied", "allowed", "withdrawn"]),
            [*["completed"] * 5, "interrupted", "completed", "interrupted", *["completed"] * 2],
        ),
        (
            *("acp", "acp-claude-old", None, ["allowed", "denied", "allowed"]),
            [*["completed"] * 5, "interrupted", *["completed"] * 4],
        ),
        (
            *("acp", "acp-gemini", None, ["allowed", "denied", "allowed"]),
            [*["completed"] * 5, "interrupted", *["completed"] * 2, "interrupted", "completed"],
        ),
        (
            *("acp", "acp-opencode", None, ["allowed", "denied", "allowed"]),
            [*["completed"] * 5, "interrupted", *["completed"] * 4],
        ),
        ("acp", "acp-codex-approvals", "read-only", [], ["completed"] * 5),
    ],
)
def test_recording_is_a_conversation(
    tmp_path: Path,
    talk_name: str,
    recording: str,
    mode: str | None,
    approvals: list[str],
    turns: list[str],
) -> None:
    script = RpcScript(recording, steers=talk_name == "codex")
    file = tmp_path / "played.jsonl"
    file.write_text("".join(json.dumps(entry) + "\n" for entry in script.played), encoding="utf-8")
    command = (sys.executable, "-I", "-S", str(PLAYER), str(file))
    with machine(tmp_path, command, talk=talk_name, mode=mode) as here:
        first, *rest = script.acts
        talking = talk(here, first.fields["content"])
        for number, act in enumerate(rest, start=2):
            do(talking, act)
            (tmp_path / f"said-{number}").touch()
        ended = talking.end_of_script(file, len(turns))

        stderr = [r.content for r in here.records(ended) if r.stream == b"stderr"]
        assert (stderr, ended.status, ended.error) == ([], "cancelled", None)
        outcomes = [record["outcome"] for record in talking.of_type("approval_resolved")]
        assert outcomes == approvals
        assert [record["outcome"] for record in talking.of_type("turn_ended")] == turns
        taken = talking.of_type("user_message_state")
        assert len(taken) == len(talking.of_type("user_message"))
        assert {record["state"] for record in taken} == {"taken"}


def do(talking: Talking, act: Act) -> None:
    """Do what was done, when the agent is as far as it was then."""
    wait_for(lambda: len(talking.of_type("approval")) >= act.approvals)
    wait_for(lambda: len(talking.of_type("turn_ended")) >= act.turns)
    if act.kind == "message":
        reply = talking.say(act.fields["content"], str(uuid.uuid4()))
        assert "error" not in reply
    elif act.kind == "answer":
        fields = dict(act.fields)
        option = fields.pop("option", None) or DECISIONS[fields.pop("decision")]
        assert "resolved" in talking.answer(talking.of_type("approval")[-1], option, **fields)
    else:
        reply = talking.ask(act.kind, by="ann", **act.fields)
        assert "error" not in reply
