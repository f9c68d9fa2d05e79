"""An event as the parts that a person reads: runs of text, and single lines. Pure.

Agents have many names for the same thing; the pages know the same ones. Beside our own kind
of events there are those of Claude Code (`assistant`, `user`, `result`:
https://docs.claude.com/en/docs/claude-code/headless) and of Codex (`item.*`:
https://developers.openai.com/codex/noninteractive).
"""

import json
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from webapp.commands.terminal import one_line
from webapp.log.events import Event

MOST_LETTERS = 160
MOST_NOTICE_LETTERS = 2000

_NAME_KEYS = ("name", "tool", "toolName", "tool_name")
_ARGUMENT_KEYS = ("args", "arguments", "input", "params", "parameters")
_RESULT_KEYS = ("result", "output", "content", "error", "message")

Ending = Literal["line", "partial", "json"]


class Text(NamedTuple):
    """A piece of a run: `line` ends there, `partial` goes on, `json` leaves it open."""

    source: Literal["stdout", "stderr"]
    content: str
    ending: Ending


class Line(NamedTuple):
    """One line, clean and short, in a style of `terminal.STYLES`."""

    text: str
    style: str


def parts_of(event: Event) -> Iterator[Text | Line]:
    """What to show of an event; nothing at all for some."""
    data = json.loads(event.data)
    if not isinstance(data, dict):
        yield _other(event.name, {"data": data})
    elif event.name == "message":
        yield _message(data)
    elif event.name == "stderr":
        ending: Ending = "partial" if data.get("partial") is True else "line"
        yield Text("stderr", str(data.get("message", "")), ending)
    elif event.name in _LINES:
        yield _LINES[event.name](data)
    elif event.name in ("assistant", "user") and _blocks(data):
        yield from _claude(_blocks(data))
    elif event.name.startswith("item.") and isinstance(data.get("item"), dict):
        yield from _codex(event.name, data["item"])
    else:
        yield _other(event.name, data)


def _message(data: dict[str, Any]) -> Text | Line:
    content = data.get("content", data.get("text"))
    if data.get("type", "message") != "message" or not isinstance(content, str):
        return _other(str(data.get("type", "message")), data)
    if data.get("partial") is True:
        return Text("stdout", content, "partial")
    return Text("stdout", content, "json" if "type" in data else "line")


def _session(data: dict[str, Any]) -> Line:
    pid = data.get("pid")
    facts = [data.get("sessionId"), data.get("agent"), None if pid is None else f"pid {pid}"]
    shown = [str(fact) for fact in (*facts, data.get("startedAt")) if fact is not None]
    return _line("--", ", ".join(shown), "dim")


def _input(data: dict[str, Any]) -> Line:
    return _line(">", str(data.get("content", "")), "bold")


def _notice(data: dict[str, Any]) -> Line:
    kind = data.get("type", "notice")
    message = data.get("message")
    rest = {key: value for key, value in data.items() if key != "type"}
    text = message if isinstance(message, str) else in_one_line(rest)
    style = "red" if kind == "error" else "yellow"
    return _line("--", f"{kind}: {text}", style, most=MOST_NOTICE_LETTERS)


def _done(data: dict[str, Any]) -> Line:
    facts = [f"done: {data.get('status')}"]
    if data.get("exitCode") is not None:
        facts.append(f"exit code {data['exitCode']}")
    if data.get("signal") is not None:
        facts.append(str(data["signal"]))
    return _line("--", ", ".join(facts), "green" if data.get("status") == "succeeded" else "red")


def _tool_call(data: dict[str, Any]) -> Line:
    name = _first(data, _NAME_KEYS)
    return _line("->", f"{name or 'tool'}  {in_one_line(_first(data, _ARGUMENT_KEYS))}", "cyan")


def _tool_result(data: dict[str, Any]) -> Line:
    name, result = _first(data, _NAME_KEYS), _first(data, _RESULT_KEYS)
    failed = (
        data.get("ok") is False
        or data.get("success") is False
        or bool(data.get("is_error") or data.get("isError") or data.get("error"))
    )
    text = in_one_line(result)
    return _line("<x" if failed else "<-", f"{name}  {text}" if name else text, _as_bad(failed))


def _as_bad(failed: bool) -> str:
    return "red" if failed else "dim"


_LINES = {
    "session": _session,
    "input": _input,
    "notice": _notice,
    "done": _done,
    "tool_call": _tool_call,
    "tool_result": _tool_result,
}


def _other(name: str, data: dict[str, Any]) -> Line:
    rest = {key: value for key, value in data.items() if key != "type"}
    return _line("--", f"{name}: {in_one_line(rest)}", "dim")


# --- other agents' events ---------------------------------------------------------------


def _blocks(data: dict[str, Any]) -> list[Any]:
    message = data.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, list) else []


def _claude(blocks: list[Any]) -> Iterator[Text | Line]:
    """https://docs.claude.com/en/api/messages: the blocks of a message."""
    for block in blocks:
        if not isinstance(block, dict):
            continue
        kind = block.get("type")
        if kind == "text":
            yield Text("stdout", str(block.get("text", "")), "line")
        elif kind == "tool_use":
            yield _tool_call(block)
        elif kind == "tool_result":
            yield _tool_result(block)
        else:
            yield _other(str(kind), block)


def _codex(name: str, item: dict[str, Any]) -> Iterator[Text | Line]:
    kind = item.get("type", item.get("item_type"))
    if kind == "agent_message":
        if name == "item.completed":
            yield Text("stdout", str(item.get("text", "")), "line")
    elif kind == "command_execution" and name == "item.started":
        yield _line("->", str(item.get("command", "")), "cyan")
    elif kind == "command_execution" and name == "item.completed":
        failed = item.get("exit_code") not in (0, None)
        yield _line(
            "<x" if failed else "<-", str(item.get("aggregated_output", "")), _as_bad(failed)
        )
    elif name == "item.completed":
        yield _other(str(kind), item)


# --- values -----------------------------------------------------------------------------


def _line(mark: str, text: str, style: str, *, most: int = MOST_LETTERS) -> Line:
    return Line(f"{mark} {one_line(text, most)}", style)


def _first(data: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((data[key] for key in keys if data.get(key) is not None), None)


def in_one_line(value: Any) -> str:
    """`path: a.py, lines: 3` for an object; a text as it is, anything else as JSON."""
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_short(member)}" for key, member in value.items())
    return "" if value is None else _short(value)


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
