"""The command that continues a conversation in a terminal."""

from typing import Any

import pytest

from webapp.store.models import Session
from webapp.store.terminal_command import terminal_command

ENDED: dict[str, Any] = {
    "id": "session-1",
    "agent": "mine",
    "argv": '["/opt/bin/claude", "--verbose"]',
    "cwd": "/srv/a b",
    "status": "succeeded",
    "talk": "claude",
    "conversation_id": "c-1",
}


@pytest.mark.parametrize(
    ("columns", "command"),
    [
        ({}, "cd '/srv/a b' && claude --resume c-1"),
        ({"cwd": None}, "claude --resume c-1"),
        ({"argv": "[]"}, "cd '/srv/a b' && claude --resume c-1"),
        ({"argv": '["codex", "exec"]', "talk": None, "cwd": None}, "codex resume c-1"),
        ({"argv": '["python3", "demo_talk.py"]'}, None),
        ({"argv": "damaged", "talk": None}, None),
        ({"conversation_id": None}, None),
        ({"status": "running"}, None),
    ],
    ids=str,
)
def test_ended_conversation_goes_on_in_a_terminal(
    columns: dict[str, Any], command: str | None
) -> None:
    assert terminal_command(Session(**ENDED | columns)) == command
