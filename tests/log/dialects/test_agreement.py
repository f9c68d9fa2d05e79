"""Every line of every recording through all that reads events: they agree on what it is."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.log.dialects.recordings import RECORDINGS, dialect_of, lines_of, log_of
from tests.log.random_logs import open_file
from webapp.commands.exports.story import tell
from webapp.log.answer import read_answer
from webapp.log.dialects import DIALECTS
from webapp.log.dialects.lines import read_line
from webapp.log.dialects.plain import read_event
from webapp.log.dialects.translate import LOG_DIALECTS
from webapp.log.event_id import EventId
from webapp.log.events import Event, parse_events
from webapp.log.marks import Kind, find_after, find_before
from webapp.log.opened import OpenLog
from webapp.log.timeline import read_timeline
from webapp.log.usage import read_usage


@pytest.fixture(params=RECORDINGS)
def recording(request: pytest.FixtureRequest) -> str:
    """Each recording."""
    return str(request.param)


@pytest.fixture
def log(recording: str) -> Iterator[OpenLog]:
    """The log of a session that printed the recording."""
    with open_file(log_of(recording)) as opened:
        yield opened


def events_of(recording: str) -> list[Event]:
    """What viewers get of it, less what the server says."""
    translate = LOG_DIALECTS[dialect_of(recording)].translate
    events = parse_events(log_of(recording), 0, is_continuation=False, dialect=translate)
    return [event for event in events if event.stream == "stdout"]


def normalized(recording: str) -> list[dict[str, Any]]:
    """The normalized forms of these events, each with the time of its record."""
    found = []
    for event in events_of(recording):
        said = read_event(event.name, json.loads(event.data))
        assert said is not None, f"an event that is not normalized: {event}"
        assert said["type"] == event.name
        found.append(said)
    return found


def is_error(said: dict[str, Any]) -> bool:
    return said["type"] == "error" or said.get("ok") is False


def counts(said: list[dict[str, Any]]) -> tuple[int, int]:
    """How many tool calls there are, and how many errors."""
    calls = sum(event["type"] == "tool_call" for event in said)
    return calls, sum(map(is_error, said))


def test_runner_reads_the_events_that_viewers_get(recording: str) -> None:
    dialect = DIALECTS[dialect_of(recording)]
    read = [event for line in lines_of(recording) for event in read_line(line, dialect)]
    assert read == normalized(recording)


def test_timeline_counts_them(recording: str, log: OpenLog) -> None:
    for buckets in (1, 7):
        found = read_timeline(log, buckets).buckets
        counted = sum(one.tool_calls for one in found), sum(one.errors for one in found)
        assert counted == counts(normalized(recording))


@pytest.mark.parametrize("kind", ["tool_call", "error"])
def test_keys_and_moments_lead_to_each_of_them(recording: str, log: OpenLog, kind: Kind) -> None:
    pairs = zip(events_of(recording), normalized(recording), strict=True)
    expected = [
        event.id
        for event, said in pairs
        if (is_error(said) if kind == "error" else said["type"] == kind)
    ]
    forwards, backwards = [], []
    position = EventId(0)
    while (event := find_after(log, position, kind).event) is not None:
        forwards.append(position := event.id)
    position = EventId(log.size())
    while (event := find_before(log, position, kind).event) is not None:
        backwards.append(position := event.id)
    assert forwards == backwards[::-1] == expected


def test_exports_show_them(recording: str) -> None:
    shown = [piece.kind for piece in tell(events_of(recording))]
    calls, errors = counts(normalized(recording))
    assert shown.count("call") == calls
    assert shown.count("failure") + shown.count("error") == errors


def test_usage_is_that_of_its_events(recording: str, log: OpenLog) -> None:
    used = [said for said in normalized(recording) if said["type"] == "usage"]
    row = read_usage(log.read, log.size(), DIALECTS[dialect_of(recording)])
    if not used:
        assert row is None
        return
    assert row is not None
    costs = [each["costUsd"] for each in used if "costUsd" in each]
    are_of_steps = any("partial" in each for each in used)
    assert row["cost_usd"] == (None if not costs else sum(costs) if are_of_steps else costs[-1])
    counts = [each for each in used if set(each) - {"type", "costUsd"}]  # or it is a price alone
    assert row["output_tokens"] == sum(each["outputTokens"] for each in counts)
    assert row["input_tokens"] == sum(each["inputTokens"] for each in counts)


def test_answer_is_the_last_text_of_its_events(recording: str, log: OpenLog) -> None:
    says = [
        str(said.get("content", said.get("message")))
        for said in normalized(recording)
        if said["type"] in ("message", "error") and "role" not in said
    ]
    answer = read_answer(log.read, log.size(), DIALECTS[dialect_of(recording)])
    assert (answer or "").endswith(says[-1].strip() if says else "")
    assert (answer is None) == (not says)


def test_recordings_hold_each_kind_of_event() -> None:
    kinds = {said["type"] for name in RECORDINGS for said in normalized(name)}
    assert kinds == {
        *("message", "message_delta", "reasoning", "tool_call", "tool_result", "usage"),
        *("error", "system"),
    }
