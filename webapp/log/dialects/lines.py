"""A line of stdout as normalized events, by the standard library alone: for the runner.

Viewers get the same events from `translate`, faster.
"""

import json

from webapp.log.dialects.normalized import Dialect, Normalized
from webapp.log.dialects.plain import read_event

_UNKNOWN: Normalized = {"type": ""}


def read_line(line: bytes, dialect: Dialect) -> list[Normalized]:
    """What a whole line says; an event that is not normalized has an empty `type`."""
    text = line.decode("utf-8", "replace")
    found = _decode(text) if line.startswith(b"{") else None
    events = dialect.normalize(found) if isinstance(found, dict) else []
    if not events:
        if not isinstance(found, dict) or not isinstance(found.get("type"), str):
            return [{"type": "output", "content": text}]
        events = [found]
    return [read_event(str(event["type"]), event) or _UNKNOWN for event in events]


def _decode(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
