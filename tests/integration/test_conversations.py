"""Conversations with the demo agent: real gunicorn with several workers, real runners."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.cli.command import run
from tests.server import HTTP, Server, running_server, wait_for
from tests.sessions.machine import is_alive
from tests.store.locked import held
from webapp.log.conversation import Conversation, read_conversation
from webapp.log.opened import open_log
from webapp.store.engine import FILE_NAME


@dataclass
class Talk:
    """A workflow and its conversation with the demo agent."""

    server: Server
    workflow_id: str

    def say(self, message: str, **more: str) -> dict[str, Any]:
        """Send a message; the answer of `invokeAgent`."""
        value = {"workflowId": self.workflow_id, "agent": "demo-talk", "message": message}
        answer = self.server.call("workflow.invokeAgent", value | more)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["result"]["data"]
        return found

    def log(self, session_id: str) -> Conversation:
        """What a session's log says by now."""
        log = open_log(self.server.log_path(session_id))
        try:
            return read_conversation(log)
        finally:
            log.close()

    def wait_for_turns(self, session_id: str, count: int) -> Conversation:
        """The log, once this many turns have ended."""

        def ended() -> bool:
            turns = self.log(session_id).turns.values()
            return sum(turn.ended_at is not None for turn in turns) >= count

        wait_for(ended)
        return self.log(session_id)

    def wait_for_approval(self, session_id: str) -> str:
        """The id of the approval that waits for a person."""

        def waiting() -> list[str]:
            found = HTTP.get(f"{self.server.url}/api/approvals").json()["approvals"]
            return [str(each["id"]) for each in found if each["sessionId"] == session_id]

        return wait_for(waiting)[0]

    def wait_until_taken(self, session_id: str, *contents: str) -> None:
        """Until the agent has taken these messages; the session has had no others."""

        def taken() -> bool:
            found = self.log(session_id).messages.values()
            return [each.content for each in found if each.state == "taken"] == list(contents)

        wait_for(taken)
        assert len(self.log(session_id).messages) == len(contents)

    def answer(self, session_id: str, approval_id: str, **given: Any) -> Any:
        """Answer an approval."""
        url = f"{self.server.url}/api/sessions/{session_id}/approvals/{approval_id}"
        return HTTP.post(url, json=given)

    def pids(self, session_id: str) -> dict[str, int]:
        """The agent's `pid`, and `runnerPid`."""
        first = self.server.log_path(session_id).read_bytes().partition(b"\n")[0]
        facts: dict[str, int] = json.loads(first[40:])
        return facts

    def output(self, session_id: str) -> str:
        """All that the agent printed."""
        url = f"{self.server.url}/api/sessions/{session_id}/log?stream=stdout"
        return HTTP.get(url).text


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("talk")
    with running_server(
        folder, workers=3, settings={"grace_seconds": 1}, HOME=str(folder)
    ) as server:
        yield server


