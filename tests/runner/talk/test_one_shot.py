"""Agents of one message that go on with a conversation: `resume_command`."""

import json
from pathlib import Path

import pytest

from tests.runner.talk.talking import talk
from tests.sessions.machine import machine, shell

CLAUDE = {"type": "system", "subtype": "init", "session_id": "c-1"}
CODEX = {"type": "thread.started", "thread_id": "c-1"}


@pytest.mark.parametrize(("dialect", "line"), [("claude", CLAUDE), ("codex", CODEX)])
def test_next_message_goes_on_with_the_conversation(
    tmp_path: Path, dialect: str, line: dict[str, str]
) -> None:
    script = f"cat; echo; echo '{json.dumps(line)}'"
    resumed = ("/bin/echo", "resumed {conversation}")
    profile = {"message": "stdin", "dialect": dialect, "resume_command": resumed}
    with machine(tmp_path, shell(script), **profile) as here:
        first = talk(here, "One.")
        ended = here.wait_until_gone(first.session)
        assert ended.conversation_id == "c-1"
        assert first.wait("conversation")["conversationId"] == "c-1"
        second = talk(here, "Two.", first.session.workflow_id)
        here.wait_until_gone(second.session)
        assert b"resumed c-1" in here.log(second.session)


@pytest.mark.parametrize(
    ("dialect", "line", "says"),
    [
        ("claude", CLAUDE, "No conversation found with session ID: c-1"),
        ("codex", CODEX, "Error: thread/resume failed: no rollout found for thread id c-1"),
    ],
)
def test_conversation_that_is_lost_is_not_tried_again(
    tmp_path: Path, dialect: str, line: dict[str, str], says: str
) -> None:
    resumed = shell(f"echo '{says}' >&2; exit 1 # {{conversation}}")
    profile = {"message": "stdin", "dialect": dialect, "resume_command": resumed}
    with machine(tmp_path, shell(f"echo '{json.dumps(line)}'"), **profile) as here:
        first = talk(here, "One.")
        here.wait_until_gone(first.session)
        second = talk(here, "Two.", first.session.workflow_id)
        assert here.wait_until_gone(second.session).status == "failed"
        assert second.wait("conversation_lost")["conversationId"] == "c-1"
        third = talk(here, "Three.", first.session.workflow_id)
        assert here.wait_until_gone(third.session).status == "succeeded"
