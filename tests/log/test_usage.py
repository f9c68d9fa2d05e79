"""What a session used, out of what its agent printed."""

import io
import json

import pytest

from webapp.log.dialects import dialect_named
from webapp.log.record import PARTIAL, format_record
from webapp.log.usage import read_usage

OWN = {"type": "usage", "inputTokens": 9, "outputTokens": 7, "costUsd": 0.5, "durationMs": 850}
CLAUDE = {
    "subtype": "success",
    "result": "Done.",
    "duration_ms": 2001,
    "total_cost_usd": 0.0213,
    "usage": {
        "input_tokens": 4,
        "cache_creation_input_tokens": 120,
        "cache_read_input_tokens": 15000,
        "output_tokens": 42,
    },
    "type": "result",
}
CODEX = {
    "type": "turn.completed",
    "usage": {"input_tokens": 24763, "cached_input_tokens": 24448, "output_tokens": 122},
}

Found = tuple[int | float | None, ...] | None


def usage_of(*lines: object, dialect: str | None = None) -> Found:
    """Input, output, cost and duration by these lines; a text is a line as it is."""
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return usage_in(b"".join(format_record(1, b"stdout", text.encode()) for text in texts), dialect)


def usage_in(log: bytes, dialect: str | None) -> Found:
    def read(count: int, offset: int) -> bytes:
        return log[offset : offset + count]

    found = read_usage(read, len(log), dialect_named(dialect, None))
    return None if found is None else tuple(found.values())


@pytest.mark.parametrize(
    ("dialect", "line", "found"),
    [
        (None, OWN, (9, 7, 0.5, 850)),
        ("claude", CLAUDE, (15124, 42, 0.0213, 2001)),
        ("codex", CODEX, (24763, 122, None, None)),
        (None, {"type": "usage", "outputTokens": 7}, (None, 7, None, None)),
        (None, {"type": "usage", "costUsd": 1}, (None, None, 1.0, None)),
        (None, {"type": "usage", "durationMs": 1.5}, (None, None, None, 1)),
        (
            "claude",
            {"type": "result", "usage": None, "total_cost_usd": 2},
            (None, None, 2.0, None),
        ),
    ],
    ids=str,
)
def test_usage_is_read_from_each_agents_line(
    dialect: str | None, line: object, found: Found
) -> None:
    assert usage_of(line, dialect=dialect) == found


@pytest.mark.parametrize("dialect", [None, "claude", "codex"])
@pytest.mark.parametrize(
    "line",
    [
        "usage",
        '{"type":"usage"',
        '{"usage":1}',
        {"type": "usage"},
        {"type": "usage", "inputTokens": "9", "costUsd": True, "durationMs": None},
        {"type": "usage", "inputTokens": -1, "costUsd": -0.5, "outputTokens": 1 << 70},
        '{"type":"usage","costUsd":NaN,"durationMs":Infinity,"inputTokens":1e400}',
        {"type": "turn.completed", "usage": [1]},
        {"type": "assistant", "usage": {"input_tokens": 1}, "total_cost_usd": 1},
        '{"type":"usage","x":' + "[" * 100_000,
    ],
    ids=lambda value: str(value)[:60],
)
def test_line_that_says_nothing_of_it_gives_none(line: object, dialect: str | None) -> None:
    assert usage_of(line, dialect=dialect) is None


def test_last_line_of_an_agent_that_counts_all_counts() -> None:
    assert usage_of({"type": "usage", "costUsd": 1}, OWN, "text", {"type": "usage"}) == (
        *(9, 7, 0.5, 850),
    )
    assert usage_of(CODEX, CODEX, dialect="codex") == (24763, 122, None, None)


def test_turns_of_claude_are_added_up_but_for_the_cost_which_is_of_all() -> None:
    later = CLAUDE | {"total_cost_usd": 0.03}
    without_tokens = {"type": "result", "duration_ms": 1, "total_cost_usd": 0.04}
    assert usage_of(CLAUDE, "text", later, without_tokens, dialect="claude") == (
        *(2 * 15124, 2 * 42, 0.04, 2 * 2001 + 1),
    )


def test_turn_far_before_the_end_is_added_too() -> None:
    words = [json.dumps({"type": "assistant", "n": "x" * 1000})] * 3000
    assert usage_of(CLAUDE, *words, CLAUDE, *words, dialect="claude") == (
        *(2 * 15124, 2 * 42, 0.0213, 2 * 2001),
    )


def test_line_in_several_records_counts_and_other_streams_do_not() -> None:
    text = json.dumps(CLAUDE).encode()
    log = io.BytesIO()
    log.write(format_record(1, b"stderr", text))
    log.write(format_record(1, b"stdout", text[:50], PARTIAL))
    log.write(format_record(1, b"stdout", text[50:]))
    assert usage_in(log.getvalue(), "claude") == (15124, 42, 0.0213, 2001)


def test_session_without_lines_has_none() -> None:
    assert usage_of() is None
    assert usage_of(dialect="claude") is None
