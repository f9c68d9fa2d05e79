"""What a viewer may ask of a stream: `?offset=`, `?tail=`, `?from=`, `?speed=`, `?format=` …

`Last-Event-ID` says where a viewer is, so it counts before any of them that says where to
begin: a reconnect of the same request goes on, whatever the request says.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from msgspec import Meta

from webapp.errors import BadRequest
from webapp.http.inputs import Input, convert_args
from webapp.log import event_id
from webapp.log.event_id import BEGINNING, EventId
from webapp.log.record import format_time
from webapp.stream.view import Pace

FormatName = Literal["envelope", "raw"]
DEFAULT_MAX_GAP_SECONDS = 2.0
_BEGINNINGS = ("offset", "tail", "from")

_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|z|[+-]\d\d:\d\d)", re.ASCII
)


class ViewArgs(Input):
    """What a stream may be asked for, but for `offset` and `from`, which may be any text."""

    format: FormatName | None = None
    tail: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    speed: Annotated[float, Meta(ge=0.01, le=1000)] | None = None
    """A slower replay would hold its connection for months."""
    max_gap: Annotated[float, Meta(ge=0, le=86_400)] | None = None


@dataclass(frozen=True)
class Beginning:
    """Where a stream begins: after an event, so many events before the end, or at a time."""

    after: EventId | None = BEGINNING
    """None for an id that makes no sense."""
    last_events: int | None = None
    time: bytes | None = None


def beginning(args: Mapping[str, str], last_event_id: str | None) -> Beginning:
    """Where the viewer wants to begin; at most one of `offset`, `tail` and `from`. BadRequest.

    Only an offset may be garbage: it is what a client echoes, and never fails its request.
    """
    if last_event_id is not None:
        return Beginning(read_id(last_event_id))
    given = [name for name in _BEGINNINGS if name in args]
    if len(given) > 1:
        raise BadRequest(
            f"{' and '.join(given)} say where to begin, expected one of them.", field=given[1]
        )
    last_events = convert_args(args, ViewArgs).tail
    if last_events is not None:
        return Beginning(last_events=last_events)
    start = args.get("from")
    if start is None or (start.isascii() and start.isdigit()):
        return Beginning(read_id(args.get("offset") if start is None else start))
    return Beginning(time=read_time(start, "from"))


def read_id(text: str | None) -> EventId | None:
    """An event's id as a client sent it; none sent: the beginning; None for garbage."""
    return BEGINNING if text is None or text == "" else event_id.read_id(text)


def is_time(text: str) -> bool:
    """Whether a text is meant as a time: anything else is an offset, or garbage for one."""
    return "T" in text.upper()


def read_time(text: str, field: str, *, plus_ns: int = 0) -> bytes:
    """A time as a log has it: 30 bytes; so many nanoseconds later. BadRequest.

    https://datatracker.ietf.org/doc/html/rfc3339#section-5.6, with up to nine decimals
    """
    expected = BadRequest(
        f"{field} is {text[:80]!r}, expected an offset, or a time such as "
        "2026-11-23T21:04:00.5Z (RFC 3339).",
        field=field,
    )
    # In a query string a plus that was not escaped stands for a space.
    found = _RFC_3339.fullmatch(text.replace(" ", "+"))
    if found is None:
        raise expected
    day, second, fraction, zone = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{second}{zone.upper()}").astimezone(UTC)
        whole = int(moment.timestamp())
    except (ValueError, OverflowError):
        raise expected from None
    return format_time(whole * 1_000_000_000 + int((fraction or "0").ljust(9, "0")) + plus_ns)


def pace(given: ViewArgs) -> Pace | None:
    """`?speed=` and `?maxGap=`; None without a speed. BadRequest."""
    if given.speed is None:
        if given.max_gap is not None:
            raise BadRequest("maxGap is for a timed replay; give speed as well.", field="maxGap")
        return None
    return Pace(given.speed, DEFAULT_MAX_GAP_SECONDS if given.max_gap is None else given.max_gap)
