"""Codex: `codex exec --json`.

https://developers.openai.com/codex/noninteractive, and for the fields
https://github.com/openai/codex/blob/main/codex-rs/exec/src/exec_events.rs
"""

from collections.abc import Callable

from webapp.log.dialects.normalized import (
    Dialect,
    Normalized,
    error,
    list_at,
    message,
    object_at,
    reasoning,
    system,
    text_at,
    text_of,
    tool_call,
    tool_result,
    usage,
)


def _normalize(line: dict[str, object]) -> list[Normalized]:
    """The events of a line; none for one that the dialect does not know."""
    kind = text_at(line, "type") or ""
    if kind in ("thread.started", "turn.started"):
        return [system(kind, line)]
    if kind == "turn.completed":
        return [_usage(object_at(line, "usage"))]
    if kind == "turn.failed":
        return _error(object_at(line, "error"))
    if kind == "error":
        return _error(line)
    if kind in ("item.started", "item.updated", "item.completed"):
        return _item(kind, line)
    return []


def _usage(used: dict[str, object]) -> Normalized:
    """Codex knows no prices, so there are none."""
    return usage(
        {
            "inputTokens": used.get("input_tokens"),
            "cachedInputTokens": used.get("cached_input_tokens"),
            "outputTokens": used.get("output_tokens"),
        }
    )


def _error(found: dict[str, object]) -> list[Normalized]:
    text = text_at(found, "message")
    return [] if text is None else [error(text)]


# --- items ----------------------------------------------------------------------------


def _item(kind: str, line: dict[str, object]) -> list[Normalized]:
    """A tool's item is a call when it starts and a result when it is complete; a text is an
    event once, when it is complete. What comes in between repeats one or the other."""
    item = object_at(line, "item")
    item_type, item_id = text_at(item, "type"), text_at(item, "id")
    if item_type in _TEXTS:
        text = text_at(item, "text" if "text" in item else "message")
        if kind != "item.completed" or text is None:
            return [system(kind, line)]
        return [_TEXTS[item_type](text)]
    if item_id is None:
        return []
    if item_type == "todo_list":
        return [system(kind, line)] if kind == "item.completed" else _todo_list(item_id, item)
    if item_type not in _TOOLS:
        return []
    if kind == "item.updated":
        return [system(kind, line)]

    call, result = _TOOLS[item_type]
    name, args = call(item)
    if kind == "item.started":
        return [tool_call(item_id, name, args)]
    ok = item.get("status") in (None, "completed") and item.get("exit_code") in (None, 0)
    return [tool_result(item_id, result(item), ok=ok, name=name) | {"args": args}]


_TEXTS: dict[str, Callable[[str], Normalized]] = {
    "agent_message": message,
    "plan": message,
    "reasoning": reasoning,
    "error": error,
}


def _command(item: dict[str, object]) -> tuple[str, object]:
    return "shell", {"command": item.get("command")}


def _command_result(item: dict[str, object]) -> str:
    return text_of(item.get("aggregated_output"))


def _file_change(item: dict[str, object]) -> tuple[str, object]:
    return "apply_patch", {"changes": _changes(item)}


def _changes(item: dict[str, object]) -> str:
    return "\n".join(
        f"{text_at(change, 'kind') or 'change'} {text_at(change, 'path') or '?'}"
        for change in list_at(item, "changes")
    )


def _mcp_call(item: dict[str, object]) -> tuple[str, object]:
    names = text_at(item, "server"), text_at(item, "tool")
    return ".".join(name for name in names if name) or "mcp", item.get("arguments")


def _mcp_result(item: dict[str, object]) -> str:
    problem = text_at(object_at(item, "error"), "message")
    return problem or text_of(object_at(item, "result").get("content"))


def _web_search(item: dict[str, object]) -> tuple[str, object]:
    return "web_search", {"query": item.get("query")}


def _web_search_result(item: dict[str, object]) -> str:
    return text_of(item.get("action"))


def _collab(item: dict[str, object]) -> tuple[str, object]:
    return text_at(item, "tool") or "collab", {"prompt": item.get("prompt")}


def _collab_result(item: dict[str, object]) -> str:
    return text_of(item.get("agents_states"))


_TOOLS: dict[
    str,
    tuple[Callable[[dict[str, object]], tuple[str, object]], Callable[[dict[str, object]], str]],
] = {
    "command_execution": (_command, _command_result),
    "file_change": (_file_change, _changes),
    "mcp_tool_call": (_mcp_call, _mcp_result),
    "web_search": (_web_search, _web_search_result),
    "collab_tool_call": (_collab, _collab_result),
}


def _todo_list(item_id: str, item: dict[str, object]) -> list[Normalized]:
    """The list as it is by now: a call that has its result at once."""
    items = [entry for entry in list_at(item, "items") if isinstance(entry, dict)]
    done = [entry for entry in items if entry.get("completed") is True]
    lines = [f"[{'x' if entry in done else ' '}] {text_at(entry, 'text')}" for entry in items]
    called = tool_call(item_id, "todo_list", {"items": "\n".join(lines)})
    state = f"{len(done)} of {len(items)} done"
    return [called, tool_result(item_id, state, ok=True, name="todo_list")]


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
)
