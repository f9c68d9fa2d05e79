"""What the tests of the dialects share: a log of one line, and what it says."""

import json
from typing import Any

from webapp.log.dialects.translate import LOG_DIALECTS
from webapp.log.events import Event, parse_events
from webapp.log.record import format_record


def events_of(dialect: str, line: object) -> list[Event]:
    """The events of one line of stdout: text, or an object as JSON."""
    text = line if isinstance(line, str) else json.dumps(line)
    record = format_record(1, b"stdout", text.encode("utf-8", "surrogatepass"))
    return list(
        parse_events(record, 0, is_continuation=False, dialect=LOG_DIALECTS[dialect].translate)
    )


def told(dialect: str, line: object) -> list[dict[str, Any]]:
    """The data of its events; each says itself what it is called."""
    events = events_of(dialect, line)
    data = [json.loads(event.data) for event in events]
    assert [event.name for event in events] == [each["type"] for each in data]
    return data
