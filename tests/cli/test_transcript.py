"""Events as people read them."""

import json
from typing import Any

import pytest

from tests.log.dialects.lines import events_of
from webapp.commands.transcript import Transcript
from webapp.log.events import Event

Said = tuple[str, dict[str, Any]]


def shown(*events: Said, colour: bool = False) -> str:
    transcript = Transcript(colour=colour)
    text = "".join(
        transcript.show(Event(0, "", "stdout", name, json.dumps(data))) for name, data in events
    )
    return text + transcript.end()


def says(content: str) -> Said:
    return "message", {"type": "message", "content": content}


def piece(content: str) -> Said:
    return "message", {"type": "message", "content": content, "partial": True}


def line(content: str, **more: Any) -> Said:
    return "message", {"content": content} | more


CALL: Said = ("tool_call", {"type": "tool_call", "name": "read", "args": {"path": "a.py", "n": 3}})
WARNING: Said = ("stderr", {"message": "careful"})


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([piece("Hello "), piece("wor"), piece("ld")], "Hello world\n"),
        ([says("One sentence."), says("And another.")], "One sentence.\n\nAnd another.\n"),
        ([says("a\n"), says("b\n")], "a\n\nb\n"),
        ([line("a"), line(""), line("b")], "a\n\nb\n"),
        ([line("a? ", partial=True), line("b")], "a? b\n"),
        ([says("a"), line("b"), says("c")], "a\n\nb\n\nc\n"),
        ([says("a"), CALL, says("\n\nb")], "a\n-> read path: a.py, n: 3\nb\n"),
        ([says("a"), WARNING, says("b")], "a\n! careful\nb\n"),
        ([("stderr", {"message": "10%\r20%"})], "! 20%\n"),
        ([("input", {"content": "yes"})], "> yes\n"),
        ([("tool_result", {"result": "ok\nfine"})], "<- ok fine\n"),
        ([("tool_result", {"name": "run", "error": "no"})], "<x run no\n"),
        ([("error", {"type": "error", "message": "no key"})], "-- error: no key\n"),
        ([("message", {"type": "message", "content": "Do it.", "role": "user"})], "> Do it.\n"),
        ([("notice", {"type": "error", "message": "it broke"})], "-- error: it broke\n"),
        ([("notice", {"type": "truncated", "bytes": 5})], "-- truncated: bytes: 5\n"),
        ([("thought", {"type": "thought", "deep": True})], "-- thought: deep: true\n"),
        ([("message", {"type": "ping", "x": 1})], "-- ping: x: 1\n"),
        ([("message", {"type": "message", "content": [1]})], "-- message: content: [1]\n"),
        (
            [("done", {"exitCode": None, "signal": "SIGKILL", "status": "failed"})],
            "-- done: failed, SIGKILL\n",
        ),
    ],
)
def test_events_read_like_this(events: list[Said], text: str) -> None:
    assert shown(*events) == text


def shown_lines(dialect: str, *lines: dict[str, Any]) -> str:
    """What an agent's lines look like."""
    transcript = Transcript(colour=False)
    events = [event for line in lines for event in events_of(dialect, line)]
    return "".join(map(transcript.show, events)) + transcript.end()


def test_claude_codes_messages_read_like_any_agents() -> None:
    blocks = [
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "ls"}},
    ]
    result = [{"type": "tool_result", "tool_use_id": "t", "content": "a\nb", "is_error": False}]

    assert (
        shown_lines(
            "claude",
            {"type": "assistant", "message": {"content": blocks}},
            {"type": "user", "message": {"content": result}},
        )
        == "I look.\n-> Bash command: ls\n<- a b\n"
    )


def test_codexs_items_read_like_any_agents() -> None:
    run = {"id": "1", "type": "command_execution", "command": "ls"}
    end = run | {"aggregated_output": "a\n", "exit_code": 1}
    message = {"id": "2", "type": "agent_message", "text": "Done."}

    assert (
        shown_lines(
            "codex",
            {"type": "item.started", "item": run},
            {"type": "item.completed", "item": end},
            {"type": "item.completed", "item": message},
        )
        == "-> shell command: ls\n<x shell a\nDone.\n"
    )


def test_an_escape_sequence_may_be_split_between_two_pieces() -> None:
    assert shown(piece("a \x1b]0;ti"), piece("tle\x07b")) == "a b\n"


def test_colours_of_an_agent_do_not_run_into_what_follows() -> None:
    text = shown(says("\x1b[31mred"), CALL, colour=True)

    assert text.index("\x1b[0m") < text.index("->")


def test_a_strange_event_never_stops_the_reader() -> None:
    for data in ("null", "[]", '"x"', "{}", '{"content":null}', '{"message":{"content":[null,1]}}'):
        for name in ("message", "assistant", "user", "tool_call", "item.started", "done", "notice"):
            Transcript(colour=False).show(Event(0, "", "stdout", name, data))