@pytest.fixture
def talk(server: Server) -> Talk:
    """A new conversation."""
    return Talk(server, server.create_workflow())


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(pid))


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What they return, all begun at the same moment."""
    gate = threading.Barrier(len(calls))
    found: list[object] = [None] * len(calls)

    def call(index: int) -> None:
        gate.wait()
        found[index] = calls[index]()

    threads = [threading.Thread(target=call, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


# --- messages -----------------------------------------------------------------------------


def test_next_message_goes_to_the_same_agent_which_remembers(talk: Talk) -> None:
    first = talk.say("Remember ALPHA")
    session_id = first["sessionId"]
    talk.wait_for_turns(session_id, 1)
    second = talk.say("table", idempotencyKey="11111111-0000-4000-8000-000000000001")
    assert second["sessionId"] == session_id
    assert second["messageId"] == "11111111-0000-4000-8000-000000000001"
    found = talk.wait_for_turns(session_id, 2)
    assert found.messages[second["messageId"]].offset == second["offset"]

    url = f"{talk.server.url}/api/sessions/{session_id}/events?offset={second['offset']}"
    events = HTTP.get(url).json()["events"]
    assert (events[0]["event"], events[0]["data"]["id"]) == ("user_message", second["messageId"])
    again = talk.say("table", idempotencyKey="11111111-0000-4000-8000-000000000001")
    assert (again["sessionId"], again["offset"]) == (session_id, second["offset"])
    assert len(talk.log(session_id).messages) == 2


def test_messages_at_the_same_moment_begin_one_conversation(talk: Talk) -> None:
    answers = at_once(*(lambda n=n: talk.say(f"message {n}") for n in range(6)))
    assert len({answer["sessionId"] for answer in answers}) == 1  # type: ignore[index]
    session_id = answers[0]["sessionId"]  # type: ignore[index]
    wait_for(lambda: len(talk.log(session_id).messages) == 6)
    wait_for(lambda: not talk.log(session_id).pending_messages)
    contents = [message.content for message in talk.log(session_id).messages.values()]
    assert sorted(contents) == [f"message {n}" for n in range(6)]


# --- approvals ----------------------------------------------------------------------------


def test_two_browsers_and_a_shell_answer_at_once_and_one_wins(talk: Talk) -> None:
    session_id = talk.say("approve")["sessionId"]
    approval_id = talk.wait_for_approval(session_id)

    def browser(by: str, option: str) -> Callable[[], object]:
        return lambda: talk.answer(session_id, approval_id, option=option, by=by)

    def shell() -> object:
        number = approval_id.rpartition(".")[2]
        return run(talk.server, "approve", f"{session_id}/{number}", "--deny", "No.")

    ada, bob, output = at_once(browser("ada", "allow_once"), browser("bob", "deny"), shell)
    statuses = [ada.status_code, bob.status_code]  # type: ignore[attr-defined]
    won = statuses.count(200) + (output.returncode == 0)  # type: ignore[attr-defined]
    assert won == 1, (statuses, output)
    found = talk.wait_for_turns(session_id, 1)
    (approval,) = found.approvals.values()
    assert approval.resolution is not None
    late = talk.answer(session_id, approval_id, option="deny")
    assert late.status_code == 409
    assert f"by {approval.resolution['by']}" in late.json()["error"]["message"]
    assert talk.output(session_id).count('"tool_result"') == 1


def test_answer_counts_after_the_web_was_restarted(talk: Talk) -> None:
    session_id = talk.say("approve")["sessionId"]
    approval_id = talk.wait_for_approval(session_id)
    talk.server.stop()
    talk.server.start()
    assert talk.wait_for_approval(session_id) == approval_id
    answer = talk.answer(session_id, approval_id, option="allow_once", by="ada")
    assert (answer.status_code, answer.json()["outcome"]) == (200, "allowed")
    turn = talk.wait_for_turns(session_id, 1).turns[1]
    assert turn.facts["outcome"] == "completed"


def test_answer_counts_while_the_database_is_locked(talk: Talk) -> None:
    session_id = talk.say("approve")["sessionId"]
    approval_id = talk.wait_for_approval(session_id)
    with held(talk.server.var / FILE_NAME):
        answer = talk.answer(session_id, approval_id, option="deny", message="Not now.")
        assert answer.status_code == 200
        found = talk.wait_for_turns(session_id, 1)
    assert found.turns[1].facts["denied"] == 1
    assert "Not now." in talk.output(session_id)


# --- ends ---------------------------------------------------------------------------------


@pytest.mark.parametrize("whom", ["pid", "runnerPid"])
@pytest.mark.parametrize("message", ["approve", "slow"])
def test_conversation_goes_on_after_a_kill(talk: Talk, whom: str, message: str) -> None:
    talk.say("Remember ALPHA")
    session_id = talk.say(message)["sessionId"]
    approval_id = talk.wait_for_approval(session_id) if message == "approve" else None
    talk.wait_until_taken(session_id, "Remember ALPHA", message)
    wait_for(lambda: talk.server.session(session_id)["conversationId"])
    kill(talk.pids(session_id)[whom])
    ended = talk.server.wait_until_ended(session_id)
    assert ended["state"] is None
    assert ended["openApprovals"] == []
    if approval_id is not None:
        late = talk.answer(session_id, approval_id, option="allow_once")
        assert (late.status_code, "withdrawn" in late.json()["error"]["message"]) == (409, True)

    resumed = talk.say("And now?")
    assert resumed["sessionId"] != session_id
    found = talk.wait_for_turns(resumed["sessionId"], 1)
    assert found.conversation_id == ended["conversationId"]
    assert talk.server.session(resumed["sessionId"])["resumedFrom"] == session_id
    talk.wait_until_taken(resumed["sessionId"], "And now?")


def test_message_that_waited_is_sent_again_once(talk: Talk) -> None:
    session_id = talk.say("approve")["sessionId"]
    talk.wait_for_approval(session_id)
    talk.say("later")
    talk.say("later still")
    assert len(talk.log(session_id).pending_messages) == 2
    kill(talk.pids(session_id)["runnerPid"])

    # Two messages of the same words are two.
    for message, expected in (("later", ["later", "later still", "later"]), ("more", ["more"])):
        session_id = talk.say(message)["sessionId"]
        talk.wait_until_taken(session_id, *expected)
        kill(talk.pids(session_id)["runnerPid"])


def test_mode_is_kept_by_the_resume(talk: Talk) -> None:
    session_id = talk.say("hello")["sessionId"]
    talk.wait_for_turns(session_id, 1)
    answer = talk.server.call("session.setMode", {"sessionId": session_id, "mode": "acceptEdits"})
    assert answer.json()["result"]["data"] == {"mode": "acceptEdits"}
    wait_for(lambda: talk.server.session(session_id)["mode"] == "acceptEdits")
    HTTP.post(f"{talk.server.url}/api/sessions/{session_id}/cancel", json={})
    talk.server.wait_until_ended(session_id)

    resumed = talk.say("edit")["sessionId"]
    found = talk.wait_for_turns(resumed, 1)
    assert (found.mode, found.approvals) == ("acceptEdits", {})


def test_mode_is_chosen_with_the_message_that_resumes(talk: Talk) -> None:
    given = {"workflowId": talk.workflow_id, "agent": "demo-talk", "message": "edit"}

    def error_of(more: dict[str, str]) -> tuple[str, str]:
        error = talk.server.call("workflow.invokeAgent", given | more).json()["error"]
        return error["data"]["field"], error["message"]

    assert "until the agent has said" in error_of({"mode": "acceptEdits"})[1]
    session_id = talk.say("hello")["sessionId"]
    talk.wait_for_turns(session_id, 1)
    asks_nobody = {"mode": "bypassPermissions"}
    expected = "'bypassPermissions', expected default, acceptEdits, plan"
    assert error_of(asks_nobody)[0] == "mode"  # of the live agent
    HTTP.post(f"{talk.server.url}/api/sessions/{session_id}/cancel", json={})
    talk.server.wait_until_ended(session_id)

    field, message = error_of(asks_nobody)
    assert (field, expected in message) == ("mode", True)
    resumed = talk.say("edit", mode="acceptEdits")["sessionId"]
    found = talk.wait_for_turns(resumed, 1)
    assert (found.mode, found.approvals) == ("acceptEdits", {})
    assert talk.say("edit", mode="default")["sessionId"] == resumed
    talk.wait_for_approval(resumed)
    assert talk.log(resumed).mode == "default"
