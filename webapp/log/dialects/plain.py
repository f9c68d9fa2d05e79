"""Our own kinds of event, as any program may print them: JSON lines, and lines of text.

Viewers get such a line as it was printed, with whatever names its fields have; `read_event`
gives its normalized form. The page reads them by the same rules
(`static/js/transcript/tool_calls.js`), and one table tests both.
"""

from webapp.log.dialects.normalized import (
    Dialect,
    Normalized,
    error,
    is_number,
    message,
    message_delta,
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


def read_event(name: str, data: object) -> Normalized | None:
    """The normalized form of an event of stdout; None for one that has none.

    Besides those of `normalized`: `{"type": "output", "content"}` for a line of text, and
    `"partial": true` in it and in `message` where the text goes on.
    """
    if not isinstance(data, dict):
        return None
    if name == "message":
        return _message(data)
    if name == "tool_call":
        return tool_call(_text(data, _ID_KEYS), _text(data, _NAME_KEYS) or "tool", _args(data))
    if name == "tool_result":
        return _tool_result(data)
    if name == "usage":
        found = usage(data)
        return found if len(found) > 1 else None
    if name == "error":
        text = text_at(data, "message")
        return None if text is None else error(text)
    if name == "system":
        return system(text_at(data, "subtype") or "", data)
    content = text_at(data, "content")
    if content is None or name not in ("message_delta", "reasoning"):
        return None
    return message_delta(content) if name == "message_delta" else reasoning(content)


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
