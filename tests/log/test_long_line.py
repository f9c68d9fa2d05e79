"""Lines of JSON that hold pictures and files, short ones and ones that are longer than a record."""

import base64
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.log.random_logs import open_file
from webapp.log import reader
from webapp.log.answer import read_answer
from webapp.log.dialects.translate import read_dialect
from webapp.log.event_id import EventId
from webapp.log.events import Event, parse_events
from webapp.log.long_line import LongLine, stand_in
from webapp.log.media import media_in, without_media
from webapp.log.media_bytes import find_media, read_media
from webapp.log.output import read_output
from webapp.log.pages import page_after, page_before
from webapp.log.record import MAX_LINE_BYTES, format_record
from webapp.runner.pump import Pump
from webapp.search.texts import passages
from webapp.stream.encode import encode_dialect
from webapp.stream.sse import encode_event

PNG = b"\x89PNG\r\n\x1a\n" + random.Random(1).randbytes(450_000)
NOISE = random.Random(2).randbytes(700)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def result(*blocks: object) -> dict[str, object]:
    return {"type": "tool_result", "id": "1", "content": list(blocks)}


def picture(data: bytes) -> dict[str, object]:
    return {"type": "image", "data": b64(data), "mimeType": "image/png"}


def log_of(*lines: bytes, piece: int = 64 * 1024) -> bytes:
    """What the runner makes of lines that an agent prints."""
    pump, printed = Pump(b"stdout", MAX_LINE_BYTES), b"".join(one + b"\n" for one in lines)
    records = [pump.feed(printed[at : at + piece], 1) for at in range(0, len(printed), piece)]
    return b"".join([*records, pump.finish(1)])


def events(log: bytes, start: int = 0, *, as_printed: bool = False) -> list[Event]:
    with open_file(log) as opened:
        state = reader.line_state(opened, start)
    found = parse_events(log[start:], start, is_continuation=state, as_printed=as_printed)
    return list(found)


def references(value: object) -> list[dict[str, object]]:
    if isinstance(value, dict):
        if "mediaType" in value:
            return [value]
        return [found for member in value.values() for found in references(member)]
    if isinstance(value, list):
        return [found for member in value for found in references(member)]
    return []


def fetch(log: bytes, reference: dict[str, object]) -> bytes:
    """The bytes that a reference stands for."""
    offset, number = str(reference["url"]).removeprefix("media/").split(".")
    with open_file(log) as opened:
        found = find_media(opened, int(offset), int(number))
        assert found is not None
        assert (found.media.media_type, found.media.size) == (
            reference["mediaType"],
            reference["bytes"],
        )
        return b"".join(read_media(opened, found))


# --- what is binary content -------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        (picture(PNG[:1000]), ["image/png"]),
        (
            {"type": "base64", "media_type": "text/html", "data": b64(NOISE)},
            ["application/octet-stream"],
        ),
        ({"url": f"data:image/svg+xml;base64,{b64(NOISE)}"}, ["application/octet-stream"]),
        ({"type": "base64", "data": b64(b"\xff\xd8\xff" + NOISE)}, ["image/jpeg"]),
        ({"file": {"base64": b64(b"%PDF-1.7" + NOISE)}}, ["application/pdf"]),
        ({"a": "base64", "b": b64(b"GIF89a" + NOISE)}, ["image/gif"]),
        ({"a": "base64", "b": b64(b"RIFF1234WEBP" + NOISE)}, ["image/webp"]),
        ({"a": "base64", "hash": NOISE.hex()}, []),
        ({"a": "base64", "text": "word " * 400}, []),
        (picture(PNG[:100]), []),
        ({"type": "base64", "data": b64(NOISE) + "-"}, []),
        ({"type": "base64", "data": "x" * 513}, []),
    ],
)
def test_binary_content_is_found_by_its_bytes_or_its_key(value: object, kinds: list[str]) -> None:
    text = line(value)
    assert [media.media_type for media in media_in(text)] == kinds
    slim = without_media(text, 77)
    assert [found["mediaType"] for found in references(json.loads(slim))] == kinds
    assert (slim == text) == (not kinds)


def test_base64_is_read_as_json_may_write_it() -> None:
    text = b'{"data":"%b"}' % base64.encodebytes(PNG[:2000]).replace(b"\n", rb"\n").replace(
        b"/", rb"\/"
    )
    log = format_record(1, b"stdout", b'{"type":"x","encoding":"base64","a":' + text + b"}")
    (event,) = events(log)
    (found,) = references(json.loads(event.data))
    assert fetch(log, found) == PNG[:2000]


# --- lines ------------------------------------------------------------------------------

SHOT = line(result(picture(PNG[:30_000]), {"type": "text", "text": "a é"}, picture(PNG[5:9000])))
LONG_SHOT = line(result(picture(PNG), {"type": "text", "text": "a é"}, picture(PNG[:-1])))


@pytest.mark.parametrize("shot", [SHOT, LONG_SHOT])
def test_line_with_pictures_is_one_event_with_references(shot: bytes) -> None:
    log = log_of(b"before", shot, b"after")
    *_, event, after = events(log)
    assert (event.name, event.stream, after.data) == (
        "tool_result",
        "stdout",
        '{"content":"after"}',
    )
    assert len(event.data) < 1000
    data, sent = json.loads(event.data), json.loads(shot)
    found = references(data)
    expected = [base64.b64decode(block["data"]) for block in sent["content"] if "data" in block]
    assert [fetch(log, reference) for reference in found] == expected
    for block, was in zip(data["content"], sent["content"], strict=True):
        assert {**block, "data": 0} == {**was, "data": 0}
    with open_file(log) as opened:
        assert (
            b"".join(read_output(opened, "stdout", len(log))) == b"before\n" + shot + b"\nafter\n"
        )


