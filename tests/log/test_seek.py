"""Finding a place by a number of events or by a time, against a full parse."""

from unittest import mock

from hypothesis import example, given
from hypothesis import strategies as st

from tests.log import random_logs
from tests.log.random_logs import open_file
from webapp.log import reader, seek
from webapp.log.record import format_record, format_time, parse_record

FIRST, SECOND = format_record(1, b"stdout", b"one"), format_record(2, b"stderr", b"")

torn_tails = st.sampled_from([b"", b"2026", SECOND[:-5], b"\xff"])
small_steps = st.integers(1, 400)


def boundaries(log: bytes) -> list[int]:
    """All of them, the first one 0."""
    return [0] + [at + 1 for at in range(len(log)) if log[at : at + 1] == b"\n"]


def time_of(log: bytes, start: int) -> bytes | None:
    """The time of the record that begins there; None for a corrupt line or at the end."""
    record = parse_record(log[start:].partition(b"\n")[0])
    return record.time.encode() if record is not None else None


@given(random_logs.live_logs, torn_tails, st.integers(0, 30), small_steps)
@example(b"", b"2026", 3, 1)
@example(FIRST * 3 + SECOND, b"", 0, 7)
def test_last_events_are_those_of_a_full_parse(
    log: bytes, tail: bytes, count: int, step: int
) -> None:
    with (
        open_file(log + tail) as opened,
        mock.patch.object(seek, "_STEP_BYTES", step),
        mock.patch.object(reader, "_LOOK_BACK_BYTES", step),
    ):
        found = seek.find_last(opened, count)
    assert found == boundaries(log)[-(count + 1) :][0]


@given(random_logs.live_logs, st.integers(0, 30), small_steps, st.data())
def test_last_events_before_a_boundary_are_those_of_a_full_parse(
    log: bytes, count: int, step: int, data: st.DataObject
) -> None:
    before = boundaries(log)
    end = data.draw(st.sampled_from(before))
    with open_file(log) as opened, mock.patch.object(seek, "_STEP_BYTES", step):
        found = seek.find_last(opened, count, end)
    assert found == [at for at in before if at <= end][-(count + 1) :][0]


@given(random_logs.live_logs, st.integers(1, 30), st.integers(1, 2000), small_steps)
def test_last_events_are_fewer_where_they_are_long_but_never_none(
    log: bytes, count: int, max_bytes: int, step: int
) -> None:
    with open_file(log) as opened, mock.patch.object(seek, "_STEP_BYTES", step):
        found = seek.find_last(opened, count, len(log), max_bytes)
    starts = boundaries(log)[-(count + 1) :]
    fitting = [at for at in starts[:-1] if len(log) - at <= max_bytes]
    assert found == min(fitting, default=starts[-2] if len(starts) > 1 else 0)


@given(random_logs.live_logs, torn_tails, st.integers(0, 30), random_logs.times, small_steps)
def test_time_is_found_as_a_full_parse_finds_it(
    log: bytes, tail: bytes, skipped: int, wanted_ns: int, step: int
) -> None:
    lines = [line + b"\n" for line in log.split(b"\n")[:-1]]
    stamps = sorted(filter(None, (time_of(line, 0) for line in lines)))
    in_order, next_stamp = [], iter(stamps)
    for line in lines:  # the same records, with a clock that never steps back
        in_order.append(next(next_stamp) + line[30:] if time_of(line, 0) else line)
    log = b"".join(in_order)
    wanted = [*stamps, format_time(wanted_ns)][skipped % (len(stamps) + 1)]

    with open_file(log + tail) as opened, mock.patch.object(reader, "_LOOK_BACK_BYTES", step):
        found = seek.find_time(opened, wanted)

    starts = boundaries(log)
    assert found in starts
    stamped = [(at, time_of(log, at)) for at in starts]
    assert all(stamp < wanted for at, stamp in stamped if stamp and at < found)
    assert all(stamp >= wanted for at, stamp in stamped if stamp and at >= found)


@given(random_logs.live_logs, torn_tails, random_logs.times, small_steps)
def test_time_is_a_boundary_even_where_the_clock_stepped_back(
    log: bytes, tail: bytes, wanted_ns: int, step: int
) -> None:
    with open_file(log + tail) as opened, mock.patch.object(reader, "_LOOK_BACK_BYTES", step):
        assert seek.find_time(opened, format_time(wanted_ns)) in boundaries(log)
