"""What was printed over time: exact for a short log, near it for a long one."""

from unittest import mock

from hypothesis import example, given
from hypothesis import strategies as st

from tests.log import random_logs
from tests.log.random_logs import open_file
from webapp.log import timeline
from webapp.log.record import PARTIAL, format_record, is_time
from webapp.log.timeline import Timeline, read_timeline

SECOND_NS = 1_000_000_000


def timeline_of(log: bytes, count: int, read_bytes: int = timeline.READ_BYTES) -> Timeline:
    with open_file(log) as opened, mock.patch.object(timeline, "READ_BYTES", read_bytes):
        return read_timeline(opened, count)


def record(second: float, stream: bytes, content: bytes = b"x") -> bytes:
    return format_record(int(second * SECOND_NS), stream, content)


CALL = b'{"type":"tool_call","name":"f"}'
FAILED = b'{"type":"tool_result","ok":false}'


def test_each_kind_of_output_is_in_its_slice_of_time() -> None:
    first = record(0, b"stdout") + record(1, b"stdout", CALL)
    second = record(5, b"stderr") + record(6, b"stdout", FAILED)
    log = first + second + record(10, b"stdin") + record(10, b"system", b'{"type":"gap"}')
    found = timeline_of(log, 2)
    assert (found.start[17:20], found.end[17:20]) == ("00.", "10.")
    assert (found.size, found.is_sampled) == (len(log), False)
    one, two = found.buckets
    assert (one.offset, one.stdout, one.stderr, one.tool_calls, one.errors) == (
        0,
        len(first),
        0,
        1,
        0,
    )
    assert (two.offset, two.stderr, two.errors) == (len(first), len(record(5, b"stderr")), 2)
    assert two.time[17:20] == "05."


def test_log_without_a_record_has_no_timeline() -> None:
    for log in (b"", b"half a rec", b"no record\n"):
        assert timeline_of(log, 3).buckets == []


def test_one_moment_is_a_timeline_too() -> None:
    found = timeline_of(record(3, b"stdout") * 4, 5)
    assert sum(bucket.stdout for bucket in found.buckets) == 4 * len(record(3, b"stdout"))
    assert found.start == found.end


@given(random_logs.live_logs, st.integers(1, 12))
@example(b"no record\n" + record(1, b"stdout"), 3)
def test_slices_hold_all_that_was_printed(log: bytes, count: int) -> None:
    found = timeline_of(log, count)
    lines = [line for line in log.split(b"\n")[:-1] if is_time(line[:30])]
    for stream in ("stdout", "stderr"):
        sizes = [len(line) + 1 for line in lines if line[30:38] == b" %b " % stream.encode()]
        assert sum(getattr(bucket, stream) for bucket in found.buckets) == sum(sizes)
    offsets = [bucket.offset for bucket in found.buckets]
    assert offsets == sorted(offsets)


def test_long_log_is_sampled_in_each_slice_of_time() -> None:
    quiet = b"".join(record(second, b"stdout", b"tick") for second in range(50))
    burst = b"".join(record(50 + n / 10_000, b"stderr", b"flood") for n in range(9_000))
    late = b"".join(record(51 + n, b"stdout", CALL) for n in range(49))
    log = quiet + burst + late
    found = timeline_of(log, 10, read_bytes=20_000)
    exact = timeline_of(log, 10)
    assert found.is_sampled
    for near, true in zip(found.buckets, exact.buckets, strict=True):
        assert near.offset == true.offset
        assert abs(near.stderr - true.stderr) < 0.02 * len(burst)
        assert near == true or near.stderr > 0  # what is short enough is read whole


def test_rest_of_a_cut_line_is_no_event_in_the_slice_that_it_begins() -> None:
    cut = format_record(4 * SECOND_NS, b"stdout", b"I think of ", PARTIAL)
    flood = record(10, b"stderr", b"x" * 1_000_000) * 5
    found = timeline_of(record(0, b"stdout") + cut + record(5, b"stdout", CALL) + flood, 2)
    assert found.is_sampled
    assert [bucket.tool_calls for bucket in found.buckets] == [0, 0]


def test_others_have_their_turn_meanwhile() -> None:
    turns: list[None] = []
    with open_file(record(1, b"stdout") * 9_000) as opened:
        read_timeline(opened, 4, lambda: turns.append(None))
        with mock.patch.object(timeline, "READ_BYTES", 1000):
            read_timeline(opened, 4, lambda: turns.append(None))
    assert len(turns) == 5 + 4
