"""Conversations that end by themselves, and go on with the next message."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.http.client import Client, data_of
from tests.http.conftest import open_client
from tests.server import wait_for
from tests.store.rows import rows
from webapp.agents.profiles import BUILT_IN, Profile
from webapp.sessions.conversations import read_log

IDLE_SECONDS = 0.2


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One whose agent ends as soon as it is idle."""
    folder = tmp_path_factory.mktemp("idle")
    (folder / "home").mkdir()
    talk = replace(BUILT_IN["demo-talk"], idle_seconds=IDLE_SECONDS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder / "home"))
        with open_client(folder, agents={"talk": talk}, default_agent="talk") as opened:
            yield opened


def say(client: Client, workflow_id: str, message: str, **more: str) -> dict[str, Any]:
    value = {"workflowId": workflow_id, "message": message} | more
    found: dict[str, Any] = data_of(client.call("workflow.invokeAgent", value))
    return found


def wait_until_ended(client: Client, session_id: str) -> dict[str, Any]:
    client.machine.wait_until_ended(client.machine.find(session_id))
    return client.session(session_id)


def test_idle_agent_ends_and_the_next_message_resumes_it(client: Client) -> None:
    workflow_id = client.create_workflow()
    first = wait_until_ended(client, say(client, workflow_id, "Remember ALPHA")["sessionId"])
    assert (first["status"], first["error"]) == ("succeeded", None)
    second = say(client, workflow_id, "table")
    assert (second["sessionId"] != first["sessionId"], second["offset"]) == (True, 0)
    ended = wait_until_ended(client, second["sessionId"])
    assert ended["conversationId"] == first["conversationId"]
    assert ended["resumedFrom"] == first["sessionId"]
    turns = rows(client.machine.database, "SELECT outcome FROM turn_overview")
    assert turns == [{"outcome": "completed"}, {"outcome": "completed"}]


def test_each_message_is_taken_once_while_the_agent_ends_again_and_again(client: Client) -> None:
    workflow_id = client.create_workflow()
    said = [f"message {number}" for number in range(12)]
    for message in said:
        answer = say(client, workflow_id, message)
        session = client.machine.find(answer["sessionId"])
        wait_for(lambda session=session: not pending(client, session))  # type: ignore[misc]
    wait_until_ended(client, answer["sessionId"])

    ids = [
        str(row["id"])
        for row in rows(
            client.machine.database,
            "SELECT id FROM sessions WHERE workflow_id = :id ORDER BY id",
            id=workflow_id,
        )
    ]
    logs = [read_log(client.machine.var, client.machine.find(each)) for each in ids]
    taken = [
        message.content
        for log in logs
        for message in log.messages.values()
        if message.state == "taken"
    ]
    assert taken == said
    assert {log.conversation_id for log in logs} == {logs[0].conversation_id}


def pending(client: Client, session: Any) -> bool:
    """Whether the session is live and has not taken what was sent."""
    found = read_log(client.machine.var, session)
    return not found.messages or bool(found.pending_messages)


def test_repeated_key_sends_nothing_again_to_the_session_that_is_live_now(client: Client) -> None:
    workflow_id = client.create_workflow()
    first = say(client, workflow_id, "hello", idempotencyKey="key-1")
    wait_until_ended(client, first["sessionId"])
    live = client.machine.find(say(client, workflow_id, "approve")["sessionId"])
    wait_for(lambda: read_log(client.machine.var, live).open_approvals)

    again = say(client, workflow_id, "hello", idempotencyKey="key-1")
    assert again["sessionId"] == first["sessionId"] != live.id
    assert again["messageId"] == first["messageId"]
    assert len(read_log(client.machine.var, live).messages) == 1
    client.post(f"/api/sessions/{live.id}/cancel", {})


def test_lost_conversation_is_begun_anew_with_what_waits(client: Client, tmp_path: Path) -> None:
    workflow_id = client.create_workflow()
    first = wait_until_ended(client, say(client, workflow_id, "Remember ALPHA")["sessionId"])
    memories = client.machine.var.parent / "home/.local/state/agent-stream/demo-talk"
    (memories / f"{first['conversationId']}.jsonl").unlink()

    lost = wait_until_ended(client, say(client, workflow_id, "Do you remember?")["sessionId"])
    assert (lost["status"], lost["resumedFrom"]) == ("failed", first["sessionId"])
    assert read_log(client.machine.var, client.machine.find(lost["sessionId"])).is_lost

    begun = wait_until_ended(client, say(client, workflow_id, "Then anew.")["sessionId"])
    assert begun["conversationId"] not in (None, first["conversationId"])
    assert begun["resumedFrom"] is None
    found = read_log(client.machine.var, client.machine.find(begun["sessionId"]))
    assert [message.content for message in found.messages.values()] == [
        "Do you remember?",
        "Then anew.",
    ]
    assert found.pending_messages == []


# --- agents of one message --------------------------------------------------------------------

ONCE = """import json, sys
said = sys.stdin.read()
resumed = sys.argv[1] if sys.argv[1:] else None
if said == "die":
    print(f"No conversation found with session ID: {resumed}", file=sys.stderr)
    error = [f"No conversation found with session ID: {resumed}"]
    print(json.dumps({"type": "result", "subtype": "error_during_execution", "is_error": True,
        "num_turns": 0, "session_id": resumed, "errors": error}))
    sys.exit(1)
print(json.dumps({"type": "system", "subtype": "init", "session_id": resumed or "c-" + said}))
print(json.dumps({"type": "result", "subtype": "success", "session_id": resumed or "c-" + said}))
"""


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One whose agent takes one message, and remembers by its `resume_command`."""
    command = (sys.executable, "-I", "-S", "-c", ONCE)
    agent = Profile(
        "once",
        command,
        resume_command=(*command, "{conversation}"),
        message="stdin",
        dialect="claude",
    )
    folder = tmp_path_factory.mktemp("once")
    with open_client(folder, agents={"once": agent}, default_agent="once") as opened:
        yield opened


def test_agent_of_one_message_goes_on_with_what_it_remembers(once: Client) -> None:
    workflow_id = once.create_workflow()
    first = wait_until_ended(once, say(once, workflow_id, "7")["sessionId"])
    assert (first["conversationId"], first["talk"], first["state"]) == ("c-7", None, None)
    second = wait_until_ended(once, say(once, workflow_id, "8")["sessionId"])
    assert (second["conversationId"], second["resumedFrom"]) == ("c-7", first["sessionId"])
    other = wait_until_ended(once, say(once, once.create_workflow(), "9")["sessionId"])
    assert (other["conversationId"], other["resumedFrom"]) == ("c-9", None)


def test_agent_of_one_message_that_has_forgotten_begins_anew(once: Client) -> None:
    workflow_id = once.create_workflow()
    wait_until_ended(once, say(once, workflow_id, "7")["sessionId"])
    wait_until_ended(once, say(once, workflow_id, "die")["sessionId"])
    begun = wait_until_ended(once, say(once, workflow_id, "8")["sessionId"])
    assert (begun["conversationId"], begun["resumedFrom"]) == ("c-8", None)
