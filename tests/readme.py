"""The README as tests read it: its chapters and its blocks of code."""

import re
from typing import NamedTuple

from tests.server import ROOT


class Block(NamedTuple):
    """Some lines that are indented by four spaces, without those."""

    chapter: str
    text: str

    @property
    def first_line(self) -> str:
        """What it begins with."""
        return self.text.partition("\n")[0]


def read_blocks() -> list[Block]:
    """All blocks of code, in their order."""
    blocks: list[Block] = []
    lines: list[str] = []
    chapter = ""
    for line in [*(ROOT / "README.md").read_text(encoding="utf-8").splitlines(), "end"]:
        if line.startswith("    ") or (lines and not line):
            lines.append(line[4:])
            continue
        text = "\n".join(lines).strip()
        blocks += [Block(chapter, piece) for piece in re.split(r"\n\n", text) if piece]
        lines = []
        heading = re.fullmatch(r"#+ (.*)", line)
        chapter = heading[1] if heading else chapter
    return blocks


def questions() -> dict[str, str]:
    """The SQL of the chapter on forensics, by the question that it answers."""
    found = {}
    for block in read_blocks():
        if block.chapter == "Forensics" and block.text.startswith("-- "):
            question, sql = block.text.split("\n", 1)
            found[question.removeprefix("-- ")] = sql
    return found
