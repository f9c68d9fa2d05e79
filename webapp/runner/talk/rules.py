"""Rules that answer an agent's requests without a person: `Read`, `Bash(git status)`.

`Tool` matches each use of a tool, `Tool(text)` the use with just that command, path or URL,
`Tool(git log:*)` or `Tool(git log *)` commands that begin with these words, `Tool(/srv/app/**)`
what is in a folder.

A rule that allows never matches a command that a shell takes for several; one that denies
matches if any of them does.
"""

import os
import re

_RULE = re.compile(r"([^()\s]+)(?:\((.+)\))?", re.DOTALL)
_SHELL = re.compile(r"[;&|<>$`\n(){}\\]")
_NEXT_COMMAND = re.compile(r"[;&|\n(){}`]+")


def is_rule(text: str) -> bool:
    """Whether a text is a rule."""
    return _RULE.fullmatch(text) is not None


def allows(rules: list[str], tool: str, subject: str) -> bool:
    """Whether a rule allows a tool's use. `subject` is its command, path or URL."""
    is_simple = not _SHELL.search(subject)
    return any(_matches(rule, tool, [subject], is_simple=is_simple) for rule in rules)


def denies(rules: list[str], tool: str, subject: str) -> bool:
    """Whether a rule denies it."""
    commands = [subject, *(part.strip() for part in _NEXT_COMMAND.split(subject))]
    return any(_matches(rule, tool, commands, is_simple=True) for rule in rules)


def _matches(rule: str, tool: str, subjects: list[str], *, is_simple: bool) -> bool:
    found = _RULE.fullmatch(rule)
    if found is None or found[1] != tool:
        return False
    pattern = found[2]
    if pattern is None or pattern in subjects:
        return True
    if pattern.endswith((":*", " *")):
        words = pattern[:-2]
        return is_simple and any(
            subject == words or subject.startswith(words + " ") for subject in subjects
        )
    if pattern.endswith("/**"):
        folder = pattern[:-2]
        return any(os.path.normpath(subject).startswith(folder) for subject in subjects)
    return False
