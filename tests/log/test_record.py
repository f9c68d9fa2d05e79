"""The grammar of a record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.log import random_logs
from webapp.log.record import (
    STREAMS,
    TIME_BYTES,
    format_record,
    format_time,
    parse_record,
    parse_time,
    prefix,
)

TIME = b"2026-11-23T21:04:00.123456789Z"
TIME_NS = 1_795_467_840_123_456_789


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (0, b"1970-01-01T00:00:00.000000000Z"),
        (1, b"1970-01-01T00:00:00.000000001Z"),
        (999_999_999, b"1970-01-01T00:00:00.999999999Z"),
        (TIME_NS, TIME),
        (1_709_164_800_000_000_000, b"2024-02-29T00:00:00.000000000Z"),
        (-30_641_760_000_000_000_000, b"0999-01-01T00:00:00.000000000Z"),
        (-1, b"1969-12-31T23:59:59.999999999Z"),
        (4_102_444_799_999_999_999, b"2099-12-31T23:59:59.999999999Z"),
    ],
)
def test_time_has_nine_decimals_and_is_utc(time_ns: int, text: bytes) -> None:
    assert format_time(time_ns) == text
    assert parse_time(text.decode()) == time_ns


@given(random_logs.times, random_logs.times)
def test_time_is_right_whatever_was_formatted_before(earlier: int, time_ns: int) -> None:
    format_time(earlier)
    text = format_time(time_ns)
    assert len(text) == TIME_BYTES
    assert parse_time(text.decode()) == time_ns


def test_record_is_time_stream_tag_and_content() -> None:
    assert format_record(TIME_NS, b"stdout", b"hi there") == TIME + b" stdout F hi there\n"
    assert format_record(TIME_NS, b"stderr", b"", b"P") == TIME + b" stderr P \n"


def test_prefix_is_all_that_is_before_the_content() -> None:
    assert prefix(TIME_NS, b"stdout", b"P") + b"x\n" == format_record(
        TIME_NS, b"stdout", b"x", b"P"
    )


@given(
    random_logs.times,
    st.sampled_from(STREAMS),
    random_logs.contents,
    st.sampled_from([b"F", b"P"]),
)
def test_parse_gives_back_what_was_formatted(
    time_ns: int, stream: bytes, content: bytes, tag: bytes
) -> None:
    line = format_record(time_ns, stream, content, tag)
    assert line.count(b"\n") == 1
    record = parse_record(line[:-1])
    assert record is not None
    assert parse_time(record.time) == time_ns
    assert (record.stream, record.partial, record.content) == (stream, tag == b"P", content)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello",
        TIME,
        TIME + b" stdout F",
        TIME + b" stdout  content",
        TIME + b" stdin2 F content",
        TIME + b" STDOUT F content",
        TIME + b" stdout X content",
        TIME + b" stdout FP content",
        b" " + TIME + b" stdout F content",
        TIME[:-1] + b" stdout F content",
        TIME[:-1] + b"z stdout F content",
        TIME.replace(b"T", b" ", 1) + b" stdout F content",
        b"2026-11-23T21:04:00.12345678Z stdout F content",
        b"2026-11-23T21:04:00.1234567890Z stdout F content",
        b"2026-11-23T21:04:00,123456789Z stdout F content",
        "\uff12026-11-23T21:04:00.123456789Z stdout F content".encode(),
        b"\x00" * 60,
    ],
)
def test_other_lines_are_no_records(line: bytes) -> None:
    assert parse_record(line) is None


@given(st.binary(max_size=80))
def test_parse_takes_any_bytes(line: bytes) -> None:
    parse_record(line)


def test_time_of_an_impossible_date_is_refused() -> None:
    with pytest.raises(ValueError, match="2026-13-41"):
        parse_time("2026-13-41T21:04:00.123456789Z")
