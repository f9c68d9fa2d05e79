"""From records to events: one row of the table in DESIGN 3.2 after the other."""

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.log import random_logs
from webapp.log.events import Event, is_done, parse_events
from webapp.log.json_line import RESERVED_NAMES
from webapp.log.record import format_record

TIME_NS = 1_795_467_840_123_456_789
TIME = "2026-11-23T21:04:00.123456789Z"


def event_of(
    stream: bytes, content: bytes, tag: bytes = b"F", *, is_continuation: bool = False
) -> Event:
    """The one event of a log with one record."""
    chunk = format_record(TIME_NS, stream, content, tag)
    (event,) = parse_events(chunk, 0, is_continuation=is_continuation)
    assert event.offset == len(chunk)
    return event


def told(stream: bytes, content: bytes, tag: bytes = b"F", **options: bool) -> tuple[str, Any]:
    """Name and data of the event of one record."""
    event = event_of(stream, content, tag, **options)
    return event.name, json.loads(event.data)


# --- stdout ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tool_call", "a", "A.b:c-d_9", "message", "error", "x" * 64])
def test_typed_json_is_an_event_of_its_type(name: str) -> None:
    line = json.dumps({"type": name, "args": {"path": "a.py"}, "n": [1.50, None]})
    event = event_of(b"stdout", line.encode())
    assert (event.name, event.data) == (name, line)


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
def test_agent_cannot_make_an_event_of_the_server(name: str) -> None:
    line = json.dumps({"type": name, "exitCode": 0, "status": "succeeded"})
    event = event_of(b"stdout", line.encode())
    assert (event.name, event.data) == ("message", line)
    assert not is_done(event)


@pytest.mark.parametrize(
    "name",
    ["", "9a", "_a", "a b", "a\n", "\na", "a\r", "a\0", "x" * 65, "é", "a\u2028", "done\n", "<b>"],
)
def test_bad_type_is_a_message_with_the_same_data(name: str) -> None:
    line = json.dumps({"type": name}, ensure_ascii=False)
    event = event_of(b"stdout", line.encode())
    assert (event.name, event.data) == ("message", line)


@pytest.mark.parametrize(
    "line",
    [
        "plain text",
        "",
        "{",
        "{}",
        "{ not json }",
        '{"type":"x"} and more',
        '{"type":"x"',
        '{"type":1}',
        '{"type":null}',
        '{"type":["x"]}',
        '{"kind":"x"}',
        '["type"]',
        '"type"',
        '{"type":"x","n":NaN}',
        '{"type":"x","n":01}',
        '{"type":"x","s":"\t"}',
        '{"type":"x","s":"a\rb"}',
        '{"type":"x","s":"\0"}',
        "{'type':'x'}",
    ],
)
def test_any_other_line_is_a_message_with_its_text(line: str) -> None:
    assert told(b"stdout", line.encode()) == ("message", {"content": line})


def test_the_last_of_two_types_counts() -> None:
    assert event_of(b"stdout", b'{"type":"x","type":"done"}').name == "message"


def test_carriage_return_between_tokens_becomes_a_space() -> None:
    event = event_of(b"stdout", b'{"type":"x",\r"n":1}\r')
    assert (event.name, event.data) == ("x", '{"type":"x", "n":1} ')


def test_half_a_surrogate_pair_in_json_stays_as_it_was_printed() -> None:
    line = '{"type":"assistant","text":"cut \\ud83d"}'
    event = event_of(b"stdout", line.encode())
    assert (event.name, event.data) == ("assistant", line)


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_json_that_nests_too_deep_is_still_an_event(depth: int) -> None:
    line = b'{"type":"x","n":' + b"[" * depth + b"]" * depth + b"}"
    event = event_of(b"stdout", line)
    assert event.name in ("x", "message")


def test_depth_at_which_json_is_typed_depends_on_the_line_alone() -> None:
    def at_depth(frames: int, line: bytes) -> str:
        return at_depth(frames - 1, line) if frames else event_of(b"stdout", line).name

    frames = sys.getrecursionlimit() // 2
    for depth in range(50, 1_000, 50):
        line = b'{"type":"x","n":' + b"[" * depth + b"]" * depth + b"}"
        assert at_depth(0, line) == at_depth(frames, line)


def test_part_of_a_line_is_a_partial_message() -> None:
    assert told(b"stdout", b"Thinking about", b"P") == (
        "message",
        {"content": "Thinking about", "partial": True},
    )


def test_json_in_a_part_of_a_line_is_not_typed() -> None:
    line = b'{"type":"x"}'
    assert told(b"stdout", line, b"P") == ("message", {"content": line.decode(), "partial": True})
    assert told(b"stdout", line, is_continuation=True) == ("message", {"content": line.decode()})


