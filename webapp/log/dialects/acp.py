"""The Agent Client Protocol: JSON-RPC lines, which have a method and no type.

https://agentclientprotocol.com/protocol/prompt-turn. A message comes in pieces and never whole.
"""

from typing import Any

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


def _normalize(line: dict[str, Any]) -> list[Normalized]:
    """The events of a line; none for one that is no JSON-RPC."""
    method = text_at(line, "method")
    if method is None:
        return _answer(line)
    if method != "session/update":
        return [system(method, line)]
    update = object_at(object_at(line, "params"), "update")
    found = _update(text_at(update, "sessionUpdate"), update)
    return [system(method, line) if found is None else found]


def _answer(line: dict[str, Any]) -> list[Normalized]:
    """The end of a turn says what it took; any other answer is the protocol's own."""
    if "id" not in line or not ("result" in line or "error" in line):
        return []
    if (text := text_at(object_at(line, "error"), "message")) is not None:
        return [error(text)]
    used = object_at(object_at(line, "result"), "usage")
    found = usage(
        {
            "inputTokens": used.get("inputTokens"),
            "cachedInputTokens": used.get("cachedReadTokens"),
            "outputTokens": used.get("outputTokens"),
        }
    )
    return [found if len(found) > 1 else system("response", line)]


def _update(kind: str | None, update: dict[str, Any]) -> Normalized | None:
    if kind in ("agent_message_chunk", "agent_thought_chunk"):
        text = text_at(object_at(update, "content"), "text")
        if text is None:
            return None
        is_thought = kind == "agent_thought_chunk"
        return (reasoning(text) if is_thought else message(text)) | {"partial": True}
    call_id = text_at(update, "toolCallId")
    if kind == "tool_call" and call_id is not None:
        name = text_at(update, "title") or text_at(update, "kind") or "tool"
        return tool_call(call_id, name, update.get("rawInput"))
    if kind == "tool_call_update" and update.get("status") in ("completed", "failed"):
        return _result(call_id, update)
    if kind == "usage_update":
        found = usage({"costUsd": object_at(update, "cost").get("amount")})
        return found if len(found) > 1 else None
    return None


def _result(call_id: str | None, update: dict[str, Any]) -> Normalized:
    parts = [_text_of_part(part) for part in list_at(update, "content")]
    text = "\n".join(parts) or text_of(update.get("rawOutput"))
    found = tool_result(call_id, text, ok=update.get("status") == "completed")
    title = text_at(update, "title")
    if title is not None:
        found |= {"name": title, "args": update.get("rawInput")}
    return {key: value for key, value in found.items() if value is not None}


def _text_of_part(part: object) -> str:
    """Of a tool's content: a block, or a file's change."""
    if text_at(part, "type") == "diff":
        return f"{text_at(part, 'path') or '?'}\n{text_at(part, 'newText') or ''}"
    return text_of([object_at(part, "content")] if object_at(part, "content") else [part])


_SHAPE = {
    "id": object,
    "method": str,
    "error": {"message": str},
    "result": object,
    "params": {
        "update": {
            "sessionUpdate": str,
            "content": object,
            "toolCallId": str,
            "title": str,
            "kind": str,
            "status": object,
            "rawInput": object,
            "rawOutput": object,
            "cost": {"amount": object},
        }
    },
}

ACP = Dialect(
    "acp",
    _normalize,
    shape=_SHAPE,
    signs={
        "tool_call": (b'"tool_call"',),
        "error": (b'"failed"', b'"error"'),
    },
    usage_mark=b"usage",
)
