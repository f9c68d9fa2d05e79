"""OpenCode: `opencode run --format json`.

https://opencode.ai/docs/cli/#run. Each line holds one part of a message, whole: a text, a tool
with what came of it, or the end of a step, whose tokens and price are of that step alone.
"""

from typing import Any

from webapp.log.dialects.normalized import (
    Dialect,
    Normalized,
    error,
    is_number,
    message,
    object_at,
    reasoning,
    system,
    text_at,
    text_of,
    tool_call,
    tool_result,
    usage,
    with_exit_code,
)


def _normalize(line: dict[str, Any]) -> list[Normalized]:
    """The events of a line; none for one of a type that is not known."""
    kind, part = text_at(line, "type"), object_at(line, "part")
    text = text_at(part, "text")
    if kind in ("text", "reasoning") and text is not None:
        return [message(text) if kind == "text" else reasoning(text)]
    if kind == "tool_use":
        return _tool(part)
    if kind == "step_finish":
        return [_usage(part)]
    if kind == "step_start":
        return [system(kind, line)]
    if kind == "error":
        return [error(_reason(object_at(line, "error")))]
    return []


def _tool(part: dict[str, Any]) -> list[Normalized]:
    """A call, and what came of it: it is printed when it has ended."""
    name, call_id = text_at(part, "tool") or "tool", text_at(part, "callID")
    state = object_at(part, "state")
    called = tool_call(call_id, name, state.get("input"))
    if state.get("status") not in ("completed", "error"):
        return [called]
    exit_code = object_at(state, "metadata").get("exit")
    failed = state["status"] == "error" or (is_number(exit_code) and exit_code != 0)
    said = state.get("error") if state["status"] == "error" else state.get("output")
    found = tool_result(call_id, text_of(said), ok=not failed)
    return [called, with_exit_code(found, exit_code)]


def _usage(part: dict[str, Any]) -> Normalized:
    tokens = object_at(part, "tokens")
    cached = object_at(tokens, "cache")
    counts = (tokens.get("input"), cached.get("read"), cached.get("write"))
    inputs = [count for count in counts if isinstance(count, int | float)]
    found = usage(
        {
            "inputTokens": sum(inputs) if inputs else None,
            "cachedInputTokens": cached.get("read"),
            "outputTokens": tokens.get("output"),
            "costUsd": part.get("cost"),
        }
    )
    return found | {"partial": True}


def _reason(found: dict[str, Any]) -> str:
    data = object_at(found, "data")
    name = text_at(found, "name") or "error"
    return text_at(data, "message") or text_at(found, "message") or name


_SHAPE = {
    "type": str,
    "sessionID": str,
    "part": {
        "text": str,
        "tool": str,
        "callID": str,
        "state": {
            "status": str,
            "input": object,
            "output": object,
            "error": object,
            "metadata": {"exit": object},
        },
        "tokens": {
            "input": object,
            "output": object,
            "cache": {"read": object, "write": object},
        },
        "cost": object,
    },
    "error": {"name": str, "message": str, "data": {"message": str}},
}

OPENCODE = Dialect(
    "opencode",
    _normalize,
    shape=_SHAPE,
    signs={
        "tool_call": (b'"tool_use"',),
        "error": (b'"tool_use"', b'"error"'),
    },
    usage_mark=b'"step_finish"',
    conversation_mark=b'"sessionID"',
    conversation_of=lambda line: text_at(line, "sessionID"),
    lost_mark=b"Session not found",
)
