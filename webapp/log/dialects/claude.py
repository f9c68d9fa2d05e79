"""Claude Code: `claude -p --output-format stream-json --verbose`.

https://docs.claude.com/en/docs/claude-code/headless and
https://docs.claude.com/en/docs/agent-sdk/typescript (SDKMessage). Its `assistant` and `user`
lines hold a message of the Messages API: https://docs.claude.com/en/api/messages
"""

from collections.abc import Callable
from typing import Any

from webapp.log.dialects.told import (
    Told,
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
    user_message,
)

_INPUTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
"""Counted apart from each other."""


def tell_claude(line: dict[str, Any]) -> list[Told]:
    """What a line says; nothing for one that is its own event, such as `system`."""
    kind = line.get("type")
    if kind in ("assistant", "user"):
        return _message(line)
    if kind == "result":
        return _result(line)
    if kind == "stream_event":
        return _piece(line)
    return []


def _message(line: dict[str, Any]) -> list[Told]:
    content = object_at(line, "message").get("content")
    say = _say_of(line)
    if isinstance(content, str):
        return [say(content)]
    if not isinstance(content, list):
        return []
    return [_block(block, say) for block in content]


def _say_of(line: dict[str, Any]) -> Callable[[str], Told]:
    """What a text in this line is. Where there is no answer, Claude Code says itself why."""
    if line["type"] == "user":
        return user_message
    return message if text_at(line, "error") is None else error


def _block(block: object, say: Callable[[str], Told]) -> Told:
    if not isinstance(block, dict):
        return say(text_of(block))
    kind = text_at(block, "type") or ""
    text, call_id = text_at(block, "text"), text_at(block, "id")
    if kind == "text" and text is not None:
        return say(text)
    if kind == "thinking" and (thought := text_at(block, "thinking")) is not None:
        return reasoning(thought)
    if kind.endswith("tool_use") and call_id is not None:
        return tool_call(call_id, text_at(block, "name") or kind, block.get("input"))
    if kind.endswith("tool_result") and (answered := text_at(block, "tool_use_id")) is not None:
        failed = block.get("is_error") is True
        return tool_result(answered, text_of(block.get("content")), ok=not failed)
    return block | {"type": kind or "message"}


def _result(line: dict[str, Any]) -> list[Told]:
    """The end of a turn. Its `result` is the last message once more; told is why it has none."""
    used = object_at(line, "usage")
    inputs = [used[name] for name in _INPUTS if isinstance(used.get(name), int)]
    figures = {
        "inputTokens": sum(inputs) if inputs else None,
        "cachedInputTokens": used.get("cache_read_input_tokens"),
        "outputTokens": used.get("output_tokens"),
        "costUsd": line.get("total_cost_usd"),
        "durationMs": line.get("duration_ms"),
    }
    subtype = text_at(line, "subtype") or "success"
    if subtype == "success":
        return [usage(figures)]
    reasons = [text_of(reason) for reason in list_at(line, "errors")]
    return [error("\n".join(reasons) or subtype), usage(figures)]


def _piece(line: dict[str, Any]) -> list[Told]:
    """Of `--include-partial-messages`: the Messages API's own events.

    A piece of a text is told as such; its whole comes as `assistant`, as all the rest does.
    """
    delta = object_at(object_at(line, "event"), "delta")
    text = text_at(delta, "text") if delta.get("type") == "text_delta" else None
    if text is None:
        return [system("stream_event", line)]
    return [{"type": "message_delta", "content": text}]
