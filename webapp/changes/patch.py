"""One file's diff, as hunks of lines that have syntax colours."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from webapp.changes.compare import Change, Store
from webapp.colours.runs import MAX_LINE_CHARACTERS, Runs, colour_lines, lexer_for

CONTEXT = 3
MAX_WHOLE_BYTES = 400_000
"""A file of this size is read as a whole: its colours need its beginning."""
MAX_DIFF_BYTES = 2 << 20
MAX_LINES = 20_000
_HEAD = re.compile(rb"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)")
_SECTION = re.compile(r"[A-Za-z_$]")
"""Git's own idea of a line that a section begins with: gitattributes(5), `xfuncname`."""
_NO_NEWLINE = "\\"


@dataclass
class Line:
    """`mark` is " ", "+", "-", or a backslash for what git says of a missing newline."""

    mark: str
    text: str
    runs: Runs = field(default_factory=list)


@dataclass
class Hunk:
    """Lines in a row, from a line of the old and one of the new text on."""

    old_start: int
    new_start: int
    section: str
    lines: list[Line]


@dataclass(frozen=True)
class Patch:
    """A file's hunks; `is_cut`: it has more."""

    hunks: list[Hunk]
    is_cut: bool


def read_patch(
    store: Store,
    before: str,
    after: str,
    change: Change,
    aside: Callable[[Callable[[], Patch]], Patch] = lambda work: work(),
) -> Patch:
    """The diff of one file. GitError, ServiceUnavailable.

    `aside` does the work that needs the processor, which finding the colours is.
    """
    paths = [path for path in (change.old_path, change.path) if path is not None]
    names = [path.decode("utf-8", "surrogateescape") for path in paths]
    command = ("diff-tree", "-r", "-p", "-M", "--full-index")

    def read(context: int, max_bytes: int, max_lines: int) -> Patch:
        result = store.run(
            *command, f"-U{context}", before, after, "--", *names, max_bytes=max_bytes
        )
        return _parse(result.output, max_lines, is_cut=result.is_cut)

    whole = read(MAX_WHOLE_BYTES, MAX_WHOLE_BYTES, MAX_WHOLE_BYTES)
    if whole.is_cut:
        return read(CONTEXT, MAX_DIFF_BYTES, MAX_LINES)
    return aside(lambda: _coloured(whole, names[-1]))


def _coloured(whole: Patch, path: str) -> Patch:
    hunks: list[Hunk] = []
    for each in whole.hunks:
        _colour(path, each.lines)
        hunks += _split(each)
    return _limited(hunks)


def _limited(hunks: list[Hunk]) -> Patch:
    left = MAX_LINES
    for number, hunk in enumerate(hunks):
        if len(hunk.lines) > left:
            hunk.lines = hunk.lines[:left]
            return Patch(hunks[: number + 1], is_cut=True)
        left -= len(hunk.lines)
    return Patch(hunks, is_cut=False)


# --- git's patch ------------------------------------------------------------------------------


def _parse(output: bytes, max_lines: int, *, is_cut: bool) -> Patch:
    lines = output.split(b"\n")
    if is_cut:
        lines.pop()  # a part of one
    hunks: list[Hunk] = []
    count = 0
    for line in lines:
        head = _HEAD.fullmatch(line)
        if head is not None:
            section = _text(head[3])
            hunks.append(Hunk(int(head[1]), int(head[2]), section, []))
        elif hunks and line:
            if count == max_lines:
                return Patch(hunks, is_cut=True)
            count += 1
            hunks[-1].lines.append(Line(line[:1].decode("ascii", "replace"), _text(line[1:])))
    return Patch(hunks, is_cut)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


# --- colours, and the parts that changed ---------------------------------------------------------


def _colour(path: str, lines: list[Line]) -> None:
    """Give each line its colours: of the old text those of what was removed."""
    for left_out, needed in (("-", "+"), ("+", "-")):
        side = [line for line in lines if line.mark not in (left_out, _NO_NEWLINE)]
        if not any(line.mark == needed for line in side) and needed == "-":
            return
        runs = colour_lines([line.text for line in side], lexer_for(path))
        for line, found in zip(side, runs, strict=True):
            if line.mark == needed or needed == "+":
                line.runs = found


def _split(whole: Hunk) -> Iterator[Hunk]:
    """The parts of a whole file that are near a change."""
    near: set[int] = set()
    for index, line in enumerate(whole.lines):
        if line.mark != " ":
            near.update(range(max(0, index - CONTEXT), index + CONTEXT + 1))
    old, new, section = whole.old_start, whole.new_start, ""
    hunk: Hunk | None = None
    for index, line in enumerate(whole.lines):
        if index not in near:
            if hunk is not None:
                yield hunk
            hunk = None
        else:
            hunk = Hunk(old, new, section, []) if hunk is None else hunk
            hunk.lines.append(line)
        old += line.mark in " -"
        new += line.mark in " +"
        if line.mark in " -" and _SECTION.match(line.text):
            section = line.text[:80]
    if hunk is not None:
        yield hunk


def shown(line: Line) -> list[object]:
    """A line as clients get it: `[mark, text]`, and its runs if it has colours."""
    text = line.text
    if len(text) > MAX_LINE_CHARACTERS:
        text = f"{text[:MAX_LINE_CHARACTERS]}… ({len(text) - MAX_LINE_CHARACTERS} more characters)"
    return [line.mark, text, line.runs] if line.runs else [line.mark, text]
