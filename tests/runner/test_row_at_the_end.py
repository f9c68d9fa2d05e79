"""What the runner makes of a log when its session has ended: the answer, and what it used."""

import json

import pytest

from tests.runner.conftest import MakeMachine
from tests.sessions.machine import Machine, python, shell
from tests.store.rows import rows
from webapp.store.models import Session


def say(text: str) -> str:
    """A `message` line."""
    return json.dumps({"type": "message", "content": text})


def history(machine: Machine, session: Session) -> list[tuple[str, str, str | None]]:
    """Role, content and session of each message."""
    found = rows(machine.database, "SELECT role, content, session_id FROM messages ORDER BY id")
    assert {row["session_id"] for row in found} <= {session.id}
    return [(row["role"], row["content"], row["session_id"]) for row in found]


@pytest.mark.parametrize("code", [0, 3])
def test_answer_is_in_the_history_when_the_session_has_ended(
    make_machine: MakeMachine, code: int
) -> None:
    machine = make_machine(shell(f"cat; echo; echo '{say('Done.')}'; exit {code}"), message="stdin")
    session = machine.run("a question")
    assert history(machine, session) == [
        ("user", "a question", session.id),
        ("agent", "a question\n\nDone.", session.id),
    ]


def test_silent_agent_leaves_no_message(make_machine: MakeMachine) -> None:
    machine = make_machine(shell("echo oops >&2"))
    session = machine.run()
    assert history(machine, session) == []


def test_answer_that_is_no_text_is_kept_as_far_as_it_can_be(make_machine: MakeMachine) -> None:
    machine = make_machine(python("sys.stdout.buffer.write(b'a\\0b\\xff\\n')"))
    session = machine.run()
    assert history(machine, session) == [("agent", "a\0b\ufffd", session.id)]


# --- what it used ---------------------------------------------------------------------


RESULT = json.dumps(
    {
        "type": "result",
        "result": "Done.",
        "duration_ms": 850,
        "total_cost_usd": 0.25,
        "usage": {"input_tokens": 3, "cache_read_input_tokens": 1000, "output_tokens": 7},
    }
)


def test_usage_is_in_the_database_when_the_session_has_ended(make_machine: MakeMachine) -> None:
    machine = make_machine(shell(f"echo '{RESULT}'; exit 1"), dialect="claude")
    session = machine.run()
    assert rows(machine.database, "SELECT * FROM session_usage") == [
        {
            "session_id": session.id,
            "input_tokens": 1003,
            "output_tokens": 7,
            "cost_usd": 0.25,
            "duration_ms": 850,
        }
    ]


def test_agent_that_says_no_usage_leaves_no_row(make_machine: MakeMachine) -> None:
    machine = make_machine(shell('echo \'{"type":"message","content":"usage"}\''))
    machine.run()
    assert rows(machine.database, "SELECT * FROM session_usage") == []
