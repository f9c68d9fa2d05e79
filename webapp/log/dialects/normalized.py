"""Normalized events: the one shape in which all dialects give what an agent printed.

message        {"type","content"}, and "role": "user" for what the agent was given to read
message_delta  {"type","content"}: a piece of a message that comes whole later
reasoning      {"type","content"}
tool_call      {"type","id","name","args"}
tool_result    {"type","id","ok","result","name"?,"args"?,"media"?,"exitCode"?}
               and "refused": true where it was not allowed to run
usage          {"type","inputTokens","outputTokens","cachedInputTokens"?,"costUsd"?,"durationMs"?,…}
               and "partial": true for what one step of a turn took
error          {"type","message"}
system         {"type","subtype",…}: what the agent says about itself

What a subagent does has "parentId": the id of the call that started it.

The runner imports this and the dialects, so they use nothing but the standard library.
"""

from collections.abc import Callable, Mapping

Normalized = dict[str, object]
"""The data of one event; its `type` is also its name."""

Shape = Mapping[str, object]
"""The fields that a dialect reads of a line, so that a decoder skips all others.

A value is a type, `object` for any JSON, a list of one shape, or a shape."""


class Dialect:
    """How one agent's JSON lines become normalized events."""

    __slots__ = (
        *("name", "normalize", "shape", "signs", "usage_mark"),
        *("conversation_mark", "conversation_of", "lost_mark"),
    )

    def __init__(
        self,
        name: str,
        normalize: Callable[[dict[str, object]], list[Normalized]],
        *,
        shape: Shape,
        signs: Mapping[str, tuple[bytes, ...]],
        usage_mark: bytes | None = None,
        conversation_mark: bytes = b"",
        conversation_of: Callable[[Mapping[str, object]], str | None] = lambda _line: None,
        lost_mark: bytes = b"",
    ) -> None:
        self.name = name
        self.normalize = normalize
        """The events of a line; none where the line is an event of its own, as it is.

        Given a line without the fields that `shape` leaves out, it gives the same events,
        but for the fields of `system` and of events that are not normalized."""
        self.shape = shape
        self.signs = signs
        """For `tool_call` and `error`: a line without any of these bytes, and without those of
        the plain dialect, is no such event."""
        self.usage_mark = usage_mark
        """Stands in each line that says what one turn used. None: the last one counts all."""
        self.conversation_mark = conversation_mark
        """In the line that says which conversation an agent of one message remembers."""
        self.conversation_of = conversation_of
        """The id of that conversation, by such a line."""
        self.lost_mark = lost_mark
        """In the line, of stdout or stderr, that says that it does not know the conversation."""


# --- events ---------------------------------------------------------------------------


def message(content: str) -> Normalized:
    """What the agent says."""
    return {"type": "message", "content": content}


def user_message(content: str) -> Normalized:
    """What the agent was given to read."""
    return {"type": "message", "content": content, "role": "user"}


def message_delta(content: str) -> Normalized:
    """A piece of what the agent says."""
    return {"type": "message_delta", "content": content}


def reasoning(content: str) -> Normalized:
    """What the agent thinks before it speaks."""
    return {"type": "reasoning", "content": content}


def tool_call(call_id: str | None, name: str, args: object) -> Normalized:
    """A tool begins its work."""
    return {"type": "tool_call", "id": call_id, "name": name, "args": args}


def tool_result(call_id: str | None, result: object, *, ok: bool) -> Normalized:
    """What came of it."""
    return {"type": "tool_result", "id": call_id, "ok": ok, "result": result}


def with_exit_code(result: Normalized, code: object) -> Normalized:
    """A command's result with how it ended, if that is known."""
    return result | {"exitCode": code} if type(code) is int else result


def with_media(result: Normalized, content: object) -> Normalized:
    """A tool's result with the references that its content has: see `log/media.py`."""
    found: list[object] = []
    _collect_media(content, found, _MAX_NESTING)
    return {**result, "media": found} if found else result


def _collect_media(content: object, found: list[object], depth: int) -> None:
    if isinstance(content, dict):
        if "mediaType" in content:
            found.append(content)
            return
        content = list(content.values())
    if isinstance(content, list) and depth:
        for member in content:
            _collect_media(member, found, depth - 1)


def named_result(call_id: str, result: object, ok: bool, name: str, args: object) -> Normalized:
    """What came of it, and what it was: its call may not have been printed."""
    return {
        "type": "tool_result",
        "id": call_id,
        "name": name,
        "ok": ok,
        "result": result,
        "args": args,
    }


def usage(figures: Mapping[str, object]) -> Normalized:
    """What it took; figures that the agent does not know are left out."""
    known = {name: value for name, value in figures.items() if type(value) in _NUMBERS}
    return {"type": "usage", **known}


def error(text: str) -> Normalized:
    """Something went wrong."""
    return {"type": "error", "message": text}


def system(subtype: str, line: Mapping[str, object]) -> Normalized:
    """What the agent says about itself, as it printed it."""
    return {**line, "type": "system", "subtype": subtype}


_MAX_NESTING = 8
_NUMBERS = frozenset({int, float})


# --- reading what may be anything -----------------------------------------------------


def text_at(found: object, key: str) -> str | None:
    """A text in an object."""
    if isinstance(found, dict) and isinstance(value := found.get(key), str):
        return value
    return None


def object_at(found: object, key: str) -> dict[str, object]:
    """An object in an object, empty where there is none."""
    if isinstance(found, dict) and isinstance(value := found.get(key), dict):
        return value
    return {}


def list_at(found: object, key: str) -> list[object]:
    """A list in an object, empty where there is none."""
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, list) else []


def is_number(value: object) -> bool:
    """Whether a value is a number of JSON's."""
    return type(value) in _NUMBERS


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
    return _to_json(content)


def _text_of_block(block: object) -> str:
    text = text_at(block, "text")
    if text is not None:
        return text
    kind = text_at(block, "type")
    has_data = isinstance(block, dict) and ("data" in block or "source" in block)
    return f"[{kind}]" if kind is not None and has_data else _to_json(block)


def _to_json(value: object) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)
