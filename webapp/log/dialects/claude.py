"""Claude Code: `claude -p --output-format stream-json --verbose`.

https://docs.claude.com/en/docs/claude-code/headless and
https://docs.claude.com/en/docs/agent-sdk/typescript (SDKMessage). Its `assistant` and `user`
lines hold a message of the Messages API: https://docs.claude.com/en/api/messages

`total_cost_usd` adds up over the process; `usage` and `duration_ms` are of one turn.
"""

import re
from collections.abc import Callable, Mapping

from webapp.log.dialects.normalized import (
    Dialect,
    Normalized,
    error,
    list_at,
    message,
    message_delta,
    object_at,
    reasoning,
    system,
    text_at,
    text_of,
    tool_call,
    tool_result,
    usage,
    user_message,
    with_exit_code,
    with_media,
)

_INPUTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
"""Counted apart from each other."""

_ABOUT_ITSELF = frozenset(
    {"command_lifecycle", "conversation_reset", "session_state_changed", "keep_alive"}
)
_CONTROL = "control_"
"""Begins the types of its control protocol: requests, answers and withdrawals."""
_EXIT_CODE = re.compile(r"Exit code (-?\d{1,9})(?:\n|$)")
"""Begins the result of a command that failed."""
_REFUSED = re.compile(
    r"The user doesn't want to |Claude requested permissions to |The user did not allow "
    r"|Permission to use .{1,200} has been denied"
)
"""Begins the result of a call that was not allowed to run."""


def _normalize(line: dict[str, object]) -> list[Normalized]:
    """The events of a line; none for one that is its own event, such as `system`."""
    found = _events(line)
    parent = text_at(line, "parent_tool_use_id")
    return found if parent is None else [event | {"parentId": parent} for event in found]


def _events(line: dict[str, object]) -> list[Normalized]:
    kind = line.get("type")
    if kind == "stream_event":
        return [_piece(line)]
    if kind == "assistant":
        return _message(line, message if text_at(line, "error") is None else error)
    if kind == "user":
        if line.get("isReplay") is True:
            return [system("user", line)]
        return _message(line, user_message)
    if kind == "result":
        return _result(line)
    if isinstance(kind, str) and (kind in _ABOUT_ITSELF or kind.startswith(_CONTROL)):
        return [system(kind, line)]
    return []


def _message(line: dict[str, object], say: Callable[[str], Normalized]) -> list[Normalized]:
    """`say`: what a text in this line is. Instead of an answer, Claude Code may say an error."""
    content = object_at(line, "message").get("content")
    if isinstance(content, str):
        return [say(content)]
    if not isinstance(content, list):
        return []
    return [_block(block, say) for block in content]


def _block(block: object, say: Callable[[str], Normalized]) -> Normalized:
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
        return _tool_result(answered, block)
    return block | {"type": kind or "message"}


def _tool_result(call_id: str, block: dict[str, object]) -> Normalized:
    failed = block.get("is_error") is True
    content = block.get("content")
    text = text_of(content)
    if not failed:
        return with_media(tool_result(call_id, text, ok=True), content)
    if (code := _EXIT_CODE.match(text)) is not None:
        found = tool_result(call_id, text[code.end() :], ok=False)
        return with_exit_code(found, int(code[1]))
    found = tool_result(call_id, text, ok=False)
    return found | {"refused": True} if _REFUSED.match(text) else found


def _result(line: dict[str, object]) -> list[Normalized]:
    """The end of a turn. Its `result` repeats the last message; an error says why there is none."""
    used = object_at(line, "usage")
    inputs = [count for name in _INPUTS if isinstance(count := used.get(name), int)]
    took = usage(
        {
            "inputTokens": sum(inputs) if inputs else None,
            "cachedInputTokens": used.get("cache_read_input_tokens"),
            "outputTokens": used.get("output_tokens"),
            "costUsd": line.get("total_cost_usd"),
            "durationMs": line.get("duration_ms"),
        }
    )
    subtype = text_at(line, "subtype") or "success"
    was_interrupted = (text_at(line, "terminal_reason") or "").startswith("aborted_")
    if subtype == "success" or was_interrupted:
        return [took]
    reasons = [text_of(reason) for reason in list_at(line, "errors")]
    return [error("\n".join(reasons) or subtype), took]


def _piece(line: dict[str, object]) -> Normalized:
    """Of `--include-partial-messages`: the Messages API's own events.

    All but the pieces of a text are quiet, since everything comes whole in `assistant`.
    """
    delta = object_at(object_at(line, "event"), "delta")
    kind = delta.get("type")
    if kind == "text_delta" and (text := text_at(delta, "text")) is not None:
        return message_delta(text)
    if kind == "thinking_delta" and (thought := text_at(delta, "thinking")) is not None:
        return system("reasoning_delta", {"content": thought})
    return system("stream_event", line)


def _is_init(line: Mapping[str, object]) -> bool:
    return line.get("type") == "system" and line.get("subtype") == "init"


_SHAPE = {
    "type": str,
    "subtype": str,
    "isReplay": bool,
    "parent_tool_use_id": str,
    "error": object,
    "message": {
        "content": [
            {
                "type": str,
                "text": str,
                "thinking": str,
                "id": str,
                "name": str,
                "input": object,
                "tool_use_id": str,
                "is_error": bool,
                "content": object,
            }
        ]
    },
    "event": {"delta": {"type": str, "text": str, "thinking": str}},
    "usage": {**dict.fromkeys(_INPUTS, object), "output_tokens": object},
    "total_cost_usd": object,
    "duration_ms": object,
    "errors": [object],
    "terminal_reason": str,
}

CLAUDE = Dialect(
    "claude",
    _normalize,
    shape=_SHAPE,
    signs={
        "tool_call": (b'tool_use"',),
        "error": (b'"result"', b"is_error"),
    },
    usage_mark=b'"total_cost_usd"',
    conversation_mark=b'"init"',
    conversation_of=lambda line: text_at(line, "session_id") if _is_init(line) else None,
    lost_mark=b"No conversation found with session ID",
)
