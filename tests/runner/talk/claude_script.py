"""From a recording of Claude Code to what a person does, and what a fake Claude plays."""

import json
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parents[2] / "agents" / "recordings" / "talk"
OURS = ("interrupt", "set_permission_mode", "set_model")
"""Requests that a person makes; others were only tried for the recording."""


class Act(NamedTuple):
    """What a person does."""

    kind: str
    fields: dict[str, Any]
    is_while_busy: bool
    approvals: int
    """How many the agent has asked for by then."""
    turns: int
    """How many turns have ended."""


def read_script(name: str) -> tuple[list[Act], list[dict[str, Any]]]:
    """The acts of a recording, and the entries for the player."""
    entries = _without_trials(name)
    acts: list[Act] = []
    played: list[dict[str, Any]] = []
    late: list[dict[str, Any]] = []
    asked: list[str] = []
    turns, is_busy = 0, False
    for entry in entries:
        line = json.loads(entry["line"])
        if entry["dir"] == "<":
            played.append(entry)
            if line.get("type") == "control_request":
                asked.append(line["request_id"])
            if line.get("type") == "result":
                turns, is_busy = turns + 1, False
            if line.get("type") == "result" or _is_tool_result(line):
                played += late
                is_busy = is_busy or bool(late)
                late = []
            continue
        kind, fields = _act(line, asked)
        acts.append(Act(kind, fields, is_busy, len(asked), turns))
        if kind == "message" and is_busy:
            late.append({"dir": ">", "line": json.dumps(line)})  # the runner keeps it until then
            played.append({"dir": "until", "line": f"said-{len(acts)}"})
        else:
            played.append({"dir": ">", "line": json.dumps(line)})
        is_busy = is_busy or kind == "message"
    return acts, played


def _without_trials(name: str) -> list[dict[str, Any]]:
    """Without what no runner sends, and the answers to it."""
    text = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8")
    entries = [json.loads(line) for line in text.splitlines()]
    kept: list[dict[str, Any]] = []
    asked: set[str] = set()
    dropped: set[str] = set()
    is_idle = True
    for entry in entries:
        if entry["dir"] not in "<>":
            continue
        line = json.loads(entry["line"])
        if entry["dir"] == "<":
            if line.get("type") == "result":
                is_idle = True
            if line.get("type") == "control_request":
                asked.add(line["request_id"])
            if line.get("type") == "control_cancel_request":
                asked.discard(line["request_id"])
            is_trial = line.get("response", {}).get("request_id") in dropped
            if not is_trial and line.get("type") != "command_lifecycle":
                kept.append(entry)
            continue
        if line["type"] == "control_request":
            request = line["request"]
            is_vain = request["subtype"] == "interrupt" and is_idle
            if request["subtype"] not in OURS or request.get("mode") == "nonsense" or is_vain:
                dropped.add(line["request_id"])
                continue
        if line["type"] == "control_response":
            request_id = line["response"]["request_id"]
            if request_id not in asked:
                continue  # late, or for nothing
            asked.remove(request_id)
        if line["type"] == "user":
            is_idle = False
        kept.append(entry)
    return kept


def _act(line: dict[str, Any], asked: list[str]) -> tuple[str, dict[str, Any]]:
    if line["type"] == "user":
        return "message", {"content": line["message"]["content"], "id": line.get("uuid")}
    if line["type"] == "control_request":
        request = line["request"]
        if request["subtype"] == "interrupt":
            return "interrupt", {}
        if request["subtype"] == "set_model":
            return "model", {"model": request["model"]}
        return "mode", {"mode": request["mode"]}
    response = line["response"]
    answer = response.get("response")
    if answer is None:  # an error: the runner sends a deny
        response.pop("error")
        response |= {"subtype": "success", "response": {"behavior": "deny"}}
        return "answer", {"option": "deny"}
    answer.pop("updatedPermissions", None)
    if answer["behavior"] == "deny":
        option = "deny_and_stop" if answer.get("interrupt") else "deny"
        return "answer", {"option": option, "message": answer["message"]}
    return "answer", {"option": "allow_once", "updatedInput": answer.get("updatedInput")}


def _is_tool_result(line: dict[str, Any]) -> bool:
    content = line.get("message", {}).get("content")
    return (
        line.get("type") == "user"
        and isinstance(content, list)
        and any(block["type"] == "tool_result" for block in content)
    )
