"""Gemini CLI: `gemini --output-format stream-json`.

https://geminicli.com/docs/cli/headless. What the model says comes in pieces, and never whole.
"""

from collections.abc import Mapping
from typing import Any

from webapp.log.dialects.normalized import (
    Dialect,
    Normalized,
    error,
    message,
    object_at,
    system,
    text_at,
    text_of,
    tool_call,
    tool_result,
    usage,
    user_message,
)


def _normalize(line: dict[str, Any]) -> list[Normalized]:
    """The events of a line; none for one of a type that is not known."""
    kind, call_id = text_at(line, "type"), text_at(line, "tool_id")
    if kind == "message" and (text := text_at(line, "content")) is not None:
        if line.get("role") == "user":
            return [user_message(text)]
        return [message(text) | ({"partial": True} if line.get("delta") is True else {})]
    if kind == "tool_use":
        return [tool_call(call_id, text_at(line, "tool_name") or "tool", line.get("parameters"))]
    if kind == "tool_result":
        return [_result(call_id, line)]
    if kind == "result":
        return _end(line)
    if kind == "error" and (text := text_at(line, "message")) is not None:
        return [error(text)]
    return [system(kind, line)] if kind == "init" else []


def _result(call_id: str | None, line: dict[str, Any]) -> Normalized:
    reason = text_at(object_at(line, "error"), "message")
    text = text_of(line.get("output")) or reason or ""
    return tool_result(call_id, text, ok=line.get("status") != "error")


def _end(line: dict[str, Any]) -> list[Normalized]:
    """The end of a turn. Its statistics are of this process, which is one turn."""
    stats = object_at(line, "stats")
    took = usage(
        {
            "inputTokens": stats.get("input_tokens"),
            "cachedInputTokens": stats.get("cached"),
            "outputTokens": stats.get("output_tokens"),
            "durationMs": stats.get("duration_ms"),
        }
    )
    reason = text_at(object_at(line, "error"), "message")
    ends = [took] if len(took) > 1 else []
    return ends if reason is None else [error(reason), *ends]


def _conversation(line: Mapping[str, object]) -> str | None:
    return text_at(line, "session_id") if line.get("type") == "init" else None


_SHAPE = {
    "type": str,
    "role": str,
    "content": str,
    "delta": bool,
    "tool_name": str,
    "tool_id": str,
    "parameters": object,
    "status": str,
    "output": object,
    "error": {"message": str},
    "message": str,
    "stats": dict.fromkeys(("input_tokens", "cached", "output_tokens", "duration_ms"), object),
}

GEMINI = Dialect(
    "gemini",
    _normalize,
    shape=_SHAPE,
    signs={
        "tool_call": (b'"tool_use"',),
        "error": (b'"error"',),
    },
    usage_mark=b'"stats"',
    conversation_mark=b'"init"',
    conversation_of=_conversation,
)
