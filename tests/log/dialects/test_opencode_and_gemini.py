"""What OpenCode and Gemini print, kind by kind."""

from typing import Any

import pytest

from tests.log.dialects.lines import told


def part(kind: str, **fields: object) -> list[dict[str, Any]]:
    return told("opencode", {"type": kind, "sessionID": "s", "part": fields})


def tool(**state: object) -> list[dict[str, Any]]:
    """A tool of OpenCode in some state, less its call."""
    call, *result = part("tool_use", tool="bash", callID="c", state={"input": {"a": 1}} | state)
    assert call == {"type": "tool_call", "id": "c", "name": "bash", "args": {"a": 1}}
    return result


def test_opencode_says_whole_texts() -> None:
    assert part("text", text="a") == [{"type": "message", "content": "a"}]
    assert part("reasoning", text="a") == [{"type": "reasoning", "content": "a"}]


@pytest.mark.parametrize(
    ("state", "result"),
    [
        ({"status": "completed", "output": "x"}, {"ok": True, "result": "x"}),
        ({"status": "error", "error": "gone"}, {"ok": False, "result": "gone"}),
        (
            {"status": "completed", "output": "x", "metadata": {"exit": 0}},
            {"ok": True, "result": "x", "exitCode": 0},
        ),
        (
            {"status": "completed", "output": "x", "metadata": {"exit": 2}},
            {"ok": False, "result": "x", "exitCode": 2},
        ),
        ({"status": "running"}, None),
    ],
)
def test_opencode_prints_a_call_with_its_result(
    state: dict[str, object], result: dict[str, object] | None
) -> None:
    assert tool(**state) == (
        [] if result is None else [{"type": "tool_result", "id": "c"} | result]
    )


def test_opencode_counts_each_step() -> None:
    tokens = {"input": 10, "output": 5, "reasoning": 0, "cache": {"read": 3, "write": 2}}
    assert part("step_finish", tokens=tokens, cost=0.5) == [
        {"type": "usage", "inputTokens": 15, "cachedInputTokens": 3, "outputTokens": 5}
        | {"costUsd": 0.5, "partial": True}
    ]
    assert part("step_start")[0]["type"] == "system"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ({"name": "APIError", "data": {"message": "Overloaded"}}, "Overloaded"),
        ({"name": "Unknown", "message": "No model"}, "No model"),
        ({"name": "Aborted"}, "Aborted"),
    ],
)
def test_opencode_says_why_it_failed(error: dict[str, object], text: str) -> None:
    assert told("opencode", {"type": "error", "error": error}) == [
        {"type": "error", "message": text}
    ]


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (
            {"type": "message", "role": "assistant", "content": "a", "delta": True},
            {"type": "message", "content": "a", "partial": True},
        ),
        (
            {"type": "message", "role": "user", "content": "a"},
            {"type": "message", "content": "a", "role": "user"},
        ),
        (
            {"type": "tool_use", "tool_name": "glob", "tool_id": "1", "parameters": {"a": 1}},
            {"type": "tool_call", "id": "1", "name": "glob", "args": {"a": 1}},
        ),
        (
            {"type": "tool_result", "tool_id": "1", "status": "success", "output": "x"},
            {"type": "tool_result", "id": "1", "ok": True, "result": "x"},
        ),
        (
            {"type": "tool_result", "tool_id": "1", "status": "error", "error": {"message": "x"}},
            {"type": "tool_result", "id": "1", "ok": False, "result": "x"},
        ),
        ({"type": "error", "message": "Loop"}, {"type": "error", "message": "Loop"}),
        (
            {"type": "result", "status": "success", "stats": {"input_tokens": 5, "cached": 1}},
            {"type": "usage", "inputTokens": 5, "cachedInputTokens": 1},
        ),
    ],
)
def test_gemini_says(line: dict[str, object], event: dict[str, object]) -> None:
    assert told("gemini", line) == [event]


def test_gemini_says_why_its_turn_failed() -> None:
    line = {"type": "result", "status": "error", "error": {"message": "Overloaded"}}
    assert told("gemini", line) == [{"type": "error", "message": "Overloaded"}]
    assert told("gemini", {"type": "init", "session_id": "s"})[0]["type"] == "system"
