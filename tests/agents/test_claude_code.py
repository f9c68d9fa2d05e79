"""The real Claude Code from npm, run as a session. Only by `make test-agents`."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.agents.messages_api import ANSWER, TOOL_OUTPUT, messages_api
from tests.clients.viewer import Viewer
from tests.server import ROOT, running_server

pytestmark = pytest.mark.agents

PACKAGE = "@anthropic-ai/claude-code"
ALLOW_BASH = ["claude", "-p", "--output-format", "stream-json", "--verbose", "--allowedTools=Bash"]


@pytest.fixture(scope="module")
def claude_path() -> str:
    """The folder of the `claude` command, installed with npm on first use."""
    folder = ROOT / ".venv" / "agents"
    command = folder / "node_modules" / ".bin" / "claude"
    if not command.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--prefix", str(folder), PACKAGE], check=True)
    return str(command.parent)


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
