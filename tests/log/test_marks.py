"""Tool calls, errors, approvals and turns: which events are, and where the next one is."""

import json
from collections.abc import Iterator
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.log.random_logs import open_file
from webapp.log import marks
from webapp.log.dialects.translate import read_dialect
from webapp.log.event_id import EventId
from webapp.log.events import Event, parse_events
from webapp.log.marks import KINDS, Kind, find_after, find_before, is_marked
from webapp.log.record import PARTIAL, format_record

TOOL_CALLS = [{"type": "tool_call", "name": "f"}, {"type": "tool_call"}]
ERRORS = [
    {"type": "error", "message": "x"},
    {"type": "error"},
    {"type": "tool_result", "ok": False},
    {"type": "tool_result", "is_error": True},
    {"type": "tool_result", "error": "no such file"},
    {"type": "tool_result", "exitCode": 2},
]
OTHERS = [
    {"type": "message", "content": "error tool_call failed false"},
    {"type": "tool_result", "ok": True, "exitCode": 0, "error": None},
    {"type": "tool_result", "isError": False, "status": "completed"},
    {"type": "assistant", "message": {"content": [{"type": "tool_use", "id": "1"}]}},
]


def stdout(content: object) -> bytes:
    text = content if isinstance(content, str) else json.dumps(content)
    return format_record(1, b"stdout", text.encode())


def system(**content: object) -> bytes:
    return format_record(1, b"system", json.dumps(content).encode())


def events_of(log: bytes) -> list[Event]:
    with open_file(log) as opened:
        dialect = read_dialect(opened).translate
    return list(parse_events(log, 0, is_continuation=False, dialect=dialect))


def found_in(log: bytes, kind: Kind, *, is_forward: bool = True) -> Iterator[EventId]:
    """All events of a kind, each found from the one before."""
    find = find_after if is_forward else find_before
    with open_file(log) as opened:
        position = EventId(0 if is_forward else len(log))
        while True:
            event, searched_to = find(opened, position, kind)
            if event is not None:
                position = event.id
                yield position
            elif searched_to is None:
                return
            else:
                position = EventId(searched_to)


def kinds_of(record: bytes) -> set[str]:
    found = {kind for kind in KINDS if any(is_marked(event, kind) for event in events_of(record))}
    assert found == {kind for kind in KINDS if list(found_in(record, kind))}
    return set(found)


@pytest.mark.parametrize("content", TOOL_CALLS, ids=str)
def test_tool_call_is_known(content: object) -> None:
    assert kinds_of(stdout(content)) == {"tool_call"}


@pytest.mark.parametrize("content", ERRORS, ids=str)
def test_error_is_known_in_each_form(content: object) -> None:
    assert kinds_of(stdout(content)) == {"error"}


@pytest.mark.parametrize("content", [*OTHERS, "Error: failed", "[1]", '{"type":1}'], ids=str)
def test_what_only_speaks_of_them_is_neither(content: object) -> None:
    assert kinds_of(stdout(content)) == set()


def test_rest_of_a_line_that_began_before_is_text() -> None:
    begun = format_record(1, b"stdout", b"say ", PARTIAL)
    assert kinds_of(begun + stdout(ERRORS[0])) == set()


def test_bad_end_and_bad_notices_are_errors() -> None:
    assert kinds_of(system(type="done", status="failed", exitCode=1, signal=None)) == {"error"}
    assert kinds_of(system(type="done", status="succeeded", exitCode=0, signal=None)) == set()
    assert kinds_of(system(type="truncated")) == {"error"}
    assert kinds_of(system(type="terminating")) == set()


@pytest.mark.parametrize(
    ("record", "kinds"),
    [
        ({"type": "approval", "id": "s.1"}, {"approval"}),
        ({"type": "approval_resolved", "id": "s.1"}, set()),
        ({"type": "turn_started", "turn": 1}, {"turn"}),
        ({"type": "turn_ended", "turn": 1, "outcome": "interrupted"}, set()),
        ({"type": "turn_ended", "turn": 1, "outcome": "failed"}, {"error"}),
        ({"type": "user_message", "content": "approval turn_started"}, set()),
    ],
    ids=str,
)
def test_turns_and_approvals_are_known(record: dict[str, object], kinds: set[str]) -> None:
    assert kinds_of(system(**record)) == kinds
    log = system(type="session") + stdout(record) + system(**record)
    for kind in kinds & {"approval", "turn"}:
        found = list(found_in(log, kind))  # type: ignore[arg-type]
        assert found == [EventId(len(log))]


def test_each_event_of_a_record_is_found_by_its_own_id() -> None:
    call = {"type": "tool_use", "id": "1", "name": "Bash", "input": {}}
    content = [call, {"type": "text", "text": "and"}, call, call]
    head = system(type="session", dialect="claude")
    log = head + stdout({"type": "assistant", "message": {"content": content}})
    expected = [EventId(len(head), 1), EventId(len(head), 3), EventId(len(log))]
    assert list(found_in(log, "tool_call")) == expected
    assert list(found_in(log, "tool_call", is_forward=False)) == expected[1::-1]


RECORDS = [
    stdout("hello"),
    stdout(TOOL_CALLS[0]),
    stdout(ERRORS[2]),
    stdout({"type": "assistant", "message": {"content": [{"type": "tool_use", "id": "1"}] * 2}}),
    format_record(1, b"stderr", b"oh"),
    format_record(1, b"stdout", b"so ", PARTIAL),
    system(type="error", message="x"),
    b"no record\n",
]
heads = st.sampled_from([b"", system(type="session", dialect="claude")])
logs = st.lists(st.sampled_from(RECORDS), max_size=30)


def ids_of(log: bytes, kind: Kind) -> list[EventId]:
    """By looking at each event."""
    found, was_stderr = [], False
    for event in events_of(log):
        is_stderr = event.stream == "stderr"
        begins_run = is_stderr and not was_stderr and kind == "error"
        if begins_run or is_marked(event, kind):
            found.append(event.id)
        was_stderr = is_stderr
    return found


@given(heads, logs, st.sampled_from(KINDS), st.integers(60, 400), st.integers(60, 400))
def test_each_is_found_from_both_sides(
    head: bytes, records: list[bytes], kind: Kind, step: int, most: int
) -> None:
    log = head + b"".join(records)
    expected = ids_of(log, kind)
    with (
        mock.patch.object(marks, "_STEP_BYTES", step),
        mock.patch.object(marks, "SEARCH_BYTES", most),
    ):
        assert list(found_in(log, kind)) == expected
        before_end = [found for found in expected if found != EventId(len(log))]
        assert list(found_in(log, kind, is_forward=False)) == before_end[::-1]
