"""What a value must be to be kept in a row and shown, whoever wrote the row or the record."""

import re
from datetime import UTC, datetime

from webapp.visible import visible

MAX_NAME_LETTERS = 200
MAX_WHOLE = (1 << 53) - 1
"""Beyond it a number changes on its way through JavaScript."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1970, 2999


def read_time(value: object) -> datetime | None:
    """A time as the rows have it, `2026-11-23T21:04:00.123Z`; None for anything else."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.astimezone(UTC) if _FIRST_YEAR <= moment.year <= _LAST_YEAR else None


def is_time(value: object) -> bool:
    """Whether `read_time` reads it."""
    return read_time(value) is not None


def is_text(value: object, max_bytes: int) -> bool:
    """A text that UTF-8 and SQLite can hold."""
    if not isinstance(value, str) or len(value) > max_bytes or "\0" in value:
        return False
    try:
        return len(value.encode()) <= max_bytes
    except UnicodeEncodeError:
        return False


def is_name(value: object) -> bool:
    """A short text on one line, without characters that hide something."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= MAX_NAME_LETTERS
        and visible(value) == value
        and len(value.splitlines()) == 1
    )


def is_whole(value: object, minimum: int, maximum: int) -> bool:
    """An integer of a range."""
    return isinstance(value, int) and not isinstance(value, bool) and minimum <= value <= maximum
