"""What of a log becomes the agent's message in the history."""

import json

import pytest

from webapp.log.answer import MAX_ANSWER_BYTES, read_answer
from webapp.log.dialects import dialect_named
from webapp.log.record import FULL, PARTIAL, format_record


def say(text: str) -> str:
    """A `message` line."""
    return json.dumps({"type": "message", "content": text})


def piece(text: str) -> str:
    """A piece of a message."""
    return json.dumps({"type": "message", "content": text, "partial": True})


CALL = '{"type":"tool_call","name":"x"}'
USAGE = '{"type":"usage","inputTokens":1}'


def answer_of(*records: tuple[bytes, bytes, str] | str, dialect: str | None = None) -> str | None:
    """The answer in a log with these records; a text alone is a line of stdout."""
    log = b"".join(
        format_record(1, b"stdout", record.encode())
        if isinstance(record, str)
        else format_record(1, record[0], record[2].encode(), record[1])
        for record in records
    )

    def read(count: int, offset: int) -> bytes:
        return log[offset : offset + count]

    return read_answer(read, len(log), dialect_named(dialect, None))


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        ([], None),
        ([CALL, USAGE], None),
        ([say(" \n"), ""], None),
        ([piece("Hello "), piece("you\n"), USAGE], "Hello you"),
        ([say("first"), CALL, say("a"), say("b"), USAGE], "a\n\nb"),
        ([say("a"), CALL], "a"),
        (["plain", "text", ""], "plain\ntext"),
        ([CALL, "plain", say("and not"), USAGE], "plain\n\nand not"),
        (['{"no":"type"}', '{"type":7}', "{"], '{"no":"type"}\n{"type":7}\n{'),
        ([say("é\u2028😀")], "é\u2028😀"),
        (['{"type":"message","content":7}'], None),
        (['{"type":"error","message":"No."}', USAGE], "No."),
        (['{"type":"error","message":"No."}', say("a"), USAGE], "a"),
        ([say("a"), '{"type":"message","content":"b","role":"user"}', say("c")], "c"),
        (['{"type":"result","result":"Done."}'], None),
    ],
    ids=lambda value: str(value)[:50],
)
def test_answer_is_the_last_run_of_text(lines: list[str], answer: str | None) -> None:
    assert answer_of(*lines) == answer


def test_line_that_is_too_deep_is_text() -> None:
    found = answer_of('{"type":"message","content":' + "[" * 20_000)
    assert found is not None
    assert found.endswith("[" * 20_000)


def test_only_stdout_counts_and_parts_are_put_together() -> None:
    assert (
        answer_of(
            (b"stdout", PARTIAL, "Think"),
            (b"stderr", FULL, "warning"),
            (b"stdin", FULL, "yes"),
            (b"stdout", FULL, "ing"),
            (b"system", FULL, '{"type":"done"}'),
        )
        == "Thinking"
    )


def test_of_a_long_text_the_end_is_kept() -> None:
    text = "é" * MAX_ANSWER_BYTES + "end"
    found = answer_of(say(text))
    assert found is not None
    assert found.startswith("…é")
    assert found.endswith("éend")
    assert len(found.encode()) <= MAX_ANSWER_BYTES + 3


def test_of_a_long_log_only_the_end_is_read() -> None:
    found = answer_of(say("begin"), *["x" * 1000] * 1000, CALL, say("end"))
    assert found == "end"


def claude(kind: str, *blocks: object, **fields: object) -> str:
    """A line of Claude Code with a message."""
    return json.dumps({"type": kind, "message": {"content": blocks}} | fields)


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def delta(words: str) -> str:
    """A piece of a message that comes whole later."""
    event = {"delta": {"type": "text_delta", "text": words}}
    return json.dumps({"type": "stream_event", "event": event})


RESULT = '{"result":"Done.","type":"result"}'
SYSTEM = '{"type":"stream_event","event":{"type":"content_block_stop"}}'


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        (
            [claude("assistant", {"type": "thinking", "thinking": "."}, text("Hi.")), RESULT],
            "Hi.",
        ),
        ([claude("assistant", text("a")), claude("user", text("?")), RESULT], "a"),
        ([delta("He"), delta("llo"), SYSTEM, claude("assistant", text("Hello")), SYSTEM], "Hello"),
        ([delta("He"), SYSTEM, delta("llo")], "Hello"),
        ([claude("assistant", text("API Error"), error="server_error"), RESULT], "API Error"),
        ([RESULT], None),
    ],
    ids=str,
)
def test_answer_is_the_last_message_of_claude(lines: list[str], answer: str | None) -> None:
    assert answer_of(*lines, dialect="claude") == answer


def test_answer_is_the_last_message_of_codex() -> None:
    items: list[dict[str, object]] = [
        {"id": "0", "type": "agent_message", "text": "Hi"},
        {"id": "1", "type": "reasoning", "text": "hm"},
    ]
    lines = [json.dumps({"type": "item.completed", "item": item}) for item in items]
    assert answer_of(*lines, '{"type":"turn.completed"}', dialect="codex") == "Hi"
