"""Tool calls and errors: which events are, and where the next one is."""

import json
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.log.random_logs import open_file
from webapp.log import marks
from webapp.log.events import parse_event
from webapp.log.marks import Kind, find_after, find_before, has_sign, is_marked
from webapp.log.record import format_record

TOOL_CALLS = [
    {"type": "tool_call", "name": "f"},
    {"type": "tool_use", "name": "f"},
    {"type": "assistant", "message": {"content": [{"type": "tool_use", "name": "Bash"}]}},
    {"type": "item.started", "item": {"type": "command_execution", "command": "ls"}},
]
ERRORS = [
    {"type": "error", "message": "x"},
    {"type": "tool_result", "ok": False},
    {"type": "tool_result", "is_error": True},
    {"type": "tool_result", "error": "no such file"},
    {"type": "tool_result", "exitCode": 2},
    {"type": "result", "is_error": True},
    {"type": "user", "message": {"content": [{"type": "tool_result", "is_error": True}]}},
    {"type": "item.completed", "item": {"type": "command_execution", "exit_code": 1}},
    {"type": "turn.failed"},
]
OTHERS = [
    {"type": "message", "content": "error tool_call failed false"},
    {"type": "tool_result", "ok": True, "exitCode": 0, "error": None},
    {"type": "tool_result", "isError": False, "status": "completed"},
    {"type": "assistant", "message": {"content": "tool_use"}},
    {"type": "item.completed", "item": {"type": "command_execution", "exit_code": 0}},
]


def stdout(content: object) -> bytes:
    text = content if isinstance(content, str) else json.dumps(content)
    return format_record(1, b"stdout", text.encode())


def system(**content: object) -> bytes:
    return format_record(1, b"system", json.dumps(content).encode())


def kinds_of(line: bytes) -> set[str]:
    event, _ = parse_event(line.rstrip(b"\n"), len(line), is_continuation=False)
    found: set[str] = {kind for kind in marks.KINDS if is_marked(event, kind)}
    signs = {kind for kind in marks.KINDS if has_sign(line, kind)}
    assert event.stream == "stderr" or found <= signs
    return found


@pytest.mark.parametrize("content", TOOL_CALLS, ids=str)
def test_tool_call_is_known_in_each_agents_words(content: object) -> None:
    assert kinds_of(stdout(content)) == {"tool_call"}


@pytest.mark.parametrize("content", ERRORS, ids=str)
def test_error_is_known_in_each_agents_words(content: object) -> None:
    assert kinds_of(stdout(content)) == {"error"}


@pytest.mark.parametrize("content", [*OTHERS, "Error: failed", "[1]", '{"type":1}'], ids=str)
def test_what_only_speaks_of_them_is_neither(content: object) -> None:
    assert kinds_of(stdout(content)) == set()


def test_bad_end_and_bad_notices_are_errors() -> None:
    assert kinds_of(system(type="done", status="failed", exitCode=1, signal=None)) == {"error"}
    assert kinds_of(system(type="done", status="succeeded", exitCode=0, signal=None)) == set()
    assert kinds_of(system(type="truncated")) == {"error"}
    assert kinds_of(system(type="terminating")) == set()


RECORDS = [
    stdout("hello"),
    stdout(TOOL_CALLS[0]),
    stdout(ERRORS[1]),
    format_record(1, b"stderr", b"oh"),
    system(type="error", message="x"),
    b"no record\n",
]
logs = st.lists(st.sampled_from(RECORDS), max_size=30)


def ids_of(records: list[bytes], kind: Kind) -> list[int]:
    """By looking at each record."""
    found, end, was_stderr = [], 0, False
    for line in records:
        end += len(line)
        is_stderr = line[30:38] == b" stderr "
        begins_run = is_stderr and not was_stderr and kind == "error"
        if begins_run or (not is_stderr and kind in kinds_of(line)):
            found.append(end)
        was_stderr = is_stderr
    return found


@given(logs, st.sampled_from(marks.KINDS), st.integers(60, 400), st.integers(60, 400))
def test_each_is_found_from_both_sides(
    records: list[bytes], kind: Kind, step: int, most: int
) -> None:
    log = b"".join(records)
    expected = ids_of(records, kind)
    with (
        open_file(log) as opened,
        mock.patch.object(marks, "_STEP_BYTES", step),
        mock.patch.object(marks, "SEARCH_BYTES", most),
    ):

        def all_from(start: int, *, is_forward: bool) -> list[int]:
            found: list[int] = []
            position: int | None = start
            while position is not None:
                find = find_after if is_forward else find_before
                event, searched_to = find(opened, position, kind)
                if event is not None:
                    found.append(event.offset)
                position = searched_to if event is None else event.offset
            return found

        assert all_from(0, is_forward=True) == expected
        last = [end for end in expected if end == len(log)]
        assert (
            all_from(len(log), is_forward=False) == [*expected][: len(expected) - len(last)][::-1]
        )
