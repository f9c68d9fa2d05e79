"""Codex: `codex exec --json`.

https://developers.openai.com/codex/noninteractive, and for the fields
https://github.com/openai/codex/blob/main/codex-rs/exec/src/exec_events.rs
"""

from collections.abc import Callable
from typing import Any

from webapp.log.dialects.normalized import (
    Dialect,
    Normalized,
    error,
    list_at,
    message,
    named_result,
    object_at,
    reasoning,
    system,
    text_at,
    text_of,
    tool_call,
    usage,
    with_exit_code,
    with_media,
)


def _normalize(line: dict[str, Any]) -> list[Normalized]:
    """The events of a line; none for one that the dialect does not know."""
    kind: Any = line.get("type")
    read = _LINES.get(kind)
    return [] if read is None else read(kind, line)


def _about_itself(kind: str, line: dict[str, Any]) -> list[Normalized]:
    return [system(kind, line)]


def _usage(_kind: str, line: dict[str, Any]) -> list[Normalized]:
    """Codex knows no prices, so there are none."""
    used = object_at(line, "usage")
    figures = {
        "inputTokens": used.get("input_tokens"),
        "cachedInputTokens": used.get("cached_input_tokens"),
        "outputTokens": used.get("output_tokens"),
    }
    return [usage(figures)]


def _error(_kind: str, line: dict[str, Any]) -> list[Normalized]:
    text = text_at(line, "message")
    return [] if text is None else [error(text)]


def _failure(kind: str, line: dict[str, Any]) -> list[Normalized]:
    return _error(kind, object_at(line, "error"))


# --- items ----------------------------------------------------------------------------


def _item(kind: str, line: dict[str, Any]) -> list[Normalized]:
    """A tool's item is a call when it starts and a result when it is complete; a text is an
    event once, when it is complete. What comes in between repeats one or the other."""
    item = line.get("item")
    if not isinstance(item, dict):
        return []
    item_type, is_complete = text_at(item, "type"), kind == "item.completed"
    if item_type in _TEXTS:
        text = text_at(item, "text" if "text" in item else "message")
        is_whole = is_complete and text is not None
        return [_TEXTS[item_type](text or "") if is_whole else system(kind, line)]
    item_id, read = text_at(item, "id"), _TOOLS.get(item_type)
    if item_id is None or read is None:
        return [] if item_id is None or item_type != "todo_list" else _todo_list(kind, line, item)
    if kind == "item.updated":
        return [system(kind, line)]
    name, args, result = read(item)
    if not is_complete:
        return [tool_call(item_id, name, args)]
    ok = item.get("status") in (None, "completed") and item.get("exit_code") in (None, 0)
    found = named_result(item_id, text_of(result), ok, name, args)
    if item.get("status") == "declined":
        found["refused"] = True
    return [with_media(with_exit_code(found, item.get("exit_code")), result)]


_TEXTS: dict[str | None, Callable[[str], Normalized]] = {
    "agent_message": message,
    "plan": message,
    "reasoning": reasoning,
    "error": error,
}


_ReadTool = Callable[[dict[str, Any]], tuple[str, object, object]]
"""Name, arguments and result by a tool's item."""


def _command(item: dict[str, Any]) -> tuple[str, object, object]:
    return "shell", {"command": item.get("command")}, item.get("aggregated_output")


def _file_change(item: dict[str, Any]) -> tuple[str, object, object]:
    lines = [
        f"{text_at(change, 'kind') or 'change'} {text_at(change, 'path') or '?'}"
        for change in list_at(item, "changes")
    ]
    changes = "\n".join(lines)
    return "apply_patch", {"changes": changes}, changes


def _mcp_call(item: dict[str, Any]) -> tuple[str, object, object]:
    names = text_at(item, "server"), text_at(item, "tool")
    problem = text_at(object_at(item, "error"), "message")
    result = problem or object_at(item, "result").get("content")
    return ".".join(name for name in names if name) or "mcp", item.get("arguments"), result


def _web_search(item: dict[str, Any]) -> tuple[str, object, object]:
    return "web_search", {"query": item.get("query")}, item.get("action")


def _collab(item: dict[str, Any]) -> tuple[str, object, object]:
    name = text_at(item, "tool") or "collab"
    return name, {"prompt": item.get("prompt")}, item.get("agents_states")


_TOOLS: dict[str | None, _ReadTool] = {
    "command_execution": _command,
    "file_change": _file_change,
    "mcp_tool_call": _mcp_call,
    "web_search": _web_search,
    "collab_tool_call": _collab,
}


def _todo_list(kind: str, line: dict[str, Any], item: dict[str, Any]) -> list[Normalized]:
    """The list as it is by now: a call that has its result at once."""
    if kind == "item.completed":
        return [system(kind, line)]
    items = [entry for entry in list_at(item, "items") if isinstance(entry, dict)]
    done = [entry for entry in items if entry.get("completed") is True]
    lines = [f"[{'x' if entry in done else ' '}] {text_at(entry, 'text')}" for entry in items]
    called = tool_call(item["id"], "todo_list", {"items": "\n".join(lines)})
    state = f"{len(done)} of {len(items)} done"
    return [called, named_result(item["id"], state, True, "todo_list", called["args"])]


_LINES: dict[object, Callable[[str, dict[str, Any]], list[Normalized]]] = {
    "thread.started": _about_itself,
    "turn.started": _about_itself,
    "turn.completed": _usage,
    "turn.failed": _failure,
    "error": _error,
    "item.started": _item,
    "item.updated": _item,
    "item.completed": _item,
}

_SHAPE = {
    "type": str,
    "message": str,
    "error": {"message": str},
    "usage": dict.fromkeys(("input_tokens", "cached_input_tokens", "output_tokens"), object),
    "item": {
        "id": str,
        "type": str,
        "text": str,
        "message": str,
        "status": object,
        "command": object,
        "aggregated_output": object,
        "exit_code": object,
        "changes": [{"kind": str, "path": str}],
        "server": str,
        "tool": str,
        "arguments": object,
        "result": {"content": object},
        "error": {"message": str},
        "query": object,
        "action": object,
        "prompt": object,
        "agents_states": object,
        "items": [{"text": str, "completed": bool}],
    },
}

CODEX = Dialect(
    "codex",
    _normalize,
    shape=_SHAPE,
    signs={
        "tool_call": tuple(f'"{kind}"'.encode() for kind in (*_TOOLS, "todo_list")),
        "error": (b'"status"',),
    },
    conversation_mark=b'"thread.started"',
    conversation_of=lambda line: text_at(line, "thread_id"),
    lost_mark=b"no rollout found for thread id",
)
