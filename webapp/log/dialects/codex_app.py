"""Codex as a server: `codex app-server`, JSON-RPC lines, which have a method and no type.

https://github.com/openai/codex/blob/main/codex-rs/app-server/README.md
"""

from collections.abc import Callable
from typing import Any

from webapp.log.dialects.normalized import (
    Dialect,
    Normalized,
    error,
    list_at,
    message,
    message_delta,
    named_result,
    object_at,
    reasoning,
    system,
    text_at,
    text_of,
    tool_call,
    usage,
    with_exit_code,
)


def _normalize(line: dict[str, Any]) -> list[Normalized]:
    """The events of a line; none for one that is no JSON-RPC."""
    method = text_at(line, "method")
    if method is None:
        is_answer = "id" in line and ("result" in line or "error" in line)
        return [system("response", line)] if is_answer else []
    read = _METHODS.get(method)
    found = None if read is None else read(object_at(line, "params"))
    return [system(method, line) if found is None else found]


def _delta(params: dict[str, Any]) -> Normalized | None:
    text = text_at(params, "delta")
    return None if text is None else message_delta(text)


def _error(params: dict[str, Any]) -> Normalized | None:
    text = text_at(object_at(params, "error"), "message")
    return None if text is None or params.get("willRetry") is True else error(text)


def _usage(params: dict[str, Any]) -> Normalized | None:
    """Of one request to the model; a turn may take several."""
    last = object_at(object_at(params, "tokenUsage"), "last")
    found = usage({name: last.get(name) for name in _FIGURES})
    return found if len(found) > 1 else None


_FIGURES = ("inputTokens", "cachedInputTokens", "outputTokens")


# --- items ----------------------------------------------------------------------------


def _started(params: dict[str, Any]) -> Normalized | None:
    item = object_at(params, "item")
    item_id, read = text_at(item, "id"), _TOOLS.get(text_at(item, "type"))
    if item_id is None or read is None:
        return None
    name, args, _result = read(item)
    return tool_call(item_id, name, args)


def _completed(params: dict[str, Any]) -> Normalized | None:
    item = object_at(params, "item")
    item_type, item_id = text_at(item, "type"), text_at(item, "id")
    if item_type in ("agentMessage", "plan"):
        text = text_at(item, "text")
        return None if text is None else message(text)
    if item_type == "reasoning":
        parts = list_at(item, "summary") or list_at(item, "content")
        text = "\n\n".join(text_of(part) for part in parts)
        return reasoning(text) if text else None
    read = _TOOLS.get(item_type)
    if item_id is None or read is None:
        return None
    name, args, result = read(item)
    ok = item.get("status") in (None, "completed") and item.get("exitCode") in (None, 0)
    found = named_result(item_id, text_of(result), ok, name, args)
    if item.get("status") == "declined":
        found["refused"] = True
    return with_exit_code(found, item.get("exitCode"))


def _command(item: dict[str, Any]) -> tuple[str, object, object]:
    return "shell", {"command": item.get("command")}, item.get("aggregatedOutput")


def _file_change(item: dict[str, Any]) -> tuple[str, object, object]:
    lines = []
    for change in list_at(item, "changes"):
        kind = text_at(object_at(change, "kind"), "type") or "change"
        lines.append(f"{kind} {text_at(change, 'path') or '?'}")
        lines.append(text_at(change, "diff") or "")
    changes = "\n".join(line for line in lines if line)
    return "apply_patch", {"changes": changes}, changes


def _mcp_call(item: dict[str, Any]) -> tuple[str, object, object]:
    names = text_at(item, "server"), text_at(item, "tool")
    problem = text_at(object_at(item, "error"), "message")
    result = problem or object_at(item, "result").get("content")
    return ".".join(name for name in names if name) or "mcp", item.get("arguments"), result


def _web_search(item: dict[str, Any]) -> tuple[str, object, object]:
    return "web_search", {"query": item.get("query")}, item.get("action")


_TOOLS: dict[str | None, Callable[[dict[str, Any]], tuple[str, object, object]]] = {
    "commandExecution": _command,
    "fileChange": _file_change,
    "mcpToolCall": _mcp_call,
    "webSearch": _web_search,
}

_METHODS: dict[str, Callable[[dict[str, Any]], Normalized | None]] = {
    "item/agentMessage/delta": _delta,
    "item/started": _started,
    "item/completed": _completed,
    "thread/tokenUsage/updated": _usage,
    "error": _error,
}

_SHAPE = {
    "id": object,
    "result": object,
    "error": object,
    "method": str,
    "params": {
        "delta": str,
        "willRetry": object,
        "error": {"message": str},
        "tokenUsage": {"last": dict.fromkeys(_FIGURES, object)},
        "item": {
            "id": str,
            "type": str,
            "text": str,
            "status": object,
            "command": object,
            "aggregatedOutput": object,
            "exitCode": object,
            "changes": [{"path": str, "kind": {"type": str}, "diff": str}],
            "summary": [object],
            "content": [object],
            "server": str,
            "tool": str,
            "arguments": object,
            "result": {"content": object},
            "error": {"message": str},
            "query": object,
            "action": object,
        },
    },
}

CODEX_APP = Dialect(
    "codex-app",
    _normalize,
    shape=_SHAPE,
    signs={
        "tool_call": tuple(f'"{kind}"'.encode() for kind in _TOOLS),
        "error": (b'"status"', b'"error"'),
    },
    usage_mark=b"tokenUsage",
)
