"""What an agent said last: its answer, for the history of its workflow, and what it cost.

The log holds all that it printed. The history gets the end of it: the last run of text,
which is the content of `message` lines and lines that are no events, back to the last line
of another type, such as a tool's result. Lines of other types after the text, such as
`usage`, do not count. Two agents put their answer into one line of their own:

    {"type":"result","result":"…"}                                              Claude Code
    {"type":"item.completed","item":{"type":"agent_message","text":"…"}}        Codex
"""

import os
from collections.abc import Sequence

from webapp.log.last_lines import read_last_lines
from webapp.log.usage import UsageRow, find_usage
from webapp.runner.spec import parse_json

MAX_WORDS_BYTES = 32 * 1024
"""Of a longer text the history gets the end, after an ellipsis."""


def last_words(log_fd: int, size: int) -> tuple[str | None, UsageRow | None]:
    """What the agent said last in a log of so many bytes, and what it says that it used.

    The text has no white space round it. None where it said nothing, or the log cannot be
    read.
    """
    try:
        lines = read_last_lines(lambda count, offset: os.pread(log_fd, count, offset), size)
    except OSError:
        return None, None  # the session ends all the same
    return _find_words(lines), find_usage(lines, parse_json)


def _find_words(lines: Sequence[bytes]) -> str | None:
    pieces: list[str] = []
    length = 0
    for line in reversed(lines):
        kind, text = _read(line)
        if kind == "answer":
            return _trim(text) if not pieces else _trim("".join(reversed(pieces)))
        if kind == "other":
            if pieces:
                break
            continue
        pieces.append(text)
        length += len(text)
        if length > MAX_WORDS_BYTES:
            break
    return _trim("".join(reversed(pieces)))


def _read(line: bytes) -> tuple[str, str]:
    """What a line is (`text`, a whole `answer`, or `other`), and its text."""
    plain = line.decode("utf-8", "replace")
    if not line.startswith(b"{"):
        return "text", plain + "\n"
    try:
        event = parse_json(plain)
    except (StopIteration, ValueError, RecursionError):
        return "text", plain + "\n"
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        return "text", plain + "\n"
    return _read_event(event)


def _read_event(event: dict[str, object]) -> tuple[str, str]:
    content, result, item = event.get("content"), event.get("result"), event.get("item")
    if event["type"] == "message" and isinstance(content, str):
        return "text", content
    if event["type"] == "result" and isinstance(result, str):
        return "answer", result
    if event["type"] == "item.completed" and isinstance(item, dict):
        text = item.get("text")
        if item.get("type") == "agent_message" and isinstance(text, str):
            return "answer", text
    return "other", ""


def _trim(text: str) -> str | None:
    """Within the cap, and None for nothing but white space."""
    encoded = text.strip().encode("utf-8", "replace")
    if len(encoded) > MAX_WORDS_BYTES:
        return "…" + encoded[-MAX_WORDS_BYTES:].decode("utf-8", "ignore")
    return encoded.decode() or None
