"""An event as the parts that a person reads: runs of text, and single lines. Pure."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

from webapp.commands.conversation_parts import conversation_line, is_of_conversation
from webapp.commands.terminal import one_line
from webapp.log.dialects.plain import read_event
from webapp.log.events import Event
from webapp.log.joining import Form, form_of

MOST_LETTERS = 160
MOST_NOTICE_LETTERS = 2000


Source = Literal["stdout", "stderr"]


class Text(NamedTuple):
    """Some text of a run."""

    source: Source
    content: str
    form: Form


class Line(NamedTuple):
    """One line, clean and short, in a style of `terminal.STYLES`."""

    text: str
    style: str
    topic: str | None = None
    """Of what an agent says about itself: a run of lines on one topic is shown as one."""


def parts_of(event: Event) -> Iterator[Text | Line]:
    """What to show of an event; nothing at all for some."""
    data = json.loads(event.data)
    if not isinstance(data, dict):
        yield _other(event.name, {"data": data})
    elif event.name == "stderr":
        form: Form = "partial" if data.get("partial") is True else "line"
        yield Text("stderr", str(data.get("message", "")), form)
    elif event.name in _OURS:
        yield _OURS[event.name](data)
    elif is_of_conversation(event.name):
        line = conversation_line(event.name, data)
        if line is not None:
            mark, text, style = line
            yield _line(mark, text, style, most=MOST_NOTICE_LETTERS)
    else:
        yield from _said(event.name, data)


def _said(name: str, data: dict[str, Any]) -> Iterator[Text | Line]:
    """What an agent says."""
    said = read_event(name, data)
    form = None if said is None else form_of(said)
    if said is None:
        yield _other(str(data.get("type", name)) if name == "message" else name, data)
    elif form is not None:
        yield Text("stdout", str(said["content"]), form)
    elif said["type"] in _LINES:
        yield _LINES[said["type"]](said)
    else:
        yield _other(name, data)


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


def _tool_call(said: dict[str, Any]) -> Line:
    return _line("->", f"{said['name']}  {in_one_line(said['args'])}", "cyan")


def _tool_result(said: dict[str, Any]) -> Line:
    name, text = said.get("name"), in_one_line(said["result"])
    shown = f"{name}  {text}" if name else text
    return _line("<-", shown, "dim") if said["ok"] else _line("<x", shown, "red")


def _error(said: dict[str, Any]) -> Line:
    return _line("--", f"error: {said['message']}", "red", most=MOST_NOTICE_LETTERS)


_OURS: dict[str, Callable[[dict[str, Any]], Line]] = {
    "session": _session,
    "input": _input,
    "notice": _notice,
    "done": _done,
}


def _system(said: dict[str, Any]) -> Line:
    return _other("system", said)._replace(topic=str(said["subtype"]))


_LINES: dict[object, Callable[[dict[str, Any]], Line]] = {
    "message": _input,
    "system": _system,
    "tool_call": _tool_call,
    "tool_result": _tool_result,
    "error": _error,
}


def _other(name: str, data: dict[str, Any]) -> Line:
    rest = {key: value for key, value in data.items() if key != "type"}
    return _line("--", f"{name}: {in_one_line(rest)}", "dim")


# --- values -----------------------------------------------------------------------------


def _line(mark: str, text: str, style: str, *, most: int = MOST_LETTERS) -> Line:
    return Line(f"{mark} {one_line(text, most)}", style)


def in_one_line(value: Any) -> str:
    """`path: a.py, lines: 3` for an object; a text as it is, anything else as JSON."""
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_short(member)}" for key, member in value.items())
    return "" if value is None else _short(value)


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
