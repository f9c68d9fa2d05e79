"""What of a log can be searched for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.log import random_logs
from webapp.log.json_line import MAX_NESTING
from webapp.log.record import format_record
from webapp.search.texts import CHUNK_LETTERS, chunks, passages


def line(content: bytes, stream: bytes = b"stdout", tag: bytes = b"F") -> bytes:
    """A record."""
    return format_record(1_790_000_000_000_000_000, stream, content, tag)


def texts(*records: bytes) -> list[str]:
    """The texts of some records."""
    return [passage.text for passage in passages(b"".join(records), 0)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"plain words", "plain words"),
        (b'{"type":"message","content":"two\\nlines"}', "two\nlines"),
        (b'{"type":"x","n":1,"deep":[{"a":"b"},["c"]],"uuid":"1-2"}', "x\nb\nc"),
        (b'{"type":"broken', '{"type":"broken'),
        (b"[1] no object", "[1] no object"),
        (b"\x1b[31mred\x1b[0m \x1b]0;title\x07text", "red text"),
        (b"bytes \xff", "bytes \ufffd"),
        (b"blob " + b"Ab1+" * 60, "blob  "),
        (b"", ""),
    ],
)
def test_text_is_what_people_would_look_for(content: bytes, expected: str) -> None:
    assert texts(line(content)) == [expected]


@pytest.mark.parametrize(("opening", "closing"), [(b'{"a":', b"}"), (b'{"a":[', b"]}")])
def test_what_is_nested_too_deep_is_left_out(opening: bytes, closing: bytes) -> None:
    def nested(depth: int) -> bytes:
        return opening * depth + b'{"a":"deep"}' + closing * depth

    assert texts(line(nested(MAX_NESTING // 3))) == ["deep"]
    assert texts(line(nested(MAX_NESTING + 1))) == [""]


def test_line_in_pieces_is_one_passage() -> None:
    found = list(passages(line(b"half a wo", tag=b"P") + line(b"rd") + line(b"next"), 100))
    assert [passage.text for passage in found] == ["half a word", "next"]
    assert found[0].start == 100
    assert found[1].start == found[0].stop


def test_own_records_are_left_out_and_input_and_errors_are_not() -> None:
    records = (line(b'{"type":"done"}', b"system"), line(b"oops", b"stderr"), line(b"hi", b"stdin"))
    assert texts(*records) == ["oops", "hi"]


def test_what_was_said_and_asked_in_a_conversation_is_found() -> None:
    records = (
        b'{"type":"user_message","id":"m-1","content":"Fix it","by":"ada","state":"sent"}',
        b'{"type":"user_message_state","id":"m-1","state":"taken"}',
        b'{"type":"approval","id":"s.1","title":"rm a","input":{"command":"rm a"},"options":[]}',
        b'{"type":"approval_resolved","id":"s.1","outcome":"denied","by":"ada","message":"No."}',
        b'{"type":"state","state":"working"}',
        b'{"type":"user_message"',
        b'{"type":"user_message"}',
    )
    found = texts(*(line(record, b"system") for record in records))
    assert found == ["Fix it", "rm a\nrm a", "denied\nada\nNo."]


def test_json_that_nests_too_deep_costs_nothing() -> None:
    deep = b'{"a":' + b"[" * 2000 + b'"x"' + b"]" * 2000 + b"}"
    assert texts(line(deep)) is not None


@given(random_logs.live_logs, st.integers(0, 1000))
def test_chunks_follow_each_other_and_hold_every_passage(log: bytes, offset: int) -> None:
    found = list(chunks(log, offset, is_end=True))
    expected = [passage.text for passage in passages(log, offset)]
    assert "\n".join(chunk.text for chunk in found) == "\n".join(expected)
    position = offset
    for chunk in found:
        assert position == chunk.start < chunk.stop
        assert log[chunk.stop - offset - 1 : chunk.stop - offset] == b"\n"
        position = chunk.stop
    if found:
        assert position == offset + len(log)


def test_chunk_is_cut_when_it_is_full_and_the_rest_waits() -> None:
    log = line(json.dumps({"type": "message", "content": "word " * 200}).encode()) * 30
    whole = list(chunks(log, 0, is_end=True))
    assert all(CHUNK_LETTERS <= len(chunk.text) < 2 * CHUNK_LETTERS for chunk in whole[:-1])
    assert list(chunks(log, 0, is_end=False)) == whole[:-1]
