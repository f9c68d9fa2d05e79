"""From a pipe's bytes to records."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webapp.log.line_state import may_be_json_object
from webapp.log.record import Record, parse_record
from webapp.log.redact import Redactor
from webapp.runner.pump import Pump, incomplete_utf8

CAP = 16
texts = st.binary(max_size=200) | st.text(st.sampled_from('aé€😀{"}\n\r\0'), max_size=80).map(
    str.encode
)


def parse(records: bytes) -> list[Record]:
    """The records of what the agent printed; every line must be a record."""
    assert records == b"" or records.endswith(b"\n")
    found = [parse_record(line) for line in records.split(b"\n")[:-1]]
    assert None not in found
    return [record for record in found if record is not None and record.stream != b"system"]


def content(records: bytes) -> bytes:
    """The bytes that the records stand for."""
    return b"".join(
        record.content + (b"" if record.partial else b"\n") for record in parse(records)
    )


def shown(records: bytes) -> list[tuple[str, bytes]]:
    """Tag and content of each record."""
    return [("P" if record.partial else "F", record.content) for record in parse(records)]


def feed(*pieces: bytes, cap: int = CAP) -> tuple[Pump, bytes]:
    """A pump that was fed with these, and all that it gave back."""
    pump = Pump(b"stdout", cap)
    return pump, b"".join(pump.feed(piece, 1) for piece in pieces)


# --- lines ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pieces", "records"),
    [
        ([b"one\n"], [("F", b"one")]),
        ([b"one\ntwo\n"], [("F", b"one"), ("F", b"two")]),
        ([b"\n"], [("F", b"")]),
        ([b"\n\n"], [("F", b""), ("F", b"")]),
        ([b"on", b"e\ntw", b"o\n"], [("F", b"one"), ("F", b"two")]),
        ([b"one"], []),
        ([b"one", b"\n"], [("F", b"one")]),
        ([b"a\rb\r\n"], [("F", b"a\rb\r")]),
        ([b"\0\xff\n"], [("F", b"\0\xff")]),
    ],
)
def test_each_line_is_one_record(pieces: list[bytes], records: list[tuple[str, bytes]]) -> None:
    assert shown(feed(*pieces)[1]) == records


def test_record_names_its_stream() -> None:
    (record,) = parse(Pump(b"stderr", CAP).feed(b"x\n", 1))
    assert record.stream == b"stderr"


@given(texts, st.lists(st.integers(0, 30), max_size=40), st.integers(1, 40), st.booleans())
@example(b"x" * 100, [], 16, False)
@example("€".encode() * 20, [1, 1, 1, 1, 1], 4, True)
def test_pieces_of_any_size_give_the_same_content(
    output: bytes, sizes: list[int], cap: int, is_quiet: bool
) -> None:
    pump, records, rest = Pump(b"stdout", cap), b"", output
    for size in [*sizes, len(output)]:
        records += pump.feed(rest[:size], 1) if rest[:size] else b""
        rest = rest[size:]
        if is_quiet and pump.is_showable:
            records += pump.show_pending(1)
    records += pump.finish(1)
    expected = output + (b"\n" if pump.ended_without_newline else b"")
    assert content(records) == expected


@given(texts, st.integers(1, 40))
def test_no_record_is_longer_than_the_cap(output: bytes, cap: int) -> None:
    pump, records = feed(output, cap=cap)
    records += pump.finish(1)
    assert all(len(record.content) <= cap for record in parse(records))


@given(texts, st.lists(st.integers(1, 30), max_size=40))
def test_pump_holds_at_most_one_line_within_the_cap(output: bytes, sizes: list[int]) -> None:
    pump = Pump(b"stdout", CAP)
    for size in sizes:
        piece, output = output[:size], output[size:]
        pump.feed(piece, 1)
        assert len(pump.pending) <= CAP
        assert b"\n" not in pump.pending


# --- long lines -----------------------------------------------------------------------


def test_line_as_long_as_the_cap_is_whole() -> None:
    assert shown(feed(b"x" * CAP + b"\n")[1]) == [("F", b"x" * CAP)]


def test_line_over_the_cap_is_cut_into_parts() -> None:
    assert shown(feed(b"x" * (2 * CAP + 1) + b"\n")[1]) == [
        ("P", b"x" * CAP),
        ("P", b"x" * CAP),
        ("F", b"x"),
    ]


def test_short_lines_round_a_long_one_stay_whole() -> None:
    assert shown(feed(b"a\n" + b"x" * (CAP + 1) + b"\nb\n")[1]) == [
        ("F", b"a"),
        ("P", b"x" * CAP),
        ("F", b"x"),
        ("F", b"b"),
    ]


def test_long_json_is_cut_at_the_cap_as_well() -> None:
    assert shown(feed(b'{"a":"' + b"x" * CAP)[1]) == [("P", b'{"a":"' + b"x" * 10)]


@given(st.text(min_size=6, max_size=60), st.integers(4, 20))
def test_long_line_is_cut_between_characters(text: str, cap: int) -> None:
    line = text.replace("\n", "").encode()
    _pump, records = feed(line + b"\n", cap=cap)
    for record in parse(records):
        record.content.decode()


def test_cap_smaller_than_a_character_cuts_through_it() -> None:
    assert content(feed("😀\n".encode(), cap=1)[1]) == "😀\n".encode()


# --- silence --------------------------------------------------------------------------


def test_quiet_prompt_is_shown_as_a_part_and_then_goes_on() -> None:
    pump, _records = feed(b"Name? ")
    assert pump.is_showable
    assert shown(pump.show_pending(1)) == [("P", b"Name? ")]
    assert not pump.is_showable
    assert shown(pump.feed(b"Ada\n", 1)) == [("F", b"Ada")]


def test_line_that_ends_after_it_was_shown_is_ended_by_an_empty_record() -> None:
    pump, _records = feed(b"Name? ")
    pump.show_pending(1)
    assert shown(pump.feed(b"\n", 1)) == [("F", b"")]


@pytest.mark.parametrize("line", [b"{", b"{ ", b'{"type"', b'{ \t"a":1', b"{}", b'{\r"a"'])
def test_line_that_may_become_a_json_object_is_kept_whole(line: bytes) -> None:
    assert may_be_json_object(line)
    assert not feed(line)[0].is_showable


@pytest.mark.parametrize("line", [b"{x", b"{ 1", b"{{", b"{[", b"[", b" {", b"x{", b"{'"])
def test_line_that_is_no_json_object_is_shown(line: bytes) -> None:
    assert not may_be_json_object(line)
    assert feed(line)[0].is_showable


def test_brace_after_a_part_is_shown() -> None:
    pump, _records = feed(b"> ")
    pump.show_pending(1)
    pump.feed(b'{"a"', 1)
    assert pump.is_showable


def test_next_line_after_a_part_is_kept_whole_again() -> None:
    pump, _records = feed(b"> ")
    pump.show_pending(1)
    pump.feed(b'x\n{"a"', 1)
    assert not pump.is_showable


def test_character_that_is_not_whole_yet_is_not_shown() -> None:
    pump, _records = feed("né".encode()[:-1])
    assert shown(pump.show_pending(1)) == [("P", b"n")]
    assert not pump.is_showable
    assert shown(pump.feed("é\n".encode()[1:], 1)) == [("F", "é".encode())]


@pytest.mark.parametrize(
    ("data", "back"),
    [
        (b"", 0),
        (b"abc", 0),
        ("é".encode(), 0),
        ("é".encode()[:1], 1),
        ("€".encode()[:1], 1),
        ("€".encode()[:2], 2),
        ("😀".encode()[:1], 1),
        ("😀".encode()[:2], 2),
        ("😀".encode()[:3], 3),
        ("😀".encode(), 0),
        (b"a\x80", 0),
        (b"\x80\x80\x80\x80", 0),
        (b"\xc0", 0),
        (b"\xf5", 0),
        (b"\xff", 0),
    ],
)
def test_incomplete_character_is_counted_in_bytes(data: bytes, back: int) -> None:
    assert incomplete_utf8(data) == back


# --- time -----------------------------------------------------------------------------


@pytest.mark.parametrize("between_ms", [1, 20, 49, 51, 300])
def test_tokens_are_shown_within_a_tenth_of_a_second_by_at_most_20_records_a_second(
    between_ms: int,
) -> None:
    pump = Pump(b"stdout", 1 << 20, Redactor([b"wordless-secret"], keys=True))
    expected, records, printed_at, shown_at = b"", b"", {}, []
    for now_ms in range(3200):
        if now_ms % between_ms == 0 and now_ms < 3000:
            expected += b"word%d " % now_ms
            printed_at[len(expected)] = now_ms
            records += pump.feed(b"word%d " % now_ms, 1)
            pump.schedule(now_ms / 1000)
        if pump.show_at is not None and now_ms / 1000 >= pump.show_at:
            record = pump.show(now_ms / 1000, 1)
            records += record
            shown_at += [now_ms] if record else []
        size = len(content(records))
        assert all(size >= end for end, at in printed_at.items() if at < now_ms - 100)
    assert content(records) == expected
    assert all(later - sooner >= 50 for sooner, later in itertools.pairwise(shown_at))


def test_lines_that_come_fast_are_not_cut() -> None:
    pump, records = Pump(b"stdout", 1 << 20), b""
    printed = b"a line\n" * 1000
    for now_ms, at in enumerate(range(-3, len(printed), 7)):
        records += pump.feed(printed[max(0, at) : at + 7], 1)
        pump.schedule(now_ms / 1000)
        if pump.show_at is not None and now_ms / 1000 >= pump.show_at:
            records += pump.show(now_ms / 1000, 1)
    assert shown(records) == [("F", b"a line")] * 1000


# --- the end --------------------------------------------------------------------------


def test_last_line_without_a_newline_is_a_line_that_is_marked() -> None:
    pump, _records = feed(b"one\ntwo")
    assert shown(pump.finish(1)) == [("F", b"two")]
    assert pump.ended_without_newline


def test_output_that_ends_with_a_newline_leaves_nothing() -> None:
    pump, _records = feed(b"one\n")
    assert pump.finish(1) == b""
    assert not pump.ended_without_newline
