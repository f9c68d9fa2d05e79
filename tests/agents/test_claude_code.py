"""The real Claude Code from npm, run as a session. Only by `make test-agents`."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.agents.installed import AGENTS
from tests.agents.messages_api import ANSWER, TOOL_OUTPUT, messages_api
from tests.clients.viewer import Viewer
from tests.runner.talk.talking import talk
from tests.server import running_server
from tests.sessions.machine import machine
from webapp.agents.profiles import BUILT_IN

pytestmark = pytest.mark.agents

ALLOW_BASH = ["claude", "-p", "--output-format", "stream-json", "--verbose", "--allowedTools=Bash"]


@pytest.fixture(
    params=[a for a in AGENTS if a.profile.name == "claude"], ids=lambda agent: agent.id
)
def claude_path(request: pytest.FixtureRequest) -> str:
    """The folder of the `claude` command, installed with npm on first use."""
    return str(request.param.path())


def test_claude_code_runs_a_turn_with_a_tool_call_as_a_session(
    folder: Path, claude_path: str
) -> None:
    work = folder / "work"
    work.mkdir()
    claude = {
        "command": ALLOW_BASH,
        "cwd": str(work),
        "env": [
            "ANTHROPIC_API_KEY",
            "ANTHROPIC_BASE_URL",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
        ],
    }
    with messages_api() as api:
        environment: dict[str, Any] = {
            "PATH": f"{claude_path}:{os.environ['PATH']}",
            "HOME": str(folder),
            "ANTHROPIC_API_KEY": "no-key",
            "ANTHROPIC_BASE_URL": api.url,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }
        with running_server(folder, {"claude": claude}, **environment) as server:
            session_id = server.invoke("claude", "Say it with a tool.")
            with Viewer(server.url, session_id) as viewer:
                events = []
                for event in viewer:
                    events.append(event)
                    if TOOL_OUTPUT in event.data and event.type == "tool_result":
                        assert server.session(session_id)["status"] == "running"
                        api.go_on.set()

    assert [event.type for event in events] == [
        *("session", "system", "tool_call", "tool_result", "message", "usage", "done")
    ]
    call, result, answer, usage, done = (event.json() for event in events[2:])
    assert (call["name"], call["id"]) == ("Bash", result["id"])
    assert result["ok"]
    assert answer["content"] == ANSWER
    assert usage["costUsd"] > 0
    assert done == {"exitCode": 0, "signal": None, "status": "succeeded"}


def test_claude_code_holds_a_conversation_and_goes_on_after_a_kill(
    folder: Path, claude_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = folder / "work"
    work.mkdir()
    profile = BUILT_IN["claude"]
    with messages_api() as api:
        api.command = "touch made-by-the-agent"
        api.go_on.set()
        for name, value in {
            "PATH": f"{claude_path}:{os.environ['PATH']}",
            "HOME": str(folder),
            "ANTHROPIC_API_KEY": "no-key",
            "ANTHROPIC_BASE_URL": api.url,
        }.items():
            monkeypatch.setenv(name, value)
        fields = {name: getattr(profile, name) for name in ("resume_command", "talk", "dialect")}
        with machine(
            folder, profile.command, **fields, env=profile.env, cwd=str(work), idle_seconds=2
        ) as here:
            first = talk(here, "Make a file.")
            approval = first.wait("approval", kind="command", title=api.command)
            pid = here.row(first.session).pid
            assert pid is not None
            os.killpg(pid, signal.SIGKILL)
            here.wait_until_gone(first.session)
            assert first.wait("approval_resolved", id=approval["id"])["outcome"] == "withdrawn"

            second = talk(here, "Once more.", first.session.workflow_id)
            changed = "touch made-by-the-agent another"
            second.answer(second.wait("approval"), "allow_once", input={"command": changed})
            second.wait("turn_ended", turn=1, outcome="completed")
            assert second.say("Thank you.")["state"] == "sent"
            second.wait("turn_ended", turn=2, outcome="completed")
            conversation = second.wait("conversation")
            assert conversation["conversationId"] == first.wait("conversation")["conversationId"]
            ended = here.wait_until_gone(second.session)
            assert (ended.status, ended.error) == ("succeeded", None)
    assert {path.name for path in work.iterdir()} == {"made-by-the-agent", "another"}
