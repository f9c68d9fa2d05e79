"""Codex's lines, kind by kind."""

from typing import Any

import pytest

from tests.log.dialects.lines import told


def item(stage: str, **fields: object) -> list[dict[str, Any]]:
    """What a line about an item says."""
    return told("codex", {"type": f"item.{stage}", "item": {"id": "item_1"} | fields})


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("agent_message", {"type": "message", "content": "Hello."}),
        ("plan", {"type": "message", "content": "Hello."}),
        ("reasoning", {"type": "reasoning", "content": "Hello."}),
    ],
)
def test_text_is_sent_once_when_it_is_complete(kind: str, event: dict[str, str]) -> None:
    assert item("completed", type=kind, text="Hello.") == [event]
    for stage in ("started", "updated"):
        assert [told["type"] for told in item(stage, type=kind, text="Hel")] == ["system"]


def test_error_is_an_event() -> None:
    expected = [{"type": "error", "message": "No."}]
    assert item("completed", type="error", message="No.") == expected
    assert told("codex", {"type": "error", "message": "No."}) == expected
    assert told("codex", {"type": "turn.failed", "error": {"message": "No."}}) == expected


@pytest.mark.parametrize(
    ("exit_code", "status", "ok"),
    [(0, "completed", True), (1, "failed", False), (None, "declined", False), (0, None, True)],
)
def test_command_is_called_and_has_its_result(
    exit_code: int | None, status: str | None, ok: bool
) -> None:
    fields = {"type": "command_execution", "command": "ls -1"}
    call = {"id": "item_1", "name": "shell", "args": {"command": "ls -1"}}
    assert item("started", aggregated_output="", status="in_progress", **fields) == [
        {"type": "tool_call"} | call
    ]
    end = {"aggregated_output": "a.py\n", "exit_code": exit_code, "status": status}
    ended = {} if exit_code is None else {"exitCode": exit_code}
    refused = {"refused": True} if status == "declined" else {}
    assert item("completed", **end, **fields) == [
        {"type": "tool_result", "ok": ok, "result": "a.py\n"} | call | ended | refused
    ]
    assert item("updated", **end, **fields)[0]["type"] == "system"


def test_change_of_files_is_one_result_with_what_it_was() -> None:
    changes = [{"path": "a.py", "kind": "update"}, {"path": "b.py", "kind": "add"}]
    assert item("completed", type="file_change", changes=changes, status="completed") == [
        {
            "type": "tool_result",
            "id": "item_1",
            "name": "apply_patch",
            "ok": True,
            "result": "update a.py\nadd b.py",
            "args": {"changes": "update a.py\nadd b.py"},
        }
    ]


def test_mcp_call_is_a_call() -> None:
    fields = {"type": "mcp_tool_call", "server": "docs", "tool": "search", "arguments": {"q": "x"}}
    (call,) = item("started", **fields, result=None, error=None, status="in_progress")
    assert (call["type"], call["name"], call["args"]) == ("tool_call", "docs.search", {"q": "x"})

    found = {"content": [{"type": "text", "text": "found"}], "structured_content": None}
    (result,) = item("completed", **fields, result=found, error=None, status="completed")
    assert (result["ok"], result["result"]) == (True, "found")

    (result,) = item("completed", **fields, error={"message": "No."}, status="failed")
    assert (result["ok"], result["result"]) == (False, "No.")


def test_web_search_is_a_call() -> None:
    (call,) = item("started", type="web_search", query="tea")
    assert (call["name"], call["args"]) == ("web_search", {"query": "tea"})
    (result,) = item("completed", type="web_search", query="tea", action={"type": "search"})
    assert (result["ok"], result["result"]) == (True, '{"type": "search"}')


def test_todo_list_is_a_call_with_its_result_each_time_it_changes() -> None:
    items = [{"text": "Read", "completed": True}, {"text": "Write", "completed": False}]
    for stage in ("started", "updated"):
        call, result = item(stage, type="todo_list", items=items)
        assert call["args"] == {"items": "[x] Read\n[ ] Write"}
        assert (result["id"], result["result"], result["ok"]) == ("item_1", "1 of 2 done", True)
    assert item("completed", type="todo_list", items=items)[0]["type"] == "system"


def test_turn_that_is_complete_says_its_tokens_and_no_price() -> None:
    used = {"input_tokens": 7500, "cached_input_tokens": 5120, "output_tokens": 215}
    assert told("codex", {"type": "turn.completed", "usage": used}) == [
        {"type": "usage", "inputTokens": 7500, "outputTokens": 215, "cachedInputTokens": 5120}
    ]


def test_start_is_what_codex_says_of_itself() -> None:
    assert told("codex", {"type": "thread.started", "thread_id": "t-1"}) == [
        {"type": "system", "subtype": "thread.started", "thread_id": "t-1"}
    ]
    assert told("codex", {"type": "turn.started"}) == [
        {"type": "system", "subtype": "turn.started"}
    ]


@pytest.mark.parametrize(
    "line",
    [
        {"type": "never_seen", "n": 1},
        {"type": "item.completed"},
        {"type": "item.completed", "item": None},
        {"type": "item.completed", "item": {"id": "i", "type": "never_seen"}},
        {"type": "item.completed", "item": {"type": "command_execution"}},
        {"type": "turn.failed", "error": "No."},
        {"type": "error"},
    ],
)
def test_line_that_says_nothing_known_is_its_own_event(line: dict[str, object]) -> None:
    assert told("codex", line) == [line]