def test_line_longer_than_a_record_is_read_from_any_offset_with_the_same_ids() -> None:
    log = log_of(b"before", LONG_SHOT, b"after", LONG_SHOT)
    whole = events(log)
    assert [event.name for event in whole].count("tool_result") == 2
    assert b"iVBOR" not in "".join(event.data for event in whole).encode()
    for at, event in enumerate(whole):
        assert events(log, event.offset) == whole[at + 1 :]
    with open_file(log) as opened:
        for at in range(len(whole) + 1):
            asked = whole[at - 1].id if at else EventId(0)
            assert page_after(opened, asked, 100).events == whole[at:]
            assert page_before(opened, asked, 100).events == whole[:at] or at == 0


def test_parts_of_a_long_line_are_shown_by_their_size_and_are_text_in_raw() -> None:
    log = log_of(LONG_SHOT)
    *parts, _event = events(log)
    assert [json.loads(part.data)["type"] for part in parts] == ["part"] * 2
    *parts, notice = events(log, as_printed=True)
    assert "".join(json.loads(part.data)["content"] for part in parts) == LONG_SHOT.decode()
    assert (notice.name, json.loads(notice.data)["type"]) == ("notice", "long_line")


def test_long_text_is_cut_and_what_is_no_json_is_shown_as_its_beginning() -> None:
    text = 'é\\"\n' * 500_000
    *_, event = events(log_of(line({"type": "tool_result", "id": "1", "result": text})))
    assert event.name == "tool_result"
    shown, omitted = json.loads(event.data)["result"].split(" … ")
    assert text.startswith(shown.rstrip("\\"))
    assert len(shown) > 20_000
    assert "more bytes are in the log" in omitted
    *_, event = events(log_of(b'{"type":"x","rest":' + b"1," * 700_000))
    assert event.name == "message"
    assert json.loads(event.data)["content"].startswith('{"type":"x","rest":1,1,')
    assert len(event.data) < 100_000


PIECES = {
    "short": b64(PNG[:600]),
    "long": b64(PNG),
    "key": '"data":"',
    "backslash": "\\",
    "quote": '"',
    "escaped": '\\"',
    "umlaut": "é",
    "text": "x" * 70_000,
    "number": "1," * 150_000,
}


@settings(max_examples=30)
@given(
    st.lists(st.sampled_from(list(PIECES)), max_size=12),
    st.lists(st.integers(1, 200_000), min_size=1, max_size=5),
)
def test_what_replaces_a_line_does_not_depend_on_its_pieces(
    names: list[str], sizes: list[int]
) -> None:
    text = ('{"' + "".join(PIECES[name] for name in names)).encode()
    whole, pieces = LongLine(1 << 30), LongLine(1 << 30)
    whole.feed(text)
    at = 0
    while at < len(text):
        size = max(sizes[at % len(sizes)], len(text) // 100)
        pieces.feed(text[at : at + size])
        at += size
    assert pieces.finish() == whole.finish()
    assert [(one.start, one.stop) for one in pieces.media] == [
        (one.start, one.stop) for one in whole.media
    ]


def test_line_over_the_setting_is_no_event_of_its_own() -> None:
    pump = Pump(b"stdout", 1000, max_event_bytes=100_000)
    records = pump.feed(line(result(picture(PNG))) + b"\n", 1)
    record = records.splitlines()[-1]
    shown = stand_in(record[40:])
    assert shown is not None
    assert b"more bytes are in the log" in shown
    assert len(shown) < 70_000


# --- an agent's own format ----------------------------------------------------------------


def screenshot(size: int) -> bytes:
    """What Claude Code prints that reads a screenshot: its base64 is in the line twice."""
    shot = b64(PNG[:size])
    source = {"type": "base64", "media_type": "image/png", "data": shot}
    answer = {"type": "tool_result", "tool_use_id": "t1"}
    return line(
        {
            "type": "user",
            "message": {
                "role": "user",
                "content": [answer | {"content": [{"type": "image", "source": source}]}],
            },
            "tool_use_result": {"type": "image", "file": {"base64": shot, "type": "image/png"}},
        }
    )


@pytest.mark.parametrize("size", [len(PNG), 1000])
def test_screenshot_that_claude_reads_is_the_result_of_its_call(size: int) -> None:
    call = {"type": "tool_use", "id": "t1", "name": "Read", "input": {"file_path": "shot.png"}}
    said = {"type": "text", "text": "The button is red."}
    log = format_record(1, b"system", b'{"type":"session","dialect":"claude"}') + log_of(
        line({"type": "assistant", "message": {"content": [call]}}),
        screenshot(size),
        line({"type": "assistant", "message": {"content": [said]}}),
    )
    with open_file(log) as opened:
        dialect = read_dialect(opened)
        found = page_after(opened, EventId(0), 100, dialect.translate).events
        assert read_answer(opened.read, len(log), dialect.dialect) == "The button is red."
    assert dialect.translate is not None
    result = next(json.loads(event.data) for event in found if event.name == "tool_result")
    (reference,) = result.pop("media")
    assert result == {"type": "tool_result", "id": "t1", "ok": True, "result": "[image]"}
    assert fetch(log, reference) == PNG[:size]
    encoded = encode_dialect(log, 0, dialect.translate, goes_on=0)
    assert encoded.frames == b"".join(map(encode_event, found))
    for texts in ([event.data for event in found], [one.text for one in passages(log, 0)]):
        assert "iVBOR" not in "".join(texts)
        assert "tool_use_id" not in "".join(texts)  # no part is taken for text
        assert "The button is red." in "".join(texts)
