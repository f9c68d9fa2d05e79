"""Our own kinds of event, as any program may print them: JSON lines, and lines of text.

Viewers get such a line as it was printed, with whatever names its fields have; `read_event`
gives its normalized form. The page reads them by the same rules
(`static/js/transcript/tool_calls.js`), and one table tests both.
"""

import re

from webapp.log.dialects.normalized import (
    Dialect,
    Normalized,
    error,
    is_number,
    list_at,
    message,
    message_delta,
    object_at,
    reasoning,
    system,
    text_at,
    tool_call,
    tool_result,
    usage,
    user_message,
)

_ID_KEYS = ("callId", "call_id", "toolCallId", "tool_call_id", "toolUseId", "tool_use_id", "id")
_NAME_KEYS = ("name", "tool", "toolName", "tool_name")
_ARGS_KEYS = ("args", "arguments", "input", "params", "parameters")
_RESULT_KEYS = ("result", "output", "content", "error", "message")
_EXIT_CODE_KEYS = ("exitCode", "exit_code")
_FAILED = ("error", "failed", "failure")
_TEXT_KEYS = ("text", "content", "response", "message", "delta")
_HOLDER_KEYS = ("message", "part", "item", "delta", "data", "content")
_PIECE = re.compile("delta|chunk", re.IGNORECASE)
"""In the name of an event that holds a piece of a text."""


def read_event(name: str, data: object) -> Normalized | None:
    """The normalized form of an event of stdout; None for one that has none.

    Besides those of `normalized`: `{"type": "output", "content"}` for a line of text, and
    `"partial": true` in it and in `message` where the text goes on.
    """
    if not isinstance(data, dict):
        return None
    if name == "message":
        return _message(data) or (_said(name, data) if data.get("type") == "message" else None)
    if name == "tool_call":
        return tool_call(_text(data, _ID_KEYS), _text(data, _NAME_KEYS) or "tool", _args(data))
    if name == "tool_result":
        return _tool_result(data)
    if name == "usage":
        found = usage(data)
        is_step: Normalized = {"partial": True} if data.get("partial") is True else {}
        return found | is_step if len(found) > 1 else None
    if name == "error":
        text = text_at(data, "message")
        return None if text is None else error(text)
    if name == "system":
        return system(text_at(data, "subtype") or "", data)
    return _said(name, data)


def _said(name: str, data: dict[str, object]) -> Normalized | None:
    """Text in an event of any other name, where programs usually have it."""
    content = text_in(data)
    if content is None:
        return None
    if name in ("message_delta", "reasoning"):
        return message_delta(content) if name == "message_delta" else reasoning(content)
    holders = (data, object_at(data, "message"))
    if "user" in (name, *(holder.get("role") for holder in holders)):
        return user_message(content)
    is_piece = data.get("partial") is True or "delta" in data or _PIECE.search(name)
    return message(content) | ({"partial": True} if is_piece else {})


def text_in(data: dict[str, object], depth: int = 2) -> str | None:
    """The text that an object holds under a usual name, or an object in it does."""
    for key in _TEXT_KEYS:
        value = data.get(key)
        if isinstance(value, str) and value:
            return value
        texts = [text for block in list_at(data, key) if (text := text_at(block, "text"))]
        if texts:
            return "\n".join(texts)
    if not depth:
        return None
    inner = (text_in(object_at(data, key), depth - 1) for key in _HOLDER_KEYS)
    return next((text for text in inner if text is not None), None)


def _message(data: dict[str, object]) -> Normalized | None:
    content = _first(data, ("content", "text"))
    if data.get("type", "message") != "message" or not isinstance(content, str):
        return None
    is_partial: Normalized = {"partial": True} if data.get("partial") is True else {}
    if "type" not in data:
        return {"type": "output", "content": content} | is_partial
    make = user_message if data.get("role") == "user" else message
    return make(content) | is_partial


def _tool_result(data: dict[str, object]) -> Normalized:
    result = _first(data, _RESULT_KEYS)
    ended = tool_result(
        _text(data, _ID_KEYS), data if result is None else result, ok=not _has_failed(data)
    )
    for key, value in (("name", _text(data, _NAME_KEYS)), ("args", _args(data))):
        if value is not None:
            ended[key] = value
    return ended


def _has_failed(data: dict[str, object]) -> bool:
    return (
        data.get("ok") is False
        or data.get("success") is False
        or data.get("isError") is True
        or data.get("is_error") is True
        or not (data.get("error") is None or data["error"] is False)
        or any(is_number(data.get(key)) and data[key] != 0 for key in _EXIT_CODE_KEYS)
        or data.get("status") in _FAILED
    )


def _args(data: dict[str, object]) -> object:
    return _first(data, _ARGS_KEYS)


def _first(data: dict[str, object], keys: tuple[str, ...]) -> object:
    return next((data[key] for key in keys if data.get(key) is not None), None)


def _text(data: dict[str, object], keys: tuple[str, ...]) -> str | None:
    value = _first(data, keys)
    return str(value) if isinstance(value, str) or is_number(value) else None


def _normalize(_line: dict[str, object]) -> list[Normalized]:
    """Each line is its own event."""
    return []


def _normalize_piece(line: dict[str, object]) -> list[Normalized]:
    """As each line is, but that a message is a piece of one, unless it says otherwise."""
    is_piece = line.get("type") == "message" and "partial" not in line
    return [{"partial": True, **line}] if is_piece else []


PLAIN = Dialect(
    "plain",
    _normalize,
    shape={"type": str},
    signs={
        "tool_call": (b'"tool_call"',),
        "error": (b'rror"', b"fail", b'"exit', b"false"),
    },
)

PIECES = Dialect(
    "pieces", _normalize_piece, shape={"type": str, "partial": object}, signs=PLAIN.signs
)
"""Of a program whose messages are pieces of a text: `messages = "pieces"` in its profile."""
