"""What a viewer may ask of a stream, table by table."""

import pytest

from webapp.errors import BadRequest
from webapp.http import view_options
from webapp.http.inputs import convert_args
from webapp.http.view_options import Beginning, ViewArgs
from webapp.log.event_id import BEGINNING, EventId
from webapp.stream.view import Pace


def view_args(args: dict[str, str]) -> ViewArgs:
    """What a query string asks for."""
    return convert_args(args, ViewArgs)


# --- where to begin -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "beginning"),
    [
        ({}, Beginning(BEGINNING)),
        ({"offset": ""}, Beginning(BEGINNING)),
        ({"offset": "0"}, Beginning(BEGINNING)),
        ({"offset": "42"}, Beginning(EventId(42))),
        ({"offset": "x"}, Beginning(None)),
        ({"offset": "-1"}, Beginning(None)),
        ({"offset": "42.3"}, Beginning(EventId(42, 3))),
        ({"offset": "1.5e3"}, Beginning(None)),
        ({"offset": "١٢"}, Beginning(None)),
        ({"offset": "9" * 5000}, Beginning(EventId(10**19 - 1))),
        ({"tail": "0"}, Beginning(last_events=0)),
        ({"tail": "10"}, Beginning(last_events=10)),
        ({"tail": "1000000"}, Beginning(last_events=1_000_000)),
        ({"from": "0"}, Beginning(BEGINNING)),
        ({"from": "42"}, Beginning(EventId(42))),
    ],
)
def test_beginning_is_an_offset_or_a_number_of_events(
    args: dict[str, str], beginning: Beginning
) -> None:
    assert view_options.beginning(args, None) == beginning


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-23T21:04:00Z", b"2026-11-23T21:04:00.000000000Z"),
        ("2026-11-23t21:04:00z", b"2026-11-23T21:04:00.000000000Z"),
        ("2026-11-23T21:04:00.5Z", b"2026-11-23T21:04:00.500000000Z"),
        ("2026-11-23T21:04:00.123456789Z", b"2026-11-23T21:04:00.123456789Z"),
        ("2026-11-23T22:04:00+01:00", b"2026-11-23T21:04:00.000000000Z"),
        ("2026-11-23T22:04:00 01:00", b"2026-11-23T21:04:00.000000000Z"),
        ("2026-11-23T19:34:00.25-01:30", b"2026-11-23T21:04:00.250000000Z"),
        ("2024-02-29T00:00:00Z", b"2024-02-29T00:00:00.000000000Z"),
        ("1969-12-31T23:59:59.5Z", b"1969-12-31T23:59:59.500000000Z"),
    ],
)
def test_beginning_is_a_time(text: str, time: bytes) -> None:
    assert view_options.beginning({"from": text}, None) == Beginning(time=time)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "-1",
        "yesterday",
        "2026-11-23",
        "21:04:00",
        "2026-11-23T21:04Z",
        "2026-11-23T21:04:00",
        "2026-11-23T21:04:00.Z",
        "2026-11-23T21:04:00.1234567890Z",
        "2026-11-23T21:04:00,5Z",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-11-23T25:00:00Z",
        "2026-11-23T21:04:00+25:00",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "\uff12026-11-23T21:04:00Z",
        "9" * 5000 + "x",
    ],
    ids=lambda text: text[:40],
)
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadRequest, match="RFC 3339") as raised:
        view_options.beginning({"from": text}, None)
    assert raised.value.field == "from"
    assert len(raised.value.message) < 300


@pytest.mark.parametrize("tail", ["", "x", "-1", "1.5", "1000001", "9" * 5000])
def test_bad_tail_is_refused(tail: str) -> None:
    with pytest.raises(BadRequest, match="1000000") as raised:
        view_options.beginning({"tail": tail}, None)
    assert raised.value.field == "tail"


@pytest.mark.parametrize(
    "args",
    [
        {"offset": "1", "tail": "1"},
        {"tail": "1", "from": "1"},
        {"offset": "1", "from": "1"},
        {"offset": "1", "tail": "1", "from": "1"},
    ],
)
def test_two_beginnings_are_refused(args: dict[str, str]) -> None:
    with pytest.raises(BadRequest, match="one of them"):
        view_options.beginning(args, None)


@pytest.mark.parametrize(
    "args",
    [{}, {"offset": "7"}, {"tail": "3"}, {"from": "2026-11-23T21:04:00Z"}, {"tail": "x"}],
)
@pytest.mark.parametrize(
    ("last_id", "after"),
    [("42", EventId(42)), ("42.1", EventId(42, 1)), ("", BEGINNING), ("x", None)],
)
def test_last_event_id_counts_before_all_of_them(
    args: dict[str, str], last_id: str, after: EventId | None
) -> None:
    assert view_options.beginning(args, last_id) == Beginning(after)


# --- how fast -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "pace"),
    [
        ({}, None),
        ({"speed": "1"}, Pace(1.0, 2.0)),
        ({"speed": "0.5"}, Pace(0.5, 2.0)),
        ({"speed": "1000"}, Pace(1000.0, 2.0)),
        ({"speed": "0.01"}, Pace(0.01, 2.0)),
        ({"speed": "1e2", "maxGap": "0"}, Pace(100.0, 0.0)),
        ({"speed": "1", "maxGap": "0.25"}, Pace(1.0, 0.25)),
        ({"speed": "1", "maxGap": "86400"}, Pace(1.0, 86_400.0)),
    ],
)
def test_pace_is_speed_and_the_longest_gap(args: dict[str, str], pace: Pace | None) -> None:
    assert view_options.pace(view_args(args)) == pace


@pytest.mark.parametrize(
    "value", ["", "x", "-1", "1001", "inf", "nan", "-0.1", "1e999", "1_0", " 1", "٣", "1" * 40]
)
def test_bad_speed_is_refused(value: str) -> None:
    with pytest.raises(BadRequest, match="1000") as raised:
        view_options.pace(view_args({"speed": value}))
    assert raised.value.field == "speed"


@pytest.mark.parametrize("value", ["0", "0.0", ".0", "0e5", "0.0099", "1e-9"])
def test_speed_that_holds_a_connection_for_months_is_refused(value: str) -> None:
    with pytest.raises(BadRequest, match=r"from 0\.01 to 1000"):
        view_options.pace(view_args({"speed": value}))


@pytest.mark.parametrize("value", ["", "x", "-1", "86401", "inf", "nan"])
def test_bad_gap_is_refused(value: str) -> None:
    with pytest.raises(BadRequest, match="86400") as raised:
        view_options.pace(view_args({"speed": "1", "maxGap": value}))
    assert raised.value.field == "maxGap"


def test_gap_without_a_speed_is_refused() -> None:
    with pytest.raises(BadRequest, match="speed") as raised:
        view_options.pace(view_args({"maxGap": "1"}))
    assert raised.value.field == "maxGap"


# --- in which form --------------------------------------------------------------------


def test_envelope_and_raw_are_formats() -> None:
    assert view_args({"format": "envelope"}).format == "envelope"
    assert view_args({"format": "raw"}).format == "raw"
    assert view_args({}).format is None


@pytest.mark.parametrize("value", ["", "xml", "Envelope", "json"])
def test_other_formats_are_refused_with_those_that_there_are(value: str) -> None:
    with pytest.raises(BadRequest, match="envelope or raw"):
        view_args({"format": value})
