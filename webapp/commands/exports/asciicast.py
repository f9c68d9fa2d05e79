"""asciicast, the format of terminal recordings.

v3: https://docs.asciinema.org/manual/asciicast/v3/ (asciinema 3 and its web player)
v2: https://docs.asciinema.org/manual/asciicast/v2/ (asciinema 2, which is the one on PyPI)
"""

import json
from collections.abc import Iterable, Iterator

from webapp.commands.exports.story import Clock, kind_of, whole_text
from webapp.commands.figures import command_line, exit_status
from webapp.commands.parts import Line, parts_of
from webapp.commands.transcript import Transcript
from webapp.log.events import Event
from webapp.store.damage import creation_time
from webapp.store.models import Session
from webapp.store.values import read_time

COLUMNS, ROWS = 100, 30
MAX_IDLE_SECONDS = 2
"""Players cut longer silences to this, unless told; the file keeps them."""
_TERMINAL = "xterm-256color"
_MARKED = {"call", "failure", "approval", "error"}


def write_v3(session: Session, events: Iterable[Event]) -> Iterator[str]:
    """The lines of a recording: `o` what was printed, `i` what was sent, `m` tool calls and
    failures, `x` how it ended. Times are those since the line before."""
    term = {"cols": COLUMNS, "rows": ROWS, "type": _TERMINAL}
    yield _line({"version": 3, "term": term} | _facts(session))
    last = 0
    for at, code, data in _events(events):
        yield f'[{_seconds(at - last)}, "{code}", {_json(data)}]\n'
        last = at


def write_v2(session: Session, events: Iterable[Event]) -> Iterator[str]:
    """The same in the older format, which has no exit status; times since the start."""
    size = {"width": COLUMNS, "height": ROWS}
    yield _line({"version": 2} | size | _facts(session) | {"env": {"TERM": _TERMINAL}})
    for at, code, data in _events(events):
        if code != "x":
            yield f'[{_seconds(at)}, "{code}", {_json(data)}]\n'


def _facts(session: Session) -> dict[str, object]:
    started_at = read_time(session.started_at) or read_time(creation_time(session))
    return {
        "timestamp": 0 if started_at is None else int(started_at.timestamp()),
        "idle_time_limit": MAX_IDLE_SECONDS,
        "command": command_line(session),
        "title": f"{session.agent} {session.id}",
    }


def _events(events: Iterable[Event]) -> Iterator[tuple[int, str, str]]:
    """Microseconds since the start, code, data."""
    transcript, clock = Transcript(colour=True, redraws=True), Clock()
    at = 0
    for event in events:
        at = clock.at(event.time)
        if event.name == "input":
            yield at, "i", f"{json.loads(event.data)['content']}\n"
        for part in parts_of(event):
            if isinstance(part, Line) and kind_of(part) in _MARKED:
                yield at, "m", part.text
            text = transcript.show_part(part)
            if text:
                yield at, "o", text.replace("\n", "\r\n")
        if event.name == "done":
            done = json.loads(event.data)
            status = exit_status(done["exitCode"], done["signal"])
            if status is not None:
                yield at, "x", str(status)
            return
    rest = transcript.end()
    if rest:
        yield at, "o", rest.replace("\n", "\r\n")


def _seconds(microseconds: int) -> str:
    return f"{microseconds // 1_000_000}.{microseconds % 1_000_000:06d}"


def _json(text: str) -> str:
    return json.dumps(whole_text(text))


def _line(value: object) -> str:
    return json.dumps(value) + "\n"
