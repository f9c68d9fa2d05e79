"""Our own kinds of event under the names that programs use for their fields."""

import json
from pathlib import Path
from typing import Any

import pytest

from webapp.log.dialects.plain import read_event

TABLE = json.loads(Path(__file__).with_name("tool_events.json").read_text())
"""Also what tests/browser/js/tool_calls.test.mjs asks of the page."""
TEXTS = json.loads(Path(__file__).with_name("text_events.json").read_text())
"""Also what tests/browser/js/text_run.test.mjs asks of the page."""


@pytest.mark.parametrize(("data", "call"), TABLE["calls"], ids=str)
def test_tool_call_is_read_under_each_name(data: dict[str, Any], call: dict[str, Any]) -> None:
    assert read_event("tool_call", data) == {"type": "tool_call"} | call


@pytest.mark.parametrize(("data", "result"), TABLE["results"], ids=str)
def test_tool_result_is_read_under_each_name(data: dict[str, Any], result: dict[str, Any]) -> None:
    found = read_event("tool_result", data)
    assert {"type": "tool_result", "name": None} | (found or {}) == {"type": "tool_result"} | result


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("message", {"content": "a"}, {"type": "output", "content": "a"}),
        (
            "message",
            {"content": "a", "partial": True},
            {"type": "output", "content": "a", "partial": True},
        ),
        ("message", {"type": "message", "content": "a"}, {"type": "message", "content": "a"}),
        ("message", {"type": "message", "text": "a"}, {"type": "message", "content": "a"}),
        (
            "message",
            {"type": "message", "content": "a", "role": "user"},
            {"type": "message", "content": "a", "role": "user"},
        ),
        ("message", {"type": "message", "content": ["a"]}, None),
        ("message", {"type": "done", "content": "a"}, None),
        ("message", ["a"], None),
        ("message_delta", {"content": "a"}, {"type": "message_delta", "content": "a"}),
        ("reasoning", {"content": "a"}, {"type": "reasoning", "content": "a"}),
        ("error", {"message": "a", "n": 1}, {"type": "error", "message": "a"}),
        ("error", {}, None),
        ("usage", {"n": 1, "s": "x", "b": True}, {"type": "usage", "n": 1}),
        ("usage", {"s": "x"}, None),
        ("usage", {"n": 1, "partial": True}, {"type": "usage", "n": 1, "partial": True}),
        ("system", {"n": 1}, {"type": "system", "subtype": "", "n": 1}),
        ("assistant", {"type": "assistant"}, None),
    ],
    ids=str,
)
def test_event_is_read(name: str, data: Any, said: dict[str, Any] | None) -> None:
    assert read_event(name, data) == said


@pytest.mark.parametrize(("data", "said"), TEXTS, ids=str)
def test_text_is_read_wherever_it_usually_is(
    data: dict[str, Any], said: dict[str, Any] | None
) -> None:
    assert read_event(str(data["type"]), data) == said
