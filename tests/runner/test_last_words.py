"""What of a log becomes the agent's message in the history."""

import json
import tempfile

import pytest

from tests.agents.machine import Machine, python, shell
from tests.runner.conftest import MakeMachine
from tests.store.rows import rows
from webapp.log.record import FULL, PARTIAL, format_record
from webapp.runner import last_words as module
from webapp.runner.last_words import last_words
from webapp.store.models import Session


def say(text: str) -> str:
    """A `message` line."""
    return json.dumps({"type": "message", "content": text})


CALL = '{"type":"tool_call","name":"x"}'
USAGE = '{"type":"usage","inputTokens":1}'


def words_of(*records: tuple[bytes, bytes, str] | str) -> str | None:
    """The last words of a log with these records; a text alone is a line of stdout."""
    log = b"".join(
        format_record(1, b"stdout", record.encode())
        if isinstance(record, str)
        else format_record(1, record[0], record[2].encode(), record[1])
        for record in records
    )
    with tempfile.TemporaryFile() as file:
        file.write(log)
        file.flush()
        return last_words(file.fileno(), len(log))[0]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], None),
        ([CALL, USAGE], None),
        ([say(" \n"), ""], None),
        ([say("Hello "), say("you\n"), USAGE], "Hello you"),
        ([say("first"), CALL, say("a "), say("b"), USAGE], "a b"),
        ([say("a"), CALL], "a"),
        (["plain", "text", ""], "plain\ntext"),
        ([CALL, "plain", say("and not"), USAGE], "plain\nand not"),
        (['{"no":"type"}', '{"type":7}', "{"], '{"no":"type"}\n{"type":7}\n{'),
        ([say("é\u2028😀")], "é\u2028😀"),
        (['{"type":"message","content":7}'], None),
        (['{"type":"assistant"}', '{"type":"result","result":"Done.","cost":1}'], "Done."),
        (['{"type":"result","result":null}'], None),
        (
            ['{"type":"item.completed","item":{"type":"agent_message","text":"Hi"}}', USAGE],
            "Hi",
        ),
        (['{"type":"item.completed","item":{"type":"reasoning","text":"hm"}}'], None),
    ],
    ids=lambda value: str(value)[:50],
)
def test_last_words_are_the_last_run_of_text(lines: list[str], words: str | None) -> None:
    assert words_of(*lines) == words


def test_line_that_is_too_deep_is_text() -> None:
    found = words_of('{"type":"message","content":' + "[" * 20_000)
    assert found is not None
    assert found.endswith("[" * 20_000)


def test_only_stdout_counts_and_parts_are_put_together() -> None:
    assert (
        words_of(
            (b"stdout", PARTIAL, "Think"),
            (b"stderr", FULL, "warning"),
            (b"stdin", FULL, "yes"),
            (b"stdout", FULL, "ing"),
            (b"system", FULL, '{"type":"done"}'),
        )
        == "Thinking"
    )


def test_of_a_long_text_the_end_is_kept() -> None:
    text = "é" * module.MAX_WORDS_BYTES + "end"
    found = words_of(say(text))
    assert found is not None
    assert found.startswith("…é")
    assert found.endswith("éend")
    assert len(found.encode()) <= module.MAX_WORDS_BYTES + 3


def test_of_a_long_log_only_the_end_is_read() -> None:
    found = words_of(say("begin"), *["x" * 1000] * 1000, CALL, say("end"))
    assert found == "end"


def test_log_that_cannot_be_read_gives_no_words() -> None:
    assert last_words(-1, 10) == (None, None)


# --- in the history -------------------------------------------------------------------


def history(machine: Machine, session: Session) -> list[tuple[str, str, str | None]]:
    """Role, content and session of each message."""
    found = rows(machine.database, "SELECT role, content, session_id FROM messages ORDER BY id")
    assert {row["session_id"] for row in found} <= {session.id}
    return [(row["role"], row["content"], row["session_id"]) for row in found]


@pytest.mark.parametrize("code", [0, 3])
def test_answer_stands_in_the_history_when_the_session_has_ended(
    make_machine: MakeMachine, code: int
) -> None:
    machine = make_machine(shell(f"cat; echo; echo '{say('Done.')}'; exit {code}"), message="stdin")
    session = machine.run("a question")
    assert history(machine, session) == [
        ("user", "a question", session.id),
        ("agent", "a question\nDone.", session.id),
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


def test_usage_stands_in_the_database_when_the_session_has_ended(make_machine: MakeMachine) -> None:
    machine = make_machine(shell(f"echo '{RESULT}'; exit 1"))
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


def test_agent_that_tells_no_usage_leaves_no_row(make_machine: MakeMachine) -> None:
    machine = make_machine(shell('echo \'{"type":"message","content":"usage"}\''))
    machine.run()
    assert rows(machine.database, "SELECT * FROM session_usage") == []
