"""What a reader of a log wants to find again: tool calls, and errors.

Agents have many names for the same thing; the pages know the same ones. Beside our own kind
of events there are those of Claude Code (`assistant`, `user`, `result`:
https://docs.claude.com/en/docs/claude-code/headless) and of Codex (`item.*`:
https://developers.openai.com/codex/noninteractive).
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

from webapp.log import reader
from webapp.log.events import Event, parse_event
from webapp.log.opened import OpenLog

Kind = Literal["tool_call", "error"]
KINDS: tuple[Kind, ...] = ("tool_call", "error")
SEARCH_BYTES = 32 << 20
"""So much of a log is looked through at a time."""
_STEP_BYTES = 1 << 20

_TOOL_CALLS = frozenset({"tool_call", "tool_use", "function_call"})
_TOOL_ITEMS = frozenset({"command_execution", "mcp_tool_call", "web_search", "function_call"})
_FAILED = frozenset({"error", "failed", "failure"})
_BAD_NOTICES = frozenset({"error", "truncated", "gap"})
_SIGNS: dict[Kind, tuple[bytes, ...]] = {
    "tool_call": (
        b'"tool_',
        b'"function_call"',
        *(b'"%b"' % kind.encode() for kind in _TOOL_ITEMS),
    ),
    "error": (b" system F ", b'rror"', b"fail", b'"exit', b"false"),
}
"""A record without any of these is none of the kind: so most are passed over unread."""


class Found(NamedTuple):
    """A record that was looked for, or how far the search came."""

    event: Event | None
    searched_to: int | None
    """Where to go on; None where the log has been looked through."""


def has_sign(line: bytes, kind: Kind) -> bool:
    """Whether a record may be of a kind: a quick look, before it is parsed."""
    return any(sign in line for sign in _SIGNS[kind])


def is_marked(event: Event, kind: Kind) -> bool:
    """Whether an event is a tool call, or tells of an error."""
    if kind == "error" and event.name in ("notice", "done"):
        return _is_bad_end(event)
    if event.stream != "stdout" or event.data[:1] != "{":
        return False
    data = json.loads(event.data)
    return _is_tool_call(data) if kind == "tool_call" else _is_error(data)


def _is_bad_end(event: Event) -> bool:
    data = json.loads(event.data)
    if event.name == "notice":
        return data.get("type") in _BAD_NOTICES
    return data.get("status") not in ("succeeded", "cancelled")


def _is_tool_call(data: dict[str, Any]) -> bool:
    if data.get("type") in _TOOL_CALLS:
        return True
    if data.get("type") == "item.started":
        return _at(data, "item", "type") in _TOOL_ITEMS
    return any(block.get("type") == "tool_use" for block in _blocks(data))


def _is_error(data: dict[str, Any]) -> bool:
    kind = data.get("type")
    if kind in ("error", "turn.failed"):
        return True
    if kind == "tool_result" or (kind == "result" and "is_error" in data):
        return _has_failed(data)
    if kind == "item.completed":
        return _at(data, "item", "type") == "error" or _has_failed(data.get("item"))
    results = (block for block in _blocks(data) if block.get("type") == "tool_result")
    return any(_has_failed(block) for block in results)


def _has_failed(data: Any) -> bool:
    if not isinstance(data, dict):
        return False
    code = next((data[key] for key in ("exitCode", "exit_code") if key in data), 0)
    return (
        data.get("ok") is False
        or data.get("success") is False
        or data.get("is_error") is True
        or data.get("isError") is True
        or data.get("error") not in (None, False)
        or code not in (0, None)
        or data.get("status") in _FAILED
    )


def _blocks(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    content = _at(data, "message", "content")
    if data.get("type") in ("assistant", "user") and isinstance(content, list):
        yield from (block for block in content if isinstance(block, dict))


def _at(data: dict[str, Any], key: str, inner: str) -> Any:
    value = data.get(key)
    return value.get(inner) if isinstance(value, dict) else None


# --- the next one ---------------------------------------------------------------------


def find_after(
    log: OpenLog, offset: int, kind: Kind, pause: Callable[[], None] = lambda: None
) -> Found:
    """The first event of a kind after a boundary, in at most SEARCH_BYTES.

    A run of lines on stderr counts as one error, at its first line. `pause` lets others of
    this process have their turn.
    """
    position, in_stderr = offset, _is_stderr_before(log, offset)
    while position - offset < SEARCH_BYTES:
        records = reader.read_records(log, position, _STEP_BYTES)
        if not records:
            return Found(None, None)
        for event in _marked(records, position, kind, in_stderr):
            return Found(event, None)
        in_stderr = _ends_in_stderr(records)
        position += len(records)
        pause()
    return Found(None, position)


def find_before(
    log: OpenLog, offset: int, kind: Kind, pause: Callable[[], None] = lambda: None
) -> Found:
    """The last event of a kind that ends before a boundary, in at most SEARCH_BYTES."""
    position = reader.last_line_start(log, offset)  # the record at the boundary is where one is
    least = max(0, position - SEARCH_BYTES)
    while position > least:
        start = max(0, position - _STEP_BYTES)
        if start > 0:
            start = reader.find_end(log, start)
        records = log.read(position - start, start)
        found = list(_marked(records, start, kind, _is_stderr_before(log, start)))
        if found:
            return Found(found[-1], None)
        position = start
        pause()
    if position == 0:
        return Found(None, None)
    # A search from there leaves out the record that ends there: one that was seen.
    return Found(None, reader.next_boundary(log, position, offset))


def _marked(records: bytes, offset: int, kind: Kind, in_stderr: bool) -> Iterator[Event]:
    """The events of a kind among some records. `in_stderr`: the record before them was stderr."""
    if not has_sign(records, kind) and not (kind == "error" and b" stderr " in records):
        return
    for line in records.split(b"\n")[:-1]:
        offset += len(line) + 1
        begins_run, in_stderr = not in_stderr, line[30:38] == b" stderr "
        if _is_hit(line, kind, begins_run=begins_run):
            event, _ = parse_event(line, offset, is_continuation=False)
            if in_stderr or is_marked(event, kind):
                yield event


def _is_hit(line: bytes, kind: Kind, *, begins_run: bool) -> bool:
    if kind == "error" and line[30:38] == b" stderr ":
        return begins_run
    return has_sign(line, kind)


def _ends_in_stderr(records: bytes) -> bool:
    start = records.rfind(b"\n", 0, len(records) - 1) + 1
    return records[start + 30 : start + 38] == b" stderr "


def _is_stderr_before(log: OpenLog, offset: int) -> bool:
    if offset == 0:
        return False
    return log.read(38, reader.last_line_start(log, offset))[30:38] == b" stderr "
