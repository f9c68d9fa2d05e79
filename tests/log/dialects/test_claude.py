"""Claude Code's lines, kind by kind."""

from typing import Any

import pytest

from tests.log.dialects.lines import events_of, told


def said(*blocks: object, by: str = "assistant") -> list[dict[str, Any]]:
    """What a message with these blocks says."""
    return told("claude", {"type": by, "message": {"role": by, "content": list(blocks)}})


def test_text_is_a_message() -> None:
    assert said({"type": "text", "text": "Hello."}) == [{"type": "message", "content": "Hello."}]


def test_each_block_is_an_event_of_its_own() -> None:
    assert said(
        {"type": "thinking", "thinking": "Hm.", "signature": "x"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}},
        {"type": "tool_use", "id": "t2", "name": "Read", "input": {"file_path": "a.py"}},
    ) == [
        {"type": "reasoning", "content": "Hm."},
        {"type": "message", "content": "I look."},
        {"type": "tool_call", "id": "t1", "name": "Bash", "args": {"command": "ls"}},
        {"type": "tool_call", "id": "t2", "name": "Read", "args": {"file_path": "a.py"}},
    ]


@pytest.mark.parametrize(
    ("content", "result"),
    [
        ("a\nb", "a\nb"),
        (None, ""),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "a\nb"),
        ([{"type": "image", "source": {"data": "AAAA"}}], "[image]"),
        (
            [{"type": "tool_reference", "tool_name": "x"}],
            '{"type": "tool_reference", "tool_name": "x"}',
        ),
        ({"odd": 1}, '{"odd": 1}'),
    ],
)
def test_tool_result_is_text(content: object, result: str) -> None:
    block = {"type": "tool_result", "tool_use_id": "t1", "content": content}
    answer = {"type": "tool_result", "id": "t1", "result": result}
    assert said(block, by="user") == [answer | {"ok": True}]
    assert said(block | {"is_error": True}, by="user") == [answer | {"ok": False}]


@pytest.mark.parametrize(
    ("content", "rest"),
    [
        ("Exit code 2\nno such file", {"result": "no such file", "exitCode": 2}),
        ("Exit code 1", {"result": "", "exitCode": 1}),
        ("Exit code unknown", {"result": "Exit code unknown"}),
        ("The user doesn't want to proceed with this tool use.", {"refused": True}),
        ("Claude requested permissions to use Bash, but …", {"refused": True}),
        ("Permission to use Bash with command rm x has been denied.", {"refused": True}),
        ("This was denied by the server.", {}),
    ],
)
def test_command_that_failed_or_was_refused_says_how(content: str, rest: dict[str, object]) -> None:
    block = {"type": "tool_result", "tool_use_id": "t1", "content": content, "is_error": True}
    failed = {"type": "tool_result", "id": "t1", "ok": False, "result": content}
    assert said(block, by="user") == [failed | rest]


def test_what_a_subagent_does_names_the_call_that_started_it() -> None:
    block = {"type": "tool_use", "id": "t2", "name": "Grep", "input": {"pattern": "x"}}
    message = {"role": "assistant", "content": [{"type": "text", "text": "I look."}, block]}
    line = {"type": "assistant", "message": message, "parent_tool_use_id": "t1"}
    assert told("claude", line) == [
        {"type": "message", "content": "I look.", "parentId": "t1"},
        {"type": "tool_call", "id": "t2", "name": "Grep", "args": {"pattern": "x"}}
        | {"parentId": "t1"},
    ]
    assert "parentId" not in told("claude", line | {"parent_tool_use_id": None})[0]


def test_tool_of_the_servers_own_is_called_like_any() -> None:
    assert said(
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "tea"}},
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": "hot"},
    ) == [
        {"type": "tool_call", "id": "s1", "name": "web_search", "args": {"query": "tea"}},
        {"type": "tool_result", "id": "s1", "ok": True, "result": "hot"},
    ]


@pytest.mark.parametrize("content", ["Do it.", [{"type": "text", "text": "Do it."}], ["Do it."]])
def test_words_of_a_person_say_so(content: object) -> None:
    line = {"type": "user", "message": {"role": "user", "content": content}}
    assert told("claude", line) == [{"type": "message", "content": "Do it.", "role": "user"}]


