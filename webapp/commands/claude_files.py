"""The conversations that Claude Code holds on this machine: one file each, of JSON lines.

`~/.claude/projects/<folder>/<conversation id>.jsonl`, or in CLAUDE_CONFIG_DIR:
https://docs.claude.com/en/docs/claude-code/settings
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

_HEAD_BYTES = 1 << 20
"""How much of a file is read for its folder and its first message."""


class ClaudeFile(NamedTuple):
    """A conversation: what it is called, where it ran, how it began."""

    conversation_id: str
    cwd: str
    title: str | None
    changed_at: float


def list_files(cwd: str | None = None) -> list[ClaudeFile]:
    """All of them, or those of a folder; the one that was used last comes first."""
    found = (read_file(path) for path in _projects().glob("*/*.jsonl"))
    files = [each for each in found if each is not None and cwd in (None, each.cwd)]
    return sorted(files, key=lambda each: each.changed_at, reverse=True)


def find_file(conversation_id: str) -> ClaudeFile | None:
    """The conversation of that id."""
    found = (read_file(path) for path in _projects().glob(f"*/{conversation_id}.jsonl"))
    return next((each for each in found if each is not None), None)


def read_file(path: Path) -> ClaudeFile | None:
    """What a file says; None for one that names no folder."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
            changed_at = os.fstat(file.fileno()).st_mtime
    except OSError:
        return None
    cwd = title = None
    for line in _lines(head):
        if cwd is None and isinstance(line.get("cwd"), str):
            cwd = line["cwd"]
        if title is None and line.get("type") == "user":
            title = _text(line.get("message"))
    return None if cwd is None else ClaudeFile(path.stem, cwd, title, changed_at)


def _projects() -> Path:
    folder = os.environ.get("CLAUDE_CONFIG_DIR") or os.path.expanduser("~/.claude")
    return Path(folder) / "projects"


def _lines(head: bytes) -> Iterator[dict[str, Any]]:
    for line in head.split(b"\n"):
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            yield found


def _text(message: object) -> str | None:
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, list):
        texts = [each.get("text") for each in content if isinstance(each, dict)]
        content = next((text for text in texts if isinstance(text, str)), None)
    return content if isinstance(content, str) else None
