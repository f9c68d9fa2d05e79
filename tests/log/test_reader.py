"""Reading a log from any offset."""

import os
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.log import random_logs
from tests.log.random_logs import DONE, open_file
from webapp.log import reader
from webapp.log.opened import OpenLog, PlainLog
from webapp.log.reader import Start
from webapp.log.record import format_record, parse_record

FIRST = format_record(1, b"stdout", b"one")
SECOND = format_record(2, b"stderr", b"")
LAST = format_record(3, b"system", DONE)
TORN = LAST[:-9]
LIVE_LOG = FIRST + SECOND
DONE_LOG = FIRST + SECOND + LAST
BIG = format_record(4, b"stdout", b"x" * 300_000)
BIG_PART = format_record(4, b"stdout", b"x" * 300_000, b"P")

torn_tails = st.sampled_from([b"", b"2026", TORN, b"\xff"])
small_steps = st.integers(1, 400)


def read_all(opened: OpenLog, step: int) -> list[bytes]:
    """A log, read from its beginning in steps."""
    chunks, offset = [], 0
    while chunk := reader.read_records(opened, offset, step):
        chunks.append(chunk)
        offset += len(chunk)
    return chunks


@given(random_logs.live_logs, torn_tails, small_steps)
def test_steps_of_any_size_give_the_same_whole_records(log: bytes, tail: bytes, step: int) -> None:
    with open_file(log + tail) as opened:
        chunks = read_all(opened, step)
    assert b"".join(chunks) == log
    assert all(chunk.endswith(b"\n") for chunk in chunks)


def test_record_longer_than_the_limit_is_read_whole() -> None:
    with open_file(BIG + FIRST) as opened:
        assert reader.read_records(opened, 0, 1000)[: len(BIG)] == BIG


def test_step_is_bounded_where_records_are_short() -> None:
    with open_file(FIRST * 10_000) as opened:
        assert 0 < len(reader.read_records(opened, 0, 4096)) <= 4096


def test_nothing_is_read_at_the_end_or_past_it() -> None:
    with open_file(LIVE_LOG) as opened:
        assert reader.read_records(opened, len(LIVE_LOG)) == b""
        assert reader.read_records(opened, len(LIVE_LOG) + 5) == b""


# --- where a viewer starts ------------------------------------------------------------


@pytest.mark.parametrize("log", [b"", LIVE_LOG, DONE_LOG, LIVE_LOG + TORN, LIVE_LOG + b"2"])
def test_boundary_starts_there_without_a_gap(log: bytes) -> None:
    boundaries = [0] + [at + 1 for at in range(len(log)) if log[at : at + 1] == b"\n"]
    with open_file(log) as opened:
        for boundary in boundaries:
            assert reader.find_start(opened, boundary) == Start(boundary, is_gap=False)


@pytest.mark.parametrize("asked", [None, -1, -(10**30)])
def test_garbage_starts_at_the_beginning_with_a_gap(asked: int | None) -> None:
    with open_file(DONE_LOG) as opened:
        assert reader.find_start(opened, asked) == Start(0, is_gap=True)


def test_offset_inside_a_record_starts_after_it_with_a_gap() -> None:
    with open_file(LIVE_LOG) as opened:
        for asked in range(1, len(FIRST)):
            assert reader.find_start(opened, asked) == Start(len(FIRST), is_gap=True)
        for asked in range(len(FIRST) + 1, len(LIVE_LOG)):
            assert reader.find_start(opened, asked) == Start(len(LIVE_LOG), is_gap=True)


@pytest.mark.parametrize("beyond", [1, 2, 1000, 10**18, 2**63, 10**30])
@pytest.mark.parametrize("tail", [b"", b"2026", TORN])
def test_offset_past_the_end_of_a_live_log_starts_at_its_end(beyond: int, tail: bytes) -> None:
    with open_file(LIVE_LOG + tail) as opened:
        asked = len(LIVE_LOG + tail) + beyond
        assert reader.find_start(opened, asked) == Start(len(LIVE_LOG), is_gap=True)


def test_offset_inside_a_torn_record_starts_where_that_begins() -> None:
    with open_file(LIVE_LOG + TORN) as opened:
        for asked in range(len(LIVE_LOG) + 1, len(LIVE_LOG + TORN) + 1):
            assert reader.find_start(opened, asked) == Start(len(LIVE_LOG), is_gap=True)


