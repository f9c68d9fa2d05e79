"""From a recording of Codex or of an ACP agent to what a person does, and what a fake one plays."""

import json
from typing import Any

from tests.runner.talk.claude_script import FOLDER, Act

HANDSHAKE = ("initialize", "initialized", "thread/start", "session/new", "session/set_mode")
MESSAGES = ("turn/start", "session/prompt")
TRIED = ("turn/steer",)
"""What was only tried for the recording."""


class RpcScript:
    """The acts of a recording, and the entries for the player."""

    def __init__(self, name: str, *, steers: bool) -> None:
        self.acts: list[Act] = []
        self.played: list[dict[str, Any]] = []
        self._steers = steers
        self._late: list[dict[str, Any]] = []
        self._options: dict[Any, list[dict[str, Any]]] = {}
        self._dropped: set[Any] = set()
        self._prompts: set[Any] = set()
        self._open: set[Any] = set()
        self._mode: str | None = None
        self._asked = self._turns = 0
        self._is_busy = False
        text = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8")
        for entry in map(json.loads, text.splitlines()):
            if entry["dir"] in "<>":
                self._read(entry["dir"], json.loads(entry["line"]))

    def _read(self, direction: str, line: dict[str, Any]) -> None:
        if direction == "<":
            self._from_agent(line)
            return
        method = line.get("method")
        if method in TRIED or (method == "thread/resume" and "excludeTurns" not in line["params"]):
            self._dropped.add(line["id"])
        elif method == "session/set_mode" and line["params"]["modeId"] == self._mode:
            self._dropped.add(line["id"])  # it is in that mode already
        elif method == "thread/resume":  # the fake one is asked for a new thread
            self._expect({"id": line["id"], "method": "thread/start"})
        elif method in HANDSHAKE:
            self._expect(line)
        elif method in MESSAGES:
            self._message(line)
        elif method in ("turn/interrupt", "session/cancel"):
            self._act("interrupt", {})
            self._expect(line)
        elif line["id"] in self._open:
            self._answer(line)

    def _from_agent(self, line: dict[str, Any]) -> None:
        method = line.get("method")
        if method is None and line.get("id") in self._dropped:
            return
        self.played.append({"dir": "<", "line": json.dumps(line)})
        if method is not None and "id" in line:
            self._asked += 1
            self._open.add(line["id"])
            self._options[line["id"]] = line["params"].get("options") or []
        result = line.get("result")
        if isinstance(result, dict) and "modes" in result:
            self._mode = result["modes"]["currentModeId"]
        is_end = method is None and line.get("id") in self._prompts
        if method == "turn/completed" or is_end:
            self._turns += 1
            self.played += self._late
            self._is_busy, self._late = bool(self._late), []

    def _message(self, line: dict[str, Any]) -> None:
        params = line["params"]
        wire = {key: params[key] for key in ("threadId", "sessionId") if key in params}
        parts = "input" if "input" in params else "prompt"
        wire[parts] = params[parts]
        mode = params.get("collaborationMode", {}).get("mode")
        if mode is not None:
            self._act("mode", {"mode": "plan" if mode == "plan" else "untrusted"})
        self._act("message", {"content": params[parts][0]["text"], "id": None})
        entry = {"dir": ">", "line": json.dumps({**line, "params": wire})}
        if line["method"] == "session/prompt":
            self._prompts.add(line["id"])
        if self._is_busy and not self._steers:
            self._late.append(entry)
            self.played.append({"dir": "until", "line": f"said-{len(self.acts)}"})
        else:
            self.played.append(entry)
        self._is_busy = True

    def _answer(self, line: dict[str, Any]) -> None:
        self._open.discard(line["id"])
        result = line.get("result")
        if result is None:
            line = {"id": line["id"], "result": {"decision": "decline"}}
            self._act("answer", {"option": "deny"})
        elif "answers" in result:
            answers = {key: value["answers"] for key, value in result["answers"].items()}
            self._act("answer", {"option": "answer", "answers": answers})
        elif "decision" in result:
            self._act("answer", {"decision": result["decision"]})
        elif result["outcome"]["outcome"] == "selected":
            line = self._selected(line)
        self._expect(line)

    def _selected(self, line: dict[str, Any]) -> dict[str, Any]:
        """The runner never sends `allow_always`."""
        option_id = line["result"]["outcome"]["optionId"]
        kinds = {option["kind"]: option["optionId"] for option in self._options[line["id"]]}
        self._act("answer", {"option": option_id})
        if option_id == kinds.get("allow_always"):
            option_id = kinds["allow_once"]
        return line | {"result": {"outcome": {"outcome": "selected", "optionId": option_id}}}

    def _act(self, kind: str, fields: dict[str, Any]) -> None:
        self.acts.append(Act(kind, fields, self._is_busy, self._asked, self._turns))

    def _expect(self, line: dict[str, Any]) -> None:
        line = json.loads(json.dumps(line))
        for name in ("clientInfo", "clientCapabilities"):
            line.get("params", {}).pop(name, None)
        line.get("params", {}).pop("cwd", None)
        self.played.append({"dir": ">", "line": json.dumps(line)})
