"""Fake agents that play a script: lines of Claude's protocol, made by hand."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.runner.talk.talking import Talking, talk
from tests.sessions.machine import machine

PLAYER = Path(__file__).with_name("player.py")
Entry = dict[str, Any]

MESSAGE: Entry = {"dir": ">", "line": json.dumps({"type": "user"})}
"""Any message."""


def prints(line: dict[str, Any]) -> Entry:
    """The agent prints an object."""
    return {"dir": "<", "line": json.dumps(line)}


def raw(text: str) -> Entry:
    """The agent prints a text."""
    return {"dir": "raw", "line": text}


def until(name: str) -> Entry:
    """The agent waits for a file of the test's."""
    return {"dir": "until", "line": name}


def gets(signal: str) -> Entry:
    """The agent waits for a signal."""
    return {"dir": "signal", "line": signal}


def reads(line: dict[str, Any]) -> Entry:
    """The agent is sent an object with these fields."""
    return {"dir": ">", "line": json.dumps(line)}


INIT = prints({"type": "system", "subtype": "init", "session_id": "c-1", "model": "m"})
RESULT = prints({"type": "result", "subtype": "success", "total_cost_usd": 0.5, "usage": {}})


def asks(request_id: str, tool: str = "Bash", **given: str) -> Entry:
    """The agent asks whether it may use a tool."""
    request = {"subtype": "can_use_tool", "tool_name": tool, "input": given or {"command": "ls"}}
    return prints({"type": "control_request", "request_id": request_id, "request": request})


def hears(request_id: str, **response: Any) -> Entry:
    """The agent is sent the answer to that."""
    inner = {"request_id": request_id, "response": response}
    return reads({"type": "control_response", "response": inner})


@contextmanager
def playing(folder: Path, *script: Entry, **profile: Any) -> Iterator[Talking]:
    """A session whose agent plays a script, and has been sent a message."""
    file = folder / "script.jsonl"
    file.write_text("".join(json.dumps(entry) + "\n" for entry in script), encoding="utf-8")
    command = (sys.executable, "-I", "-S", str(PLAYER), str(file))
    with machine(folder, command, **({"talk": "claude", "dialect": "claude"} | profile)) as here:
        talking = talk(here, "Go.")
        yield talking
        if here.row(talking.session).is_live:
            talking.end()
        errors = [r.content for r in here.records(talking.session) if r.stream == b"stderr"]
        assert errors == []
