"""Times as people give them to a command."""

import re
from datetime import UTC, datetime

import click

from webapp.log.record import format_time

_UNIT_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AMOUNT = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*(s|min|m|h|d|w)", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d\d(?:\.\d{1,9})?)", re.ASCII)


def as_since(_context: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    """For an option: a time, a day, or so long ago; as Unix milliseconds."""
    if text is None:
        return None
    ago = read_span(text)
    if ago is not None:
        return int((datetime.now(UTC).timestamp() - ago) * 1000)
    moment = read_moment(text)
    if moment is None:
        raise click.BadParameter(
            f"{text!r} is no time, expected one such as 24h (ago), 2026-11-23 or "
            "2026-11-23T21:04:00Z."
        )
    return int(moment.timestamp() * 1000)


def read_span(text: str) -> float | None:
    """`90s`, `5m`, `24h`, `7d`, `2w` in seconds; None for anything else."""
    found = _AMOUNT.fullmatch(text.strip())
    return None if found is None else float(found[1]) * _UNIT_SECONDS[found[2]]


def read_clock(text: str) -> float | None:
    """`1:30`, `1:02:03.5` or a span in seconds: so long after the beginning."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        return read_span(text)
    hours, minutes, seconds = found.groups()
    return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)


def read_moment(text: str) -> datetime | None:
    """A day or a time in ISO 8601, in UTC unless it names a zone; None for anything else."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def record_time(moment: datetime) -> bytes:
    """A moment as a record has it: 30 bytes."""
    whole = int(moment.replace(microsecond=0).timestamp())
    return format_time(whole * 1_000_000_000 + moment.microsecond * 1000)