RESULT = {
    "type": "result",
    "subtype": "success",
    "is_error": False,
    "duration_ms": 4210,
    "num_turns": 2,
    "result": "All done.",
    "total_cost_usd": 0.0421,
    "usage": {
        "input_tokens": 10,
        "cache_creation_input_tokens": 200,
        "cache_read_input_tokens": 3000,
        "output_tokens": 45,
        "service_tier": "standard",
    },
}
USAGE = {
    "type": "usage",
    "inputTokens": 3210,
    "cachedInputTokens": 3000,
    "outputTokens": 45,
    "costUsd": 0.0421,
    "durationMs": 4210,
}


def test_result_is_what_the_turn_took_and_repeats_no_text() -> None:
    assert told("claude", RESULT) == [USAGE]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"subtype": "error_max_turns", "result": None}, "error_max_turns"),
        (
            {"subtype": "error_during_execution", "result": None, "errors": ["No.", "Not at all."]},
            "No.\nNot at all.",
        ),
    ],
)
def test_result_that_failed_says_why(line: dict[str, object], reason: str) -> None:
    assert told("claude", RESULT | line) == [{"type": "error", "message": reason}, USAGE]


def test_error_instead_of_an_answer_is_sent_once() -> None:
    text = [{"type": "text", "text": "API Error: 401"}]
    line = {"type": "assistant", "message": {"content": text}, "error": "server_error"}
    assert told("claude", line) == [{"type": "error", "message": "API Error: 401"}]
    assert told("claude", RESULT | {"is_error": True, "result": "API Error: 401"}) == [USAGE]


def test_figures_that_are_not_there_are_left_out() -> None:
    assert told("claude", {"type": "result", "usage": {"output_tokens": "many"}}) == [
        {"type": "usage"}
    ]


def test_piece_of_a_text_is_not_yet_a_message() -> None:
    event = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "He"}}
    line = {"type": "stream_event", "event": event}
    assert told("claude", line) == [{"type": "message_delta", "content": "He"}]


def test_piece_of_a_thought_is_quiet() -> None:
    event = {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "Hm"}}
    assert told("claude", {"type": "stream_event", "event": event}) == [
        {"type": "system", "subtype": "reasoning_delta", "content": "Hm"}
    ]


def test_what_else_the_api_says_is_quiet() -> None:
    event = {"type": "message_stop"}
    assert told("claude", {"type": "stream_event", "event": event}) == [
        {"type": "system", "subtype": "stream_event", "event": event}
    ]


@pytest.mark.parametrize(
    "line",
    [
        {"type": "system", "subtype": "init", "tools": ["Bash"], "model": "m"},
        {"type": "never_seen", "n": 1},
        {"type": "assistant"},
        {"type": "assistant", "message": None},
        {"type": "assistant", "message": {"content": 7}},
        {"type": "assistant", "message": {"content": []}},
    ],
)
def test_line_that_says_nothing_known_is_its_own_event(line: dict[str, object]) -> None:
    assert told("claude", line) == [line]


def test_block_that_says_nothing_known_is_an_event_of_its_type() -> None:
    blocks = [{"type": "never_seen", "n": 1}, {"type": "text"}, {"n": 2}]
    assert said(*blocks) == [
        {"type": "never_seen", "n": 1},
        {"type": "text"},
        {"type": "message", "n": 2},
    ]


@pytest.mark.parametrize("name", ["done", "session", "a b", ""])
def test_block_cannot_take_a_name_of_the_servers(name: str) -> None:
    line = {"type": "assistant", "message": {"content": [{"type": name, "n": 1}]}}
    assert [event.name for event in events_of("claude", line)] == ["message"]


@pytest.mark.parametrize("line", ["plain words", '{"type":"assistant","message":', "{}", '["x"]'])
def test_line_that_is_no_event_is_text(line: str) -> None:
    (event,) = events_of("claude", line)
    assert (event.name, event.data) == ("message", told_text(line))


def told_text(line: str) -> str:
    """The data of a line of plain text."""
    escaped = line.replace("\\", "\\\\").replace('"', '\\"')
    return f'{{"content":"{escaped}"}}'


def test_half_of_a_surrogate_pair_stays_readable() -> None:
    line = '{"type":"assistant","message":{"content":[{"type":"text","text":"cut \\ud83d"}]}}'
    (event,) = events_of("claude", line)
    assert event.data == '{"type":"message","content":"cut \\ud83d"}'


def test_number_that_json_cannot_hold_leaves_the_line_as_it_is() -> None:
    line = (
        '{"type":"assistant","message":{"content":'
        '[{"type":"tool_use","id":"t","name":"x","input":{"n":1e999,"s":"\\ud83d"}}]}}'
    )
    (event,) = events_of("claude", line)
    assert (event.name, event.data) == ("assistant", line)
