"""`approvals`, `approve`, `interrupt`, `adopt`, and what other commands say of conversations."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Output, run
from tests.cli.screen import at_a_terminal
from tests.server import Server, running_server, wait_for


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("talk")
    with running_server(folder, settings={"grace_seconds": 1}, HOME=str(folder)) as server:
        yield server


def waiting(place: Server, message: str) -> str:
    """The id of a session that waits for a person."""
    session_id = place.invoke("demo-talk", message)
    wait_for(lambda: place.session(session_id)["state"] == "waiting")
    return session_id


def wait_until_idle(place: Server, session_id: str) -> None:
    wait_for(lambda: place.session(session_id)["state"] == "idle")


def refused(output: Output) -> str:
    assert (output.returncode, output.stdout) == (1, "")
    return output.stderr


def test_approvals_are_listed_shown_allowed_and_exported(place: Server) -> None:
    session_id = waiting(place, "approve")
    (approval,) = place.session(session_id)["openApprovals"]
    listed = run(place, "approvals").stdout
    assert f"{session_id}/1" in listed
    assert approval["title"] in listed
    found = [json.loads(line) for line in run(place, "approvals", "--json").stdout.splitlines()]
    assert [each["id"] for each in found if each["sessionId"] == session_id] == [approval["id"]]
    shown = run(place, "show", session_id).stdout
    assert "state        waiting\n" in shown
    assert f"waits for    1: {approval['title']}\n" in shown
    assert "waiting" in run(place, "ls").stdout

    answer = run(place, "approve", session_id, "--session")
    assert (answer.returncode, answer.stdout) == (0, f"{session_id}/1: allowed\n")
    wait_until_idle(place, session_id)
    assert "is resolved already: allowed" in refused(run(place, "approve", f"{session_id}/1"))
    assert "waits for nobody's approval" in refused(run(place, "approve", session_id))
    assert f"no approval '{session_id}.7'" in refused(run(place, "approve", f"{session_id}/7"))

    printed = run(place, "tail", "-n", "100", session_id).stdout
    assert f"? 1: {approval['title']} ({approval['tool']})\n" in printed
    assert "? 1 allowed by " in printed
    assert "-- turn 1: completed, " in printed
    assert "control_request" not in printed
    assert "session_state_changed" not in printed
    written = run(place, "export", session_id, "--format", "markdown").stdout
    assert "**Approval** 1: " in written
    assert "control_request" not in written


def test_denial_takes_words_to_the_agent(place: Server) -> None:
    session_id = waiting(place, "approve")
    answer = run(place, "approve", f"{session_id}/1", "--deny", "Not in this folder.", "--json")
    resolved = json.loads(answer.stdout)
    assert (resolved["outcome"], resolved["message"]) == ("denied", "Not in this folder.")
    wait_until_idle(place, session_id)
    assert "Not in this folder." in run(place, "tail", session_id).stdout


def test_input_is_changed_where_the_agent_allows_it(place: Server) -> None:
    session_id = waiting(place, "approve")
    bad = run(place, "approve", session_id, "--input", "[]")
    assert bad.returncode == 2
    assert "--input is '[]', expected an object" in bad.stderr
    answer = run(place, "approve", session_id, "--input", '{"command": "ls -l"}')
    assert answer.returncode == 0, answer.stderr
    wait_until_idle(place, session_id)
    assert "ls -l" in run(place, "tail", session_id).stdout


def test_question_is_answered(place: Server) -> None:
    session_id = waiting(place, "ask")
    (approval,) = place.session(session_id)["openApprovals"]
    answers = [f"{question['id']}=Blue" for question in approval["questions"]]
    options = [word for each in answers for word in ("--answer", each)]
    answer = run(place, "approve", session_id, *options)
    assert answer.stdout == f"{session_id}/1: answered\n", answer.stderr
    wait_until_idle(place, session_id)


def test_interrupt_ends_the_turn_and_send_goes_on(place: Server) -> None:
    session_id = waiting(place, "approve")
    assert run(place, "send", session_id, "later").stdout == f"{session_id}: sent 5 B\n"
    stopped = run(place, "interrupt", session_id).stdout
    assert stopped == f"{session_id}: interrupted, 1 waiting message cancelled\n"
    wait_until_idle(place, session_id)
    assert run(place, "interrupt", session_id).stdout == f"{session_id}: was not working\n"

    run(place, "cancel", session_id)
    conversation_id = place.session(session_id)["conversationId"]
    resumed = run(place, "send", session_id, "table").stdout
    assert resumed.endswith(f": sent 5 B, which goes on with {session_id}\n")
    next_id = resumed.partition(":")[0]
    wait_until_idle(place, next_id)
    assert place.session(next_id)["conversationId"] == conversation_id


# --- adopt ----------------------------------------------------------------------------------


def claude_file(home: Path, conversation_id: str, cwd: str, title: str) -> None:
    """A conversation as Claude Code keeps it."""
    folder = home / ".claude" / "projects" / "-srv"
    folder.mkdir(parents=True, exist_ok=True)
    lines: list[dict[str, Any]] = [
        {"type": "summary", "summary": "x"},
        {"type": "user", "cwd": cwd, "message": {"role": "user", "content": title}},
    ]
    text = "\n".join([*map(json.dumps, lines), "no JSON"])
    (folder / f"{conversation_id}.jsonl").write_text(text)


def test_conversation_of_a_terminal_goes_on_here(place: Server) -> None:
    claude_file(place.folder, "b4bd-1", str(place.folder), "Fix the greeting")
    claude_file(place.folder, "b4bd-2", "/elsewhere", "Another")
    listed = run(place, "adopt", "demo-talk", "--list", "--json").stdout.splitlines()
    assert [json.loads(line)["conversationId"] for line in listed] == ["b4bd-1"]
    assert "/elsewhere" in run(place, "adopt", "demo-talk", "--list", "--all").stdout

    adopted = run(place, "adopt", "demo-talk", "b4bd-1")
    assert adopted.stdout.endswith(f"goes on with your next message, in {place.folder}\n")
    session_id = adopted.stdout.partition(":")[0]
    session = place.session(session_id)
    assert (session["status"], session["conversationId"]) == ("succeeded", "b4bd-1")
    command = f"cd {place.folder} && claude --resume b4bd-1"
    assert session["terminalCommand"] == command
    assert f"goes on with {command}\n" in run(place, "show", session_id).stdout
    memory = place.folder / ".local/state/agent-stream/demo-talk/b4bd-1.jsonl"
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(json.dumps({"uuid": "m", "content": "Fix the greeting"}) + "\n")
    next_id = run(place, "send", session_id, "table").stdout.partition(":")[0]
    wait_until_idle(place, next_id)
    assert place.session(next_id)["conversationId"] == "b4bd-1"
    assert "is that of session" in refused(run(place, "adopt", "demo-talk", "b4bd-1"))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("demo", "b4bd"), 2, "expected one whose profile has `talk`: "),
        (("demo-talk",), 2, "expected an id"),
        (("demo-talk", "../x"), 2, "'../x', expected an id"),
        (("demo-talk", "b4bd-7"), 1, "has no conversation b4bd-7"),
    ],
)
def test_adoption_that_makes_no_sense_is_refused(
    place: Server, arguments: tuple[str, ...], code: int, words: str
) -> None:
    output = run(place, "adopt", *arguments)
    assert (output.returncode, words in output.stderr) == (code, True), output.stderr


# --- at a terminal --------------------------------------------------------------------------


def test_attached_person_sees_and_answers(place: Server) -> None:
    session_id = waiting(place, "approve")
    with at_a_terminal(place, "attach", session_id) as screen:
        screen.wait_for("? 1: ")
        screen.wait_for("y allows it once, a for the session, n denies it")
        screen.press("n")
        screen.wait_for("? 1 denied by ")
        wait_until_idle(place, session_id)
        screen.press("yes, approve\r")  # nothing is open: a message that begins with y
        screen.wait_for(": yes, approve")
        screen.wait_for("? 2: ")
        screen.press("y")
        screen.wait_for("? 2 allowed by ")
        wait_until_idle(place, session_id)
        screen.press("approve\r")
        screen.wait_for("? 3: ")
        screen.press("\x18")
        screen.wait_for("? 3 withdrawn")
        screen.wait_for("turn 3: interrupted")
        assert place.session(session_id)["status"] == "running"
        screen.press("\x04")
        assert screen.end() == 130


def test_run_of_an_agent_that_talks_ends_when_it_rests(place: Server) -> None:
    output = run(place, "run", "--agent", "demo-talk", "--message", "table")
    assert output.returncode == 0, output.stderr
    assert '"type":"result"' in output.stdout


def test_waiting_lists_all_that_concerns_a_person(place: Server) -> None:
    session_id = waiting(place, "approve")
    failed = place.invoke("demo", "fail")
    place.wait_until_ended(failed)
    found = [json.loads(line) for line in run(place, "waiting", "--json").stdout.splitlines()]
    kinds = {each["sessionId"]: each["kind"] for each in found}
    assert (kinds[session_id], kinds[failed]) == ("approval", "failed")

    listed = run(place, "waiting", "--seen").stdout
    assert f"{session_id}/1" in listed
    assert "needs approval" in listed
    run(place, "approve", session_id)
    wait_until_idle(place, session_id)
    still = run(place, "waiting", "--json").stdout
    assert failed not in still
    assert '"approval"' not in still
