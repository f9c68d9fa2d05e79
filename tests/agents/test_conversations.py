"""The same conversation with each real agent, against models on loopback: `make test-agents`."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.agents.installed import AGENTS, Agent
from tests.agents.model_apis import model_apis
from tests.runner.talk.talking import Record, Talking, talk
from tests.server import wait_for
from tests.sessions.machine import Machine, machine
from webapp.log.dialects.translate import LOG_DIALECTS
from webapp.log.events import parse_events

pytestmark = pytest.mark.agents


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.id)
def test_agent_holds_a_conversation(
    tmp_path: Path, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    with model_apis(*agent.shell) as models:
        environment = agent.configure(home, models.url)
        path = f"{agent.path()}:{os.environ['PATH']}"
        for name, value in {"HOME": str(home), "PATH": path, **environment}.items():
            monkeypatch.setenv(name, value)
        profile = agent.profile
        names = ("resume_command", "talk", "dialect", "mode")
        fields: dict[str, Any] = {name: getattr(profile, name) for name in names}
        env = tuple({*profile.env, *environment})
        with machine(
            tmp_path, profile.command, **fields, env=env, cwd=str(work), idle_seconds=20
        ) as here:
            talking = talk(here, "Remember <<ALPHA>>.")
            talking.wait("turn_ended", turn=1, outcome="completed")
            remembers(talking)
            asks(talking, work)
            is_interrupted(talking)
            dies_and_goes_on(here, talking, agent)


def turn(talking: Talking, content: str) -> int:
    """Say something; the number of its turn."""
    wait_for(lambda: talking.of_type("state")[-1]["state"] == "idle")
    number = len(talking.of_type("turn_started")) + 1
    assert talking.say(content)["state"] == "sent"
    talking.wait("turn_started", turn=number)
    return number


def answer(talking: Talking, kind: str, **fields: object) -> Record:
    """Answer the newest approval with its first option of a kind."""
    approval = talking.of_type("approval")[-1]
    option = next(option for option in approval["options"] if option["kind"] == kind)
    if not approval["mayExplain"]:
        fields.pop("message", None)
    assert "resolved" in talking.answer(approval, option["id"], **fields)
    return approval


def remembers(talking: Talking) -> None:
    number = turn(talking, "And <<BETA>>?")
    talking.wait("turn_ended", turn=number, outcome="completed")
    assert heard(talking, "ALPHA", "BETA")


def heard(talking: Talking, *words: str) -> bool:
    """Whether the model was sent all of the conversation, as the agent's events have it."""
    log = talking.machine.log(talking.session)
    translate = LOG_DIALECTS[str(talking.machine.launcher.profile("agent").dialect)].translate
    said = [
        event
        for event in parse_events(log, 0, is_continuation=False, dialect=translate)
        if event.name in ("message", "message_delta")
    ]
    text = "".join(str(json.loads(event.data).get("content", "")) for event in said)
    return " ".join(words) in " ".join(text.split())


def asks(talking: Talking, work: Path) -> None:
    number = turn(talking, "[[run touch allowed]]")
    talking.wait("approval", turn=number)
    assert "touch allowed" in answer(talking, "allow_once")["title"]
    talking.wait("turn_ended", turn=number, outcome="completed")
    number = turn(talking, "[[run touch denied]]")
    talking.wait("approval", turn=number)
    answer(talking, "deny", message="Not today.")
    talking.wait("turn_ended", turn=number, denied=1)
    assert [path.name for path in work.iterdir()] == ["allowed"]


def is_interrupted(talking: Talking) -> None:
    number = turn(talking, "[[slow]]")
    wait_for(lambda: heard(talking, "word", "word"))
    assert talking.ask("interrupt", by="ann")["interrupted"] is True
    talking.wait("turn_ended", turn=number, outcome="interrupted")


def dies_and_goes_on(here: Machine, talking: Talking, agent: Agent) -> None:
    number = turn(talking, "[[run touch never]]")
    talking.wait("approval", turn=number)
    pid = here.row(talking.session).pid
    assert pid is not None
    os.killpg(pid, signal.SIGKILL)
    here.wait_until_gone(talking.session)
    assert talking.of_type("approval_resolved")[-1]["outcome"] == "withdrawn"

    second = talk(here, "Still <<GAMMA>>?", talking.session.workflow_id)
    if not agent.remembers:
        second.wait("conversation_lost")
        assert here.wait_until_gone(second.session).status == "failed"
        return
    second.wait("turn_ended", turn=1, outcome="completed")
    assert heard(second, "ALPHA", "BETA", "GAMMA")
    ids = {each.wait("conversation")["conversationId"] for each in (talking, second)}
    assert len(ids) == 1
    ended = here.wait_until_gone(second.session)
    assert (ended.status, second.of_type("done")[0]["idle"]) == ("succeeded", True)
