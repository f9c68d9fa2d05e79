"""How texts become one text: everything that shows or keeps them follows one table."""

import json
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.commands.exports.story import tell
from webapp.commands.transcript import Transcript
from webapp.log.answer import read_answer
from webapp.log.dialects.plain import PLAIN, read_event
from webapp.log.events import Event
from webapp.log.joining import Form, Joiner, form_of
from webapp.log.record import format_record
from webapp.search.texts import chunks

TABLE = json.loads(Path(__file__).with_name("joining.json").read_text())
"""Name, events, and the paragraphs of each run: also what tests/browser/js/joining.test.mjs asks
of the page."""

Pairs = list[tuple[str, dict[str, Any]]]
Runs = list[list[str]]
table = pytest.mark.parametrize(("pairs", "runs"), [row[1:] for row in TABLE], ids=lambda _: "")


def events_of(pairs: Pairs) -> list[Event]:
    return [
        Event(at, "", "stdout", name, json.dumps(data)) for at, (name, data) in enumerate(pairs)
    ]


def log_of(pairs: Pairs) -> bytes:
    """The log of a plain agent that printed them."""
    records = []
    for _name, data in pairs:
        tag = b"P" if "type" not in data and data.get("partial") else b"F"
        text = json.dumps(data) if "type" in data else data["content"]
        records.append(format_record(1, b"stdout", text.encode(), tag))
    return b"".join(records)


@table
def test_joiner_follows_it(pairs: Pairs, runs: Runs) -> None:
    joiner, texts = Joiner(), [""]
    for name, data in pairs:
        said = read_event(name, data)
        assert said is not None
        form = form_of(said)
        if form is not None:
            texts[-1] += joiner.add(form, str(said["content"]))
        elif said["type"] != "system":
            joiner.end_run()
            texts.append("")
    assert [text.strip("\n") for text in texts if text] == ["\n\n".join(run) for run in runs]


@table
def test_exports_follow_it(pairs: Pairs, runs: Runs) -> None:
    pieces = tell(events_of(pairs))
    texts = [
        "".join(piece.text for piece in run).strip("\n")
        for kind, run in groupby(pieces, lambda piece: piece.kind)
        if kind == "stdout"
    ]
    assert texts == ["\n\n".join(run) for run in runs]


@table
def test_terminal_follows_it(pairs: Pairs, runs: Runs) -> None:
    transcript = Transcript(colour=False)
    shown = "".join(map(transcript.show, events_of(pairs))) + transcript.end()
    lines = [line for line in shown.split("\n") if not line.startswith(("-- ", "-> ", "> "))]
    assert "\n".join(lines).strip("\n") == "\n".join("\n\n".join(run) for run in runs)


@table
def test_answer_follows_it(pairs: Pairs, runs: Runs) -> None:
    log = log_of(pairs)

    def read(count: int, offset: int) -> bytes:
        return log[offset : offset + count]

    assert read_answer(read, len(log), PLAIN) == "\n\n".join(runs[-1]).strip()


@table
def test_search_finds_each_paragraph_whole(pairs: Pairs, runs: Runs) -> None:
    found = "\n".join(chunk.text for chunk in chunks(log_of(pairs), 0, is_end=True))
    position = 0
    for paragraph in chain.from_iterable(runs):
        position = found.index(paragraph, position) + len(paragraph)


forms = st.sampled_from(["line", "partial", "piece", "whole"])


@given(st.lists(st.tuples(forms, st.text("ab \n", max_size=4)), max_size=8))
def test_no_letter_is_lost_or_added(texts: list[tuple[Form, str]]) -> None:
    joiner = Joiner()
    joined = "".join(joiner.add(form, text) for form, text in texts)
    assert "".join(joined.split()) == "".join("".join(text.split()) for _form, text in texts)


@given(st.text("ab", min_size=1, max_size=6), st.data())
def test_message_in_pieces_reads_as_the_whole_of_it(message: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(message)), max_size=3)))
    joiner = Joiner()
    bounds = zip([0, *cuts], [*cuts, len(message)], strict=True)
    said = [joiner.add("delta", message[start:end]) for start, end in bounds]
    said.append(joiner.add("whole", message))
    assert "".join(said) == f"{message}\n"
