"""Which columns of a session's row make no sense: one that was edited by hand, or imported.

A damaged value is left out of all that is shown, and named there: it costs nobody a list.
"""

import json
from collections.abc import Callable

from webapp.store import ids
from webapp.store.models import Session
from webapp.store.values import MAX_WHOLE, is_time, is_whole

_MAX_EXIT_CODE = 1 << 31


def _is_size(value: object) -> bool:
    return is_whole(value, 0, MAX_WHOLE)


def _is_exit_code(value: object) -> bool:
    return is_whole(value, -_MAX_EXIT_CODE, _MAX_EXIT_CODE)


_CHECKS: dict[str, Callable[[object], bool]] = {
    "stage_index": _is_size,
    "pid": _is_size,
    "exit_code": _is_exit_code,
    "log_bytes": _is_size,
    "created_at": is_time,
    "started_at": is_time,
    "ended_at": is_time,
    "log_deleted_at": is_time,
}


def damaged_columns(session: Session) -> list[str]:
    """The names of the columns whose times and numbers cannot be true."""
    return [
        column
        for column, is_sound in _CHECKS.items()
        if (value := getattr(session, column)) is not None and not is_sound(value)
    ]


def read_command(session: Session) -> list[str] | None:
    """The command that it runs; None where the row does not hold one."""
    try:
        found = json.loads(session.argv)
    except (ValueError, RecursionError):
        return None
    is_command = isinstance(found, list) and all(isinstance(word, str) for word in found)
    return found if is_command else None


def creation_time(session: Session) -> str | None:
    """When it was made; by its id where the column is damaged."""
    if is_time(session.created_at):
        return session.created_at
    return ids.created_at(session.id) if ids.SESSION_ID.fullmatch(session.id) else None
