"""What a session cost, out of what its agent printed."""

import json

import pytest

from webapp.log.usage import find_usage

OWN = {"type": "usage", "inputTokens": 9, "outputTokens": 7, "costUsd": 0.5, "durationMs": 850}
CLAUDE = {
    "type": "result",
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
}
CODEX = {
    "type": "turn.completed",
    "usage": {"input_tokens": 24763, "cached_input_tokens": 24448, "output_tokens": 122},
}


def usage_of(*events: object) -> tuple[int | float | None, ...] | None:
    """Input, output, cost and duration by these lines; a text is a line as it is."""
    lines = [line if isinstance(line, str) else json.dumps(line) for line in events]
    found = find_usage([line.encode() for line in lines], json.loads)
    return None if found is None else tuple(found.values())


@pytest.mark.parametrize(
    ("event", "found"),
    [
        (OWN, (9, 7, 0.5, 850)),
        (CLAUDE, (15124, 42, 0.0213, 2001)),
        (CODEX, (24763, 122, None, None)),
        ({"type": "usage", "outputTokens": 7}, (None, 7, None, None)),
        ({"type": "usage", "costUsd": 1}, (None, None, 1.0, None)),
        ({"type": "usage", "durationMs": 1.5}, (None, None, None, 1)),
        ({"type": "result", "usage": None, "total_cost_usd": 2}, (None, None, 2.0, None)),
    ],
    ids=str,
)
def test_usage_is_read_from_each_kind_of_line(event: object, found: object) -> None:
    assert usage_of(event) == found


@pytest.mark.parametrize(
    "event",
    [
        "usage",
        '{"type":"usage"',
        '{"usage":1}',
        {"type": "usage"},
        {"type": "usage", "inputTokens": "9", "costUsd": True, "durationMs": None},
        {"type": "usage", "inputTokens": -1, "costUsd": -0.5, "outputTokens": 1 << 70},
        '{"type":"usage","costUsd":NaN,"durationMs":Infinity,"inputTokens":1e400}',
        {"type": "turn.completed", "usage": [1]},
        {"type": "assistant", "usage": {"input_tokens": 1}},
        '{"type":"usage","x":' + "[" * 100_000,
    ],
    ids=lambda value: str(value)[:60],
)
def test_line_that_tells_none_gives_none(event: object) -> None:
    assert usage_of(event) is None


def test_last_line_that_tells_it_counts() -> None:
    assert usage_of({"type": "usage", "costUsd": 1}, CLAUDE, "text", {"type": "usage"}) == (
        15124,
        42,
        0.0213,
        2001,
    )


def test_session_without_lines_has_none() -> None:
    assert usage_of() is None