def test_json_after_a_part_is_not_typed_and_the_next_line_is() -> None:
    line = b'{"type":"x"}'
    chunk = b"".join(
        [
            format_record(TIME_NS, b"stdout", b"> ", b"P"),
            format_record(TIME_NS, b"stderr", b"between"),
            format_record(TIME_NS, b"stdout", line),
            format_record(TIME_NS, b"stdout", line),
        ]
    )
    events = parse_events(chunk, 0, is_continuation=False)
    assert [event.name for event in events] == ["message", "stderr", "message", "x"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"a\rb", "a\rb"),
        (b"\0", "\0"),
        ("\u2028\u2029\u0085".encode(), "\u2028\u2029\u0085"),
        (b"\xff", "\ufffd"),
        (b"caf\xc3", "caf\ufffd"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        ("\U0001f600".encode(), "\U0001f600"),
        (b"\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
    ],
)
def test_text_is_the_agents_with_invalid_utf8_replaced(content: bytes, text: str) -> None:
    assert told(b"stdout", content) == ("message", {"content": text})
    assert told(b"stderr", content) == ("stderr", {"message": text})


def test_invalid_utf8_in_typed_json_is_replaced() -> None:
    event = event_of(b"stdout", b'{"type":"x","s":"\xff"}')
    assert (event.name, event.data) == ("x", '{"type":"x","s":"\ufffd"}')


# --- the other streams ----------------------------------------------------------------


@pytest.mark.parametrize("content", [b"warning", b"", b'{"type":"done"}'])
@pytest.mark.parametrize("tag", [b"F", b"P"])
def test_stderr_is_sent_as_it_is(content: bytes, tag: bytes) -> None:
    partial = {"partial": True} if tag == b"P" else {}
    assert told(b"stderr", content, tag) == ("stderr", {"message": content.decode(), **partial})


def test_stdin_is_sent_as_input() -> None:
    assert told(b"stdin", b'{"type":"x"}') == ("input", {"content": '{"type":"x"}'})


def test_session_says_who_it_is_and_nothing_that_is_only_ours() -> None:
    facts = {
        "sessionId": "s",
        "workflowId": "w",
        "stageIndex": 0,
        "agent": "demo",
        "pid": 7,
        "startedAt": "2026-11-23T21:04:00.123Z",
    }
    content = {"type": "session", **facts, "argv": ["demo", "--key=secret"], "runnerPid": 6}
    assert told(b"system", json.dumps(content).encode()) == ("session", facts)


def test_done_says_how_it_ended_and_nothing_else() -> None:
    content = b'{"type": "done", "exitCode": 3, "signal": null, "status": "failed", "error": "x"}'
    event = event_of(b"system", content)
    assert json.loads(event.data) == {"exitCode": 3, "signal": None, "status": "failed"}
    assert is_done(event)


def test_done_without_an_exit_code_says_null() -> None:
    assert told(b"system", b'{"type":"done","status":"lost"}') == (
        "done",
        {"exitCode": None, "signal": None, "status": "lost"},
    )


@pytest.mark.parametrize("kind", ["gap", "truncated", "terminating", "error", "new-in-1.1"])
def test_other_system_records_are_notices(kind: str) -> None:
    content = {"type": kind, "bytes": 7}
    assert told(b"system", json.dumps(content).encode()) == ("notice", content)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b'"type"', b"{}", b"\xff", b"null"])
def test_broken_system_record_failstice(content: bytes) -> None:
    assert told(b"system", content) == ("notice", {"type": "corrupt", "bytes": len(content)})


@pytest.mark.parametrize("line", [b"", b"no record", b"\x00" * 4096, b"\xff\r"])
def test_line_that_is_no_record_failstice(line: bytes) -> None:
    (event,) = parse_events(line + b"\n", 100, is_continuation=False)
    assert event == Event(
        101 + len(line), "", "", "notice", f'{{"type":"corrupt","bytes":{len(line)}}}'
    )


# --- all of them ----------------------------------------------------------------------


def test_event_knows_when_and_from_where() -> None:
    event = event_of(b"stderr", b"x")
    assert (event.time, event.stream) == (TIME, "stderr")


@given(random_logs.live_logs, st.integers(0, 10**12), st.booleans())
def test_every_line_is_one_event_whose_id_is_the_offset_after_it(
    log: bytes, offset: int, is_continuation: bool
) -> None:
    events = list(parse_events(log, offset, is_continuation=is_continuation))
    ends, end = [], offset
    for line in log.split(b"\n")[:-1]:
        end += len(line) + 1
        ends.append(end)
    assert [event.offset for event in events] == ends


@given(random_logs.live_logs)
def test_data_is_json_on_one_line(log: bytes) -> None:
    for event in parse_events(log, 0, is_continuation=False):
        json.loads(event.data)
        assert not {"\r", "\n"} & set(event.data + event.name)


@given(random_logs.live_logs)
def test_no_output_of_an_agent_becomes_an_event_of_the_server(log: bytes) -> None:
    for event in parse_events(log, 0, is_continuation=False):
        if event.stream == "stdout":
            assert event.name not in RESERVED_NAMES


numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=4), st.booleans())
def test_json_of_an_agent_arrives_as_it_was_printed(value: dict[str, Any], ascii_: bool) -> None:
    line = json.dumps(value | {"type": "x"}, ensure_ascii=ascii_)
    event = event_of(b"stdout", line.encode("utf-8", "replace"))
    assert event.name == "x"
    if ascii_:
        assert event.data == line