def test_offset_inside_or_past_the_done_starts_just_before_it() -> None:
    with open_file(DONE_LOG) as opened:
        for asked in [*range(len(LIVE_LOG) + 1, len(DONE_LOG)), len(DONE_LOG) + 1, 10**18]:
            assert reader.find_start(opened, asked) == Start(len(LIVE_LOG), is_gap=True)


@given(
    random_logs.live_logs,
    torn_tails,
    st.integers(-3, 3000) | st.none(),
    st.integers(1, 400),
)
def test_start_is_a_boundary_at_or_after_what_was_asked(
    log: bytes, tail: bytes, asked: int | None, look_back: int
) -> None:
    with open_file(log + tail) as opened, mock.patch.object(reader, "_LOOK_BACK_BYTES", look_back):
        start = reader.find_start(opened, asked)
    boundaries = [0] + [at + 1 for at in range(len(log)) if log[at : at + 1] == b"\n"]
    wanted = asked if asked is not None and asked >= 0 else 0
    assert start.offset == min((b for b in boundaries if b >= wanted), default=boundaries[-1])
    assert start.is_gap == (asked is None or asked not in boundaries)


# --- the state that goes with an offset -----------------------------------------------


def continuation_after(log: bytes) -> bool:
    """The same question, answered by reading everything."""
    state = False
    for line in log.split(b"\n")[:-1]:
        record = parse_record(line)
        if record is not None and record.stream == b"stdout":
            state = record.partial
    return state


@given(random_logs.live_logs, st.integers(1, 400), st.data())
@example(BIG_PART + SECOND * 3, 64 * 1024, None)
@example(BIG_PART + format_record(1, b"stderr", b"y" * 200_000) + SECOND, 64 * 1024, None)
@example(FIRST + BIG + format_record(1, b"stderr", b"y" * 200_000), 64 * 1024, None)
@example(BIG_PART + SECOND * 3000, 64 * 1024, None)
def test_continuation_is_what_a_full_parse_knows(
    log: bytes, look_back: int, data: st.DataObject | None
) -> None:
    boundaries = [0] + [at + 1 for at in range(len(log)) if log[at : at + 1] == b"\n"]
    offset = boundaries[-1] if data is None else data.draw(st.sampled_from(boundaries))
    with open_file(log) as opened, mock.patch.object(reader, "_LOOK_BACK_BYTES", look_back):
        assert reader.line_state(opened, offset) == continuation_after(log[:offset])


# --- the end --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("log", "is_complete"),
    [
        (b"", False),
        (LIVE_LOG, False),
        (DONE_LOG, True),
        (LAST, True),
        (DONE_LOG[:-1], False),
        (DONE_LOG + FIRST, False),
        (DONE_LOG + b"2", False),
        (FIRST + format_record(1, b"system", DONE.replace(b":", b": ")), True),
        (FIRST + format_record(1, b"stdout", LAST[:-1]), False),
        (FIRST + format_record(1, b"stdout", DONE), False),
        (BIG + LAST, True),
        (LAST + BIG, False),
    ],
)
def test_log_is_complete_if_its_last_record_is_the_done(log: bytes, is_complete: bool) -> None:
    with open_file(log) as opened:
        assert reader.is_complete(opened) is is_complete


@given(random_logs.live_logs, torn_tails, st.integers(1, 400))
def test_end_is_after_the_last_whole_record(log: bytes, tail: bytes, look_back: int) -> None:
    with open_file(log + tail) as opened, mock.patch.object(reader, "_LOOK_BACK_BYTES", look_back):
        assert reader.find_end(opened, len(log + tail)) == len(log)
        assert (
            reader.last_line_start(opened, len(log))
            == log.rfind(b"\n", 0, max(len(log) - 1, 0)) + 1
        )


def test_records_that_come_later_are_read_from_the_same_descriptor(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    path.write_bytes(FIRST + SECOND[:7])
    opened = PlainLog(os.open(path, os.O_RDONLY))
    try:
        assert reader.read_records(opened, 0) == FIRST
        with path.open("ab") as writer:
            writer.write(SECOND[7:])
        assert reader.read_records(opened, len(FIRST)) == SECOND
    finally:
        opened.close()
