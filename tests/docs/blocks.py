"""The README and the topics of the documentation as tests read them: their blocks of code."""

import re
from pathlib import Path
from typing import NamedTuple

from tests.server import ROOT
from webapp.docs.topics import TOPICS, read_file

README = (ROOT / "README.md").read_text(encoding="utf-8")
TEXTS = {"README": README} | {name: read_file(f"{name}.md") for name in TOPICS}
ALL_TEXT = "\n".join(TEXTS.values())
FOLDER = Path(ROOT / "webapp" / "docs")


class Block(NamedTuple):
    """Lines that are fenced (docs) or indented by four spaces (README), without those."""

    topic: str
    language: str
    text: str


def read_blocks() -> list[Block]:
    """All blocks of code, in their order."""
    blocks = []
    for topic, text in TEXTS.items():
        for fenced in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            blocks.append(Block(topic, fenced[1], fenced[2]))
        for indented in re.finditer(r"(?:^ {4}.*\n(?:\n(?= {4}))?)+", text, re.MULTILINE):
            if topic == "README":
                blocks.append(Block(topic, "", re.sub(r"^ {4}", "", indented[0], flags=re.M)))
    return blocks


def questions() -> dict[str, str]:
    """The SQL of `forensics.sql`, by the question that it answers."""
    found = {}
    for block in read_file("forensics.sql").split("\n\n"):
        printed = re.match(r"\.print (['\"])(.*)\1\n", block)
        if printed is not None:
            found[printed[2]] = block[printed.end() :]
    return found
