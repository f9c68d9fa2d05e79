"""The topics of the documentation, their sections, and a search over them."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from webapp.errors import NotFound
from webapp.settings import settings_table

TOPICS = (
    "commands",
    "api",
    "events",
    "trpc",
    "workflows",
    "agents",
    "projects",
    "notices",
    "replay",
    "search",
    "forensics",
    "retention",
    "settings",
    "deploy",
    "security",
    "metrics",
    "performance",
    "architecture",
)
"""In reading order. Each is a file beside this one."""

MINIMUM_WORD_LETTERS = 2

_FOLDER = Path(__file__).parent
IMAGES = _FOLDER / "images"
_INCLUDE = re.compile(r"^<!-- include (\S+) -->$", re.MULTILINE)
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_HEADING = re.compile(r"^(#{1,6}) (.+)$")


@dataclass(frozen=True)
class Section:
    """A heading and the text below it, up to the next heading. `anchor` is its id in the page."""

    topic: str
    heading: str
    anchor: str
    text: str


@dataclass(frozen=True)
class Topic:
    """One file: its heading, its first paragraph, and all of its Markdown."""

    name: str
    title: str
    summary: str
    text: str
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Match:
    """A section that holds all words of a query, and the line that shows it."""

    section: Section
    excerpt: str


@cache
def read_topic(name: str) -> Topic:
    """One topic. NotFound names those that exist."""
    if name not in TOPICS:
        raise NotFound(f"Unknown topic {name!r}. Available: {', '.join(TOPICS)}.")
    text = _INCLUDE.sub(lambda found: _included(found[1]), read_file(f"{name}.md"))
    sections = tuple(_sections(name, text))
    summary = plain(sections[0].text.partition("\n\n")[0].replace("\n", " "))
    return Topic(name, sections[0].heading, summary, text, sections)


def read_file(name: str) -> str:
    """A file of this folder as it is."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def read_topics() -> list[Topic]:
    """All topics in reading order."""
    return [read_topic(name) for name in TOPICS]


def anchor_of(heading: str) -> str:
    """The id of a heading, as GitHub makes it: lower case, hyphens for spaces."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def find_sections(query: str) -> list[Match]:
    """The sections that hold all words of the query; those with one in their heading first."""
    words = [word.lower() for word in query.split() if len(word) >= MINIMUM_WORD_LETTERS]
    if not words:
        return []
    matches = [
        Match(section, _excerpt(section.text, words))
        for topic in read_topics()
        for section in topic.sections
        if all(word in f"{section.heading}\n{section.text}".lower() for word in words)
    ]
    return sorted(
        matches, key=lambda match: not any(word in match.section.heading.lower() for word in words)
    )


def _included(name: str) -> str:
    """What is described elsewhere: settings where they are defined, SQL in its file."""
    if name == "settings":
        return settings_table()
    return f"```sql\n{read_file(name)}```"


def _sections(topic: str, text: str) -> list[Section]:
    sections: list[tuple[str, list[str]]] = []
    is_code = False
    for line in text.splitlines():
        if _FENCE.match(line):
            is_code = not is_code
        heading = None if is_code else _HEADING.match(line)
        if heading is not None:
            sections.append((heading[2].replace("`", ""), []))
        else:
            sections[-1][1].append(line)
    return [
        Section(topic, heading, anchor_of(heading), "\n".join(lines).strip())
        for heading, lines in sections
    ]


def _excerpt(text: str, words: list[str]) -> str:
    """The first sentence or row that holds most of the words, without its Markdown."""
    joined = re.sub(r"(?<=[^\n|`;])\n(?=[^\n|*`])", " ", text)
    pieces = [piece for piece in re.split(r"\n|(?<=\.) ", joined) if piece.strip(" |-`")]
    if not pieces:
        return ""
    return plain(max(pieces, key=lambda piece: sum(word in piece.lower() for word in words)))


def plain(text: str) -> str:
    """One line of Markdown as text: no links, no marks, a dot between the cells of a row."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"[`*]|^\s*[-|]\s*|\s*\|\s*$", "", text)
    return re.sub(r"\s*\|\s*", " · ", text).strip()
