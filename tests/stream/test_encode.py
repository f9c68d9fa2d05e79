"""The short ways of encoding runs of records: the same bytes as event by event."""

from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.log import random_logs
from tests.log.dialects.recordings import RECORDINGS, dialect_of, log_of
from webapp.log.dialects.translate import LOG_DIALECTS, Translate
from webapp.log.events import is_done, parse_events
from webapp.log.reader import goes_on_after
from webapp.log.record import format_record
from webapp.stream import encode, sse
from webapp.stream.encode import encode_dialect, encode_records

GOES_ON_AS_JSON = (
    format_record(1, b"stdout", b'{"type":"x"}')
    + format_record(1, b"stdout", b"> ", b"P")
    + format_record(1, b"stdout", b'{"type":"x"}')
)
LONG_WITH_CR = format_record(1, b"stdout", b'{"type":"x",\r"s":"' + b"x" * 300 + b'"}')


LINES_THAT_COULD_JOIN = [
    b'{"type":"a"}',
    b'{"type":"a","x":{}',
    b'{"type":"a","x":[{}',
    b'{"type":"a","x":"}',
    b'{"type":"b"}{"type":"c"}',
    b'{"type":"b"} {"type":"c"}',
    b'{"y":1}}{"type":"c"}',
    b'{"type":"a","x":',
    b'{"y":1}}',
    b'{"y":1}]}',
    b'{"y":"}',
    b"{}",
    b'{"type":1}',
    b'{"type":"done"}',
    b'{"type":"a b"}',
    b'{"type":"a"} ',
    b'{"type":"a"}\t',
    b'{"type":"a","type":"b"}',
    b'{"type":"\\u0061"}',
    b'{"type":"a","x":"\\ud800"}',
    b'{"type":"a","x":NaN}',
    b'{"type":"a","x":"\x01"}',
    b'{"type":"a","x":"' + b"y" * 300 + b'"}',
    b'{"type":"a","x":' + b"[" * 120 + b"]" * 120 + b"}",
    b'{"type":"a","x":' + b"[" * 130 + b"]" * 130 + b"}",
    b"{",
    b"}",
    b"",
]


@given(
    random_logs.clean_logs | random_logs.live_logs,
    st.just(b"") | random_logs.done_records,
    st.integers(0, 10**12),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "session-1-a/", "100%d"]),
)
@example(GOES_ON_AS_JSON, b"", 0, False, False, "")
@example(GOES_ON_AS_JSON, b"", 0, True, False, "")
@example(LONG_WITH_CR, b"", 0, False, False, "")
def test_short_way_of_encoding_says_the_same_as_the_long_one(
    log: bytes, done: bytes, offset: int, goes_on: bool, as_envelope: bool, prefix: str
) -> None:
    events = list(parse_events(log + done, offset, is_continuation=goes_on))
    encode = sse.encode_envelope if as_envelope else sse.encode_event
    encoded = encode_records(
        log + done, offset, goes_on=goes_on, as_envelope=as_envelope, id_prefix=prefix
    )
    assert encoded.frames == b"".join(encode(event, prefix) for event in events)
    assert encoded.is_done == any(map(is_done, events))
    assert encoded.goes_on == goes_on_after(log, goes_on)


@given(
    random_logs.live_logs,
    random_logs.dialects.filter(lambda dialect: dialect is not None),
    st.booleans(),
    st.booleans(),
    st.data(),
)
def test_dialect_is_encoded_event_by_event_from_any_of_them(
    log: bytes, dialect: Translate, goes_on: bool, as_envelope: bool, data: st.DataObject
) -> None:
    events = list(parse_events(log, 7, is_continuation=goes_on, dialect=dialect))
    of_first = sum(event.seen > 0 and event.offset == 7 for event in events)
    seen = data.draw(st.integers(0, of_first))
    encode = sse.encode_envelope if as_envelope else sse.encode_event
    encoded = encode_dialect(
        log, 7, dialect, goes_on=goes_on, seen=seen, as_envelope=as_envelope, id_prefix="s/"
    )
    assert encoded.frames == b"".join(encode(event, "s/") for event in events[seen:])
    assert (encoded.is_done, encoded.events) == (False, len(events) - seen)
    assert encoded.goes_on == goes_on_after(log, goes_on)


@pytest.mark.parametrize("recording", RECORDINGS)
@pytest.mark.parametrize("prefix", ["", "100%d/"])
def test_recordings_are_encoded_event_by_event(recording: str, prefix: str) -> None:
    log = log_of(recording)
    dialect = LOG_DIALECTS[dialect_of(recording)].translate
    assert dialect is not None
    events = list(parse_events(log, 0, is_continuation=False, dialect=dialect))
    encoded = encode_dialect(log, 0, dialect, goes_on=False, id_prefix=prefix)
    assert encoded.frames == b"".join(sse.encode_event(event, prefix) for event in events)
    assert (encoded.is_done, encoded.events) == (True, len(events))


@given(st.lists(st.sampled_from(LINES_THAT_COULD_JOIN), max_size=6), st.booleans())
def test_lines_are_never_taken_for_parts_of_one_another(lines: list[bytes], goes_on: bool) -> None:
    log = b"".join(format_record(1, b"stdout", line) for line in lines)
    events = parse_events(log, 7, is_continuation=goes_on)
    whole = b"".join(map(sse.encode_event, events))
    assert encode_records(log, 7, goes_on=goes_on).frames == whole


FULL_LINES = st.builds(
    format_record,
    random_logs.times,
    st.sampled_from([b"stdout", b"stdout", b"stdout", b"stderr"]),
    st.sampled_from(
        [
            b'{"type":"a","x":1}',
            b'{"type":"done"}',
            b"text",
            b"",
            b'"quoted" \\ \x00 \x7f',
            b' {"type":"a"}',
        ]
    ),
)


@given(
    st.lists(FULL_LINES, min_size=1, max_size=30).map(b"".join),
    st.just(b"") | random_logs.output_records | random_logs.notices | random_logs.corrupt_lines,
    st.integers(0, 40),
    st.sampled_from(["", "session-1-a/", "100%d"]),
)
def test_full_lines_of_any_kind_are_encoded_at_once_as_one_by_one(
    lines: bytes, odd: bytes, at: int, prefix: str
) -> None:
    records = [line + b"\n" for line in lines.split(b"\n")[:-1]]
    log = b"".join([*records[:at], odd, *records[at:]])
    whole = b"".join(
        sse.encode_event(event, prefix) for event in parse_events(log, 7, is_continuation=False)
    )
    with mock.patch.object(encode, "_MANY_LINES", 1):
        assert encode_records(log, 7, goes_on=False, id_prefix=prefix).frames == whole


@given(st.lists(st.sampled_from([b"{", b"}", b"[", b"]", b'"', b",", b":", b'"type":"a"', b" "])))
def test_any_scraps_of_json_are_encoded_line_by_line(scraps: list[bytes]) -> None:
    lines = [b"{" + scrap + b"}" for scrap in scraps]
    log = b"".join(format_record(1, b"stdout", line) for line in lines)
    whole = b"".join(map(sse.encode_event, parse_events(log, 0, is_continuation=False)))
    assert encode_records(log, 0, goes_on=False).frames == whole
