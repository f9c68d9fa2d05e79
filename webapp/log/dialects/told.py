"""The words that dialects put an agent's lines in: one shape for all agents.

message        {"type","content"}, and "role": "user" where it is not the agent's own
message_delta  {"type","content"}: a piece of a message that comes whole later
reasoning      {"type","content"}
tool_call      {"type","id","name","args"}
tool_result    {"type","id","name"?,"ok","result"}
usage          {"type","inputTokens","outputTokens","cachedInputTokens"?,"costUsd"?,"durationMs"?,…}
error          {"type","message"}
system         {"type","subtype",…}: what the agent says about itself
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from webapp.log.events import Dialect, event_name, refuse_constant

Told = dict[str, object]
"""The data of one event; its `type` names it."""
Tell = Callable[[dict[str, Any]], list[Told]]
"""From a line to what it says; nothing where it is none that the dialect knows."""


def dialect_of(tell: Tell) -> Dialect:
    """A dialect on texts from one on JSON objects.

    What cannot be read, or not be written again as JSON, is no line of the dialect's.
    """

    def translate(data: str) -> list[tuple[str, str]]:
        line = _decode(data)
        if not isinstance(line, dict):
            return []
        try:
            return [(event_name(str(told["type"])), _encode(told)) for told in tell(line)]
        except ValueError:
            return []

    return translate


def _decode(data: str) -> Any:
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        pass
    try:  # it takes halves of surrogate pairs and huge numbers
        return json.loads(data, parse_constant=refuse_constant)
    except ValueError:
        return None


def _encode(told: Told) -> str:
    """On one line. ValueError for what JSON has no number for."""
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair stays what it was: an escape
        return json.dumps(told, separators=(",", ":"), allow_nan=False)
    return text


# --- events ---------------------------------------------------------------------------


def message(content: str) -> Told:
    """What the agent says."""
    return {"type": "message", "content": content}


def user_message(content: str) -> Told:
    """What it was told."""
    return {"type": "message", "content": content, "role": "user"}


def reasoning(content: str) -> Told:
    """What the agent thinks before it speaks."""
    return {"type": "reasoning", "content": content}


def tool_call(call_id: str, name: str, args: object) -> Told:
    """A tool begins its work."""
    return {"type": "tool_call", "id": call_id, "name": name, "args": args}


def tool_result(call_id: str, result: str, *, ok: bool, name: str | None = None) -> Told:
    """What came of it."""
    named = {} if name is None else {"name": name}
    return {"type": "tool_result", "id": call_id, **named, "ok": ok, "result": result}


def usage(figures: Mapping[str, object]) -> Told:
    """What it took; figures that the agent does not know are left out."""
    return {"type": "usage"} | {name: value for name, value in figures.items() if _is_number(value)}


def error(text: str) -> Told:
    """Something went wrong."""
    return {"type": "error", "message": text}


def system(subtype: str, line: Mapping[str, object]) -> Told:
    """What the agent says about itself, as it said it."""
    return {"type": "system", "subtype": subtype} | {
        name: value for name, value in line.items() if name not in ("type", "subtype")
    }


# --- reading what may be anything -----------------------------------------------------


def text_at(found: object, key: str) -> str | None:
    """A text in an object."""
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, str) else None


def object_at(found: object, key: str) -> dict[str, Any]:
    """An object in an object, empty where there is none."""
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, dict) else {}


def list_at(found: object, key: str) -> list[Any]:
    """A list in an object, empty where there is none."""
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, list) else []


def text_of(content: object) -> str:
    """The text of content blocks, as the Messages API and MCP have them; other things as JSON.

    https://docs.claude.com/en/api/messages
    https://modelcontextprotocol.io/specification/2025-06-18/server/tools
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(_text_of_block(block) for block in content)
    return _encode_any(content)


def _text_of_block(block: object) -> str:
    text = text_at(block, "text")
    if text is not None:
        return text
    kind = text_at(block, "type")
    has_data = isinstance(block, dict) and ("data" in block or "source" in block)
    return f"[{kind}]" if kind is not None and has_data else _encode_any(block)


def _encode_any(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
