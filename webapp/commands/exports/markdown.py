"""Markdown, for an issue or a review. What the agent printed stands in fences, so that none of
it is taken for Markdown or HTML: https://spec.commonmark.org/0.31.2/#fenced-code-blocks"""

import json
import re
from collections.abc import Iterable, Iterator

from webapp.commands.exports.story import Kind, Piece, clock_text, runs
from webapp.commands.figures import byte_count, command_line, duration, outcome, seconds_between
from webapp.commands.terminal import one_line
from webapp.store.models import Session

MOST_LETTERS = 1 << 18
"""A longer run of output is cut into several blocks."""
_LONGEST_CELL = 400
_FENCES = re.compile(r"^[ \t]*(`{3,})", re.MULTILINE)
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&])")
_LABELS: dict[Kind, str] = {
    "call": "Tool call",
    "result": "Result",
    "failure": "Failed",
    "input": "Input",
    "approval": "Approval",
    "note": "",
    "error": "Error",
}


def write_markdown(session: Session, pieces: Iterable[Piece]) -> Iterator[str]:
    """The document, piece by piece: a table of facts, then the session in its order."""
    yield f"# {_text(session.agent)}: {_text(session.status)}\n\n"
    yield "| | |\n|---|---|\n"
    for name, value in _facts(session):
        yield f"| {name} | {_text(one_line(value, _LONGEST_CELL))} |\n"
    for run in runs(pieces, MOST_LETTERS):
        if run[0].kind in ("stdout", "stderr"):
            yield from _output(run)
        else:
            yield "\n"
            for piece in run:
                yield from _single(piece)


def _facts(session: Session) -> list[tuple[str, str]]:
    took = duration(seconds_between(session.started_at, session.ended_at))
    facts = [
        ("session", session.id),
        ("workflow", f"{session.workflow_id}, stage {session.stage_index}"),
        ("command", command_line(session)),
        ("outcome", outcome(session)),
        ("started", session.started_at or ""),
        ("took", took),
        ("log", byte_count(session.log_bytes)),
    ]
    return [(name, value) for name, value in facts if value]


def _output(pieces: list[Piece]) -> Iterator[str]:
    text = "".join(piece.text for piece in pieces)
    source = "**stderr**" if pieces[0].kind == "stderr" else "stdout"
    yield f"\n`{clock_text(pieces[0].microseconds)}` {source}\n\n"
    yield fenced(text, "text")


def _single(piece: Piece) -> Iterator[str]:
    label = _LABELS[piece.kind]
    bold = f"**{label}** " if label else ""
    yield f"- `{clock_text(piece.microseconds)}` {bold}{_text(piece.text)}\n"
    if piece.text.endswith("…") and piece.data is not None:
        whole = json.dumps(json.loads(piece.data), indent=2)
        yield "\n" + _indented(fenced(whole, "json"), "  ")


def fenced(text: str, info: str) -> str:
    """A code block with a fence that the text cannot close."""
    longest = max((len(found) for found in _FENCES.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{info}\n{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{fence}\n"


def _indented(text: str, indent: str) -> str:
    return "".join(f"{indent}{line}" for line in text.splitlines(keepends=True))


def _text(text: str) -> str:
    """A text on one line that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
