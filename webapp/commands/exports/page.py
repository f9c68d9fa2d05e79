"""One HTML file that needs nothing else: readable as it is, and played by its own script.

Its policy forbids all that is not in the file, by the hashes of its style and its script:
https://www.w3.org/TR/CSP3/#directive-script-src
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from webapp.commands.exports.story import Kind, Piece, clock_text, runs
from webapp.commands.figures import (
    STATUS_STYLES,
    byte_count,
    command_line,
    duration,
    outcome,
    seconds_between,
)
from webapp.store.models import Session
from webapp.visible import visible

MOST_LETTERS = 1 << 16
"""A longer run of output is cut into several blocks, so that a browser lays out what is seen."""
TOGETHER_MICROSECONDS = 20_000
"""What was printed within so short a time appears at once."""

_HERE = Path(__file__).parent
_TOKENS = _HERE.parent.parent / "static" / "css" / "tokens.css"
_TONES = {"cyan": "live", "green": "good", "red": "bad", "yellow": "warn"}
_LABELS: dict[Kind, str] = {
    "stdout": "stdout",
    "stderr": "stderr",
    "call": "tool call",
    "result": "result",
    "failure": "failed",
    "input": "input",
    "approval": "approval",
    "note": "note",
    "error": "error",
}


_ACTIONS: frozenset[Kind] = frozenset({"call", "result", "failure", "approval"})
"""Commands, paths and what came of them: nothing in them may hide what ran."""


class _Moment(NamedTuple):
    """What appears at once."""

    seconds: str
    text: str
    details: str | None


class _Block(NamedTuple):
    """What stands in one box."""

    kind: Kind
    label: str
    seconds: str
    clock: str
    moments: list[_Moment]


def write_html(session: Session, pieces: Iterable[Piece]) -> Iterator[str]:
    """The file, piece by piece; all text in it is escaped."""
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined
    )
    style = _TOKENS.read_text(encoding="utf-8") + _read("page.css")
    script = _read("page.js")
    return environment.get_template("page.html").generate(
        session=session,
        tone=_TONES.get(STATUS_STYLES[session.status], "live"),
        outcome=outcome(session),
        facts=_facts(session),
        blocks=(_block(run) for run in runs(pieces, MOST_LETTERS)),
        style=Markup(style),  # noqa: S704 - our own files
        script=Markup(script),  # noqa: S704
        policy=(
            f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
            "base-uri 'none'; form-action 'none'"
        ),
    )


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _facts(session: Session) -> list[tuple[str, str]]:
    facts = [
        ("session", session.id),
        ("workflow", f"{session.workflow_id}, stage {session.stage_index}"),
        ("command", command_line(session)),
        ("error", session.error or ""),
        ("started", session.started_at or ""),
        ("took", duration(seconds_between(session.started_at, session.ended_at))),
        ("log", byte_count(session.log_bytes)),
    ]
    return [(name, visible(value)) for name, value in facts if value]


def _block(run: list[Piece]) -> _Block:
    first = run[0]
    return _Block(
        kind=first.kind,
        label=_LABELS[first.kind],
        seconds=_seconds(first),
        clock=clock_text(first.microseconds),
        moments=list(_moments(run)),
    )


def _moments(run: list[Piece]) -> Iterator[_Moment]:
    is_output = run[0].kind in ("stdout", "stderr")
    if not is_output:
        for piece in run:
            text = visible(piece.text, keep="\n\t") if piece.kind in _ACTIONS else piece.text
            yield _Moment(_seconds(piece), text, _details(piece))
        return
    first, texts = run[0], [run[0].text]
    for piece in run[1:]:
        if piece.microseconds - first.microseconds >= TOGETHER_MICROSECONDS:
            yield _Moment(_seconds(first), "".join(texts), None)
            first, texts = piece, []
        texts.append(piece.text)
    yield _Moment(_seconds(first), "".join(texts), None)


def _details(piece: Piece) -> str | None:
    """All of an event whose line is cut short."""
    if piece.data is None or not piece.text.endswith("…"):
        return None
    return json.dumps(json.loads(piece.data), indent=2, ensure_ascii=True)


def _seconds(piece: Piece) -> str:
    return f"{piece.microseconds / 1_000_000:.3f}"
