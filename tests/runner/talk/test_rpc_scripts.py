"""What Codex and agents of the ACP may do that no recording shows."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.runner.talk.scripted import Entry, playing, prints, reads, until
from tests.runner.talk.talking import talk
from tests.server import wait_for


def asked(method: str, number: int, **params: Any) -> Entry:
    """The agent is called."""
    return reads({"method": method, "id": number, "params": params})


def result(number: int, **fields: Any) -> Entry:
    """It answers."""
    return prints({"id": number, "result": fields})


def says(method: str, **params: Any) -> Entry:
    """It notifies."""
    return prints({"method": method, "params": params})


def started(turn: str) -> Entry:
    return says("turn/started", turn={"id": turn})


def completed(turn: str) -> Entry:
    return says("turn/completed", turn={"id": turn, "status": "completed"})


def begun(number: int, text: str) -> Entry:
    return asked("turn/start", number, threadId="t", input=[{"type": "text", "text": text}])


def update(kind: str, text: str) -> Entry:
    content = {"type": "text", "text": text}
    return says("session/update", sessionId="s", update={"sessionUpdate": kind, "content": content})


READ = says("item/started", item={"type": "userMessage", "id": "i"})
CODEX = (asked("initialize", 1), result(1), reads({"method": "initialized"}))
CODEX_NEW = (*CODEX, asked("thread/start", 2), result(2, thread={"id": "t"}, model="m"))
CODEX_TURN = (begun(3, "Go."), result(3, turn={"id": "u1"}), started("u1"), READ)
ACP = (asked("initialize", 1), result(1, agentCapabilities={"loadSession": True}))
MODELS = {"currentModelId": "m", "availableModels": [{"modelId": "m"}, {"modelId": "other"}]}


def test_message_that_codex_refuses_in_a_turn_waits_for_the_next(tmp_path: Path) -> None:
    script = (
        *(*CODEX_NEW, *CODEX_TURN, begun(4, "Second."), begun(5, "Third.")),
        *(prints({"id": number, "error": {"message": "cannot steer"}}) for number in (4, 5)),
        *(until("look"), completed("u1")),
        *(begun(6, "Second."), result(6, turn={"id": "u2"}), started("u2"), READ),
        *(begun(7, "Third."), result(7, turn={"id": "u2"}), READ, completed("u2")),
    )
    with playing(tmp_path, *script, talk="codex", dialect="codex-app") as talking:
        talking.wait("user_message_state", state="taken")
        assert [talking.say(text)["state"] for text in ("Second.", "Third.")] == ["sent"] * 2
        talking.wait("agent_refused", 2, message="cannot steer")
        assert len(talking.of_type("turn_started")) == 1
        assert talking.of_type("turn_ended") == []
        (tmp_path / "look").touch()
        talking.end_of_script(tmp_path / "script.jsonl", turns=2)
        outcomes = [(r["outcome"], r.get("error")) for r in talking.of_type("turn_ended")]
        assert outcomes == [("completed", None)] * 2
        assert len(talking.of_type("user_message_state")) == 3


def test_codex_interrupts_the_turn_that_has_just_begun(tmp_path: Path) -> None:
    interrupted = {"id": "u2", "status": "interrupted"}
    script = (
        *(*CODEX_NEW, *CODEX_TURN, completed("u1"), begun(4, "Second."), until("stopped")),
        *(result(4, turn={"id": "u2"}), started("u2"), READ),
        *(asked("turn/interrupt", 5, turnId="u2"), says("turn/completed", turn=interrupted)),
    )
    with playing(tmp_path, *script, talk="codex", dialect="codex-app") as talking:
        talking.wait("turn_ended", turn=1)
        talking.say("Second.")
        assert talking.ask("interrupt", by="ann")["interrupted"] is True
        (tmp_path / "stopped").touch()
        talking.end_of_script(tmp_path / "script.jsonl", turns=2)
        assert talking.wait("turn_ended", turn=2)["outcome"] == "interrupted"


FIRST = {
    "codex": (*CODEX_NEW, *CODEX_TURN, until("chosen"), completed("u1")),
    "acp": (
        *(*ACP, asked("session/new", 2), result(2, sessionId="s", models=MODELS)),
        *(asked("session/prompt", 3), asked("session/set_model", 4, modelId="other")),
        *(result(4), update("agent_message_chunk", "old words"), result(3, stopReason="end_turn")),
    ),
}
SECOND = {
    "codex": (
        *(*CODEX, asked("thread/resume", 2, threadId="t", model="other")),
        *(result(2, thread={"id": "t"}, model="m"), begun(3, "Go on."), READ),
        *(result(3, turn={"id": "u1"}), started("u1"), completed("u1")),
    ),
    "acp": (
        *(*ACP, asked("session/load", 2, sessionId="s")),
        *(update("user_message_chunk", "Go."), update("agent_message_chunk", "old words")),
        says("session/update", update={"sessionUpdate": "plan", "entries": [{"content": "old"}]}),
        says("session/update", update={"sessionUpdate": "usage_update", "cost": {"amount": 2}}),
        says("session/update", update={"sessionUpdate": "available_commands_update"}),
        *(result(2, models=MODELS), asked("session/set_model", 3, modelId="other"), result(3)),
        *(asked("session/prompt", 4), update("agent_message_chunk", "new words")),
        says("session/update", update={"sessionUpdate": "usage_update", "cost": {"amount": 3}}),
        result(4, stopReason="end_turn"),
    ),
}


@pytest.mark.parametrize(("protocol", "dialect"), [("codex", "codex-app"), ("acp", "acp")])
def test_resumed_agent_has_the_chosen_model_and_no_history_twice(
    tmp_path: Path, protocol: str, dialect: str
) -> None:
    profile = {"talk": protocol, "dialect": dialect, "idle_seconds": 1}
    with playing(tmp_path, *FIRST[protocol], **profile) as first:
        here = first.machine
        first.wait("turn_started")
        assert first.ask("model", model="other", by="ann") == {"model": "other"}
        (tmp_path / "chosen").touch()
        here.wait_until_gone(first.session)
        script = "".join(json.dumps(entry) + "\n" for entry in SECOND[protocol])
        (tmp_path / "script.jsonl").write_text(script)
        (tmp_path / "script.jsonl.played").unlink()

        second = talk(here, "Go on.", first.session.workflow_id)
        ended = here.wait_until_gone(second.session)
        assert (ended.status, ended.model) == ("succeeded", "other")
        assert second.wait("turn_ended")["outcome"] == "completed"
        if protocol == "acp":
            log = here.log(second.session)
            assert b"old words" not in log
            assert b"new words" in log
            assert second.of_type("plan") == []
            assert second.wait("conversation")["repeatedLines"] == 4
            assert second.wait("turn_ended")["costUsd"] == 1
            wait_for(lambda: b"available_commands_update" in here.log(second.session))
