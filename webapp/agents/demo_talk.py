"""An agent that holds a conversation, to try all of it without an account.

It speaks Claude Code's control protocol on stdin and stdout, and does what the words of a message
ask for. It runs no command and changes no file: it only says so. What it remembers is in
`$XDG_STATE_HOME/agent-stream/demo-talk` (by default in ~/.local/state), a file a conversation.
"""

import argparse
import json
import os
import re
import select
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HELP = """I am a demo: I call no model, run no command and change no file. Say one of these words:

- **approve**: I ask whether I may run a command.
- **edit**: I ask whether I may change a file, and show the change.
- **plan**: I write a plan and ask whether to carry it out. So I do with any message in plan mode.
- **ask**: I ask two questions with choices.
- **think**: I think before I answer.
- **slow**: I take my time, so that you can interrupt me or write something meanwhile.
- **table**: I answer with a table and code."""
PLAN = """# Make the greeting friendlier

1. Read `greeting.py`.
2. Replace "Hi" by "Hello, and welcome".
3. Run the tests."""
TABLE = """| file | lines |
|---|---|
| `greeting.py` | 12 |
| `test_greeting.py` | 20 |

```python
def greet(name: str) -> str:
    return f"Hello, {name}."
```"""
QUESTIONS = [
    {
        "question": "Which colour do you like?",
        "header": "Colour",
        "multiSelect": False,
        "options": [
            {"label": "Red", "description": "Warm, and seen from afar"},
            {"label": "Blue", "description": "Cold and calm"},
        ],
    },
    {
        "question": "What should the greeting contain?",
        "header": "Greeting",
        "multiSelect": True,
        "options": [
            {"label": "Name", "description": "Of the person who is greeted"},
            {"label": "Time", "description": "Of the day"},
            {"label": "Weather", "description": "As it is outside"},
        ],
    },
]
COST_PER_WORD = 0.00001
_WORD = re.compile(r"\S+\s*")


class Interrupted(Exception):
    """A person ended the turn; the text is how the agent says where it was."""


class Memory:
    """What was said in a conversation, in a file of its own."""

    def __init__(self, conversation_id: str) -> None:
        home = Path(os.environ.get("HOME") or tempfile.gettempdir())
        state = Path(os.environ.get("XDG_STATE_HOME") or home / ".local" / "state")
        self._file = state / "agent-stream" / "demo-talk" / f"{conversation_id}.jsonl"
        self.id = conversation_id

    @property
    def exists(self) -> bool:
        return self._file.exists()

    def read(self) -> list[dict[str, str]]:
        """The messages so far, oldest first."""
        if not self.exists:
            return []
        return [json.loads(line) for line in self._file.read_text(encoding="utf-8").splitlines()]

    def add(self, message_id: str, content: str) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"uuid": message_id, "content": content}) + "\n")


class Agent:
    """One process of the agent."""

    def __init__(self, memory: Memory, mode: str) -> None:
        self.memory = memory
        self.mode = mode
        self.model = "demo-1"
        self.cost = 0.0
        self.words = 0
        self.denials: list[dict[str, object]] = []
        self.queue: list[dict[str, Any]] = []
        self.responses: dict[str, dict[str, Any]] = {}
        self.open_request: str | None = None
        self.interrupt_asked = False
        self.at_end = False
        self._buffer = b""
        self._calls = 0

    # --- lines --------------------------------------------------------------------------

    def write(self, line: dict[str, object]) -> None:
        text = json.dumps(line | {"session_id": self.memory.id}, separators=(",", ":"))
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def read(self, seconds: float | None) -> None:
        """Take what comes on stdin within some seconds; None: until something comes."""
        give_up_at = None if seconds is None else time.monotonic() + seconds
        while not self.at_end:
            left = None if give_up_at is None else max(0.0, give_up_at - time.monotonic())
            if not select.select([0], [], [], left)[0]:
                return
            data = os.read(0, 1 << 16)
            self.at_end = not data
            *lines, self._buffer = (self._buffer + data).split(b"\n")
            for line in lines:
                self._take(json.loads(line))
            if lines and seconds is None:
                return

    def _take(self, line: dict[str, Any]) -> None:
        if line["type"] == "user":
            self.queue.append(line)
        elif line["type"] == "control_response":
            response = line["response"]
            self.responses[response["request_id"]] = response.get("response") or {}
        elif line["type"] == "control_request":
            self._answer(line["request_id"], line["request"])

    def _answer(self, request_id: str, request: dict[str, Any]) -> None:
        answer: dict[str, object] = {}
        subtype = request["subtype"]
        if subtype == "interrupt":
            self.interrupt_asked = True
        elif subtype == "set_permission_mode":
            self.set_mode(request["mode"])
            answer = {"mode": self.mode}
        elif subtype == "set_model":
            self.model = request["model"]
            answer = {"model": self.model}
        elif subtype == "cancel_async_message":
            waiting = [line for line in self.queue if line["uuid"] != request["message_uuid"]]
            answer = {"cancelled": len(waiting) < len(self.queue)}
            self.queue = waiting
        self.write(
            {
                "type": "control_response",
                "response": {"subtype": "success", "request_id": request_id, "response": answer},
            }
        )

    def set_mode(self, mode: str) -> None:
        self.mode = mode
        self.write({"type": "system", "subtype": "status", "permissionMode": mode})

    def say_state(self, state: str) -> None:
        self.write({"type": "system", "subtype": "session_state_changed", "state": state})

    # --- turns --------------------------------------------------------------------------

    def run(self) -> None:
        while not self.at_end or self.queue:
            if not self.queue:
                self.interrupt_asked = False
                self.read(None)
                continue
            self.say_state("running")
            first = self.take_message()
            if first is not None:
                self._turn(first)
            self.say_state("idle")

    def take_message(self) -> str | None:
        """The next message, which is remembered from now on; None: it was known already."""
        line = self.queue.pop(0)
        content, message_id = line["message"]["content"], line.get("uuid") or str(uuid.uuid4())
        is_known = any(known["uuid"] == message_id for known in self.memory.read())
        if not is_known:
            self.memory.add(message_id, content)
        self.write({**line, "uuid": message_id, "isReplay": True})
        return None if is_known else str(content)

    def _turn(self, message: str) -> None:
        began_at = time.monotonic()
        self.words, self.denials, self.interrupt_asked = 0, [], False
        self.write(
            {
                "type": "system",
                "subtype": "init",
                "cwd": os.getcwd(),
                "model": self.model,
                "permissionMode": self.mode,
                "slash_commands": [],
                "claude_code_version": "demo",
            }
        )
        end: dict[str, object] = {
            "subtype": "success",
            "is_error": False,
            "terminal_reason": "completed",
        }
        try:
            reply(self, message)
        except Interrupted as where:
            end = {
                "subtype": "error_during_execution",
                "is_error": True,
                "terminal_reason": str(where),
                "errors": ["interrupted"],
            }
            text = {"type": "text", "text": "[Request interrupted by user]"}
            self.write({"type": "user", "message": {"role": "user", "content": [text]}})
        self.cost += self.words * COST_PER_WORD
        self.write(
            {
                "type": "result",
                **end,
                "num_turns": 1,
                "duration_ms": int((time.monotonic() - began_at) * 1000),
                "total_cost_usd": round(self.cost, 6),
                "usage": {"input_tokens": 10 + len(message.split()), "output_tokens": self.words},
                "permission_denials": self.denials,
            }
        )

    def pause(self, seconds: float) -> None:
        """Go on after a while, unless somebody wants the turn to end."""
        self.read(seconds)
        if self.interrupt_asked:
            raise Interrupted("aborted_streaming")

    def say(self, text: str, *, kind: str = "text", pause: float = 0.02) -> None:
        """Say a text, or think it: word by word, then all of it."""
        field = "text" if kind == "text" else "thinking"
        said = ""
        try:
            for word in _WORD.findall(text):
                delta = {"type": f"{field}_delta", field: word}
                event = {"type": "content_block_delta", "index": 0, "delta": delta}
                self.write({"type": "stream_event", "event": event})
                said += word
                self.words += 1
                self.pause(pause)
        finally:
            if said:
                self._message({"type": kind, field: said})

    def _message(self, block: dict[str, object]) -> None:
        message = {"role": "assistant", "model": self.model, "content": [block]}
        self.write({"type": "assistant", "message": message})

    # --- tools --------------------------------------------------------------------------

    def use(self, tool: str, input: dict[str, Any], work: Callable[[dict[str, Any]], str]) -> bool:
        """Use a tool if it is allowed; `work` gives its result. Whether it was."""
        self._calls += 1
        call_id = f"toolu_{self._calls:04}"
        self._message({"type": "tool_use", "id": call_id, "name": tool, "input": input})
        response: dict[str, Any] = {"behavior": "allow", "updatedInput": input}
        if not (self.mode == "acceptEdits" and tool == "Edit"):
            response = self._ask(tool, input, call_id)
        is_allowed = response["behavior"] == "allow"
        if is_allowed:
            for update in response.get("updatedPermissions") or []:
                if update["type"] == "setMode":
                    self.set_mode(update["mode"])
            content = work(response["updatedInput"])
        else:
            content = response["message"]
            self.denials.append({"tool_name": tool, "tool_use_id": call_id, "tool_input": input})
        result = {
            "type": "tool_result",
            "tool_use_id": call_id,
            "content": content,
            "is_error": not is_allowed,
        }
        self.write({"type": "user", "message": {"role": "user", "content": [result]}})
        if response.get("interrupt"):
            raise Interrupted("aborted_tools")
        return bool(is_allowed)

    def _ask(self, tool: str, input: dict[str, Any], call_id: str) -> dict[str, Any]:
        request_id = str(uuid.uuid4())
        request = {
            "subtype": "can_use_tool",
            "tool_name": tool,
            "input": input,
            "tool_use_id": call_id,
        }
        self.say_state("requires_action")
        self.write({"type": "control_request", "request_id": request_id, "request": request})
        while request_id not in self.responses:
            if self.at_end:
                return {"behavior": "deny", "message": "The stream was closed before an answer."}
            self.read(None)
            if self.interrupt_asked:
                self.write({"type": "control_cancel_request", "request_id": request_id})
                raise Interrupted("aborted_tools")
        self.say_state("running")
        return self.responses.pop(request_id)


# --- what it says -------------------------------------------------------------------------


def reply(agent: Agent, message: str) -> None:
    """Do what the words of a message ask for; then take what was written meanwhile."""
    if agent.mode == "plan":
        plan(agent)
        return
    done = [do(agent) for do in _asked(message)]
    if not done:
        answer(agent, message)
    while agent.queue:
        more = agent.take_message()
        if more is not None:
            agent.say("You also wrote: ")
            reply(agent, more)


def _asked(message: str) -> Iterator[Callable[[Agent], None]]:
    for word in re.findall(r"[a-z]+", message.lower()):
        if word in DEEDS:
            yield DEEDS[word]


def answer(agent: Agent, message: str) -> None:
    before = [known["content"] for known in agent.memory.read()][:-1]
    if not before:
        agent.say(f"You wrote: {message}\n\n{HELP}", pause=0.005)
        return
    agent.say(
        f"You wrote: {message}\n\nI remember {len(before)} earlier "
        f"message{'s' if len(before) > 1 else ''} of this conversation; the first one was "
        f"“{before[0][:100]}”, the last one “{before[-1][:100]}”."
    )


def approve(agent: Agent) -> None:
    agent.say("Let me look at the date. ")
    input = {"command": "date -u +%Y", "description": "Show the year"}
    if agent.use("Bash", input, lambda given: f"(not run, this is a demo) {given['command']}"):
        agent.say("Thank you, that is all I wanted to know.")
    else:
        agent.say("All right, then I do without it.")


def edit(agent: Agent) -> None:
    agent.say("I would like to make the greeting friendlier. ")
    input = {
        "file_path": os.path.join(os.getcwd(), "greeting.py"),
        "old_string": 'def greet(name):\n    return "Hi " + name\n',
        "new_string": 'def greet(name: str) -> str:\n    return f"Hello, {name}, and welcome."\n',
    }
    if agent.use(
        "Edit", input, lambda given: f"(not changed, this is a demo) {given['file_path']}"
    ):
        agent.say("The greeting is friendlier now.")
    else:
        agent.say("All right, the greeting stays as it is.")


def plan(agent: Agent) -> None:
    agent.say("Here is my plan. ")
    if agent.use("ExitPlanMode", {"plan": PLAN}, lambda given: "The plan was approved."):
        agent.say(f"I carry it out, in mode {agent.mode}. ")
        edit(agent)
    else:
        agent.say("All right, I think about it again.")


def ask(agent: Agent) -> None:
    agent.say("I have two questions. ")
    answers: dict[str, str] = {}

    def hear(given: dict[str, Any]) -> str:
        answers.update(given["answers"])
        return "; ".join(f"{question} {text}" for question, text in answers.items())

    if agent.use("AskUserQuestion", {"questions": QUESTIONS}, hear):
        agent.say(f"So you say: {', '.join(answers.values())}.")
    else:
        agent.say("All right, I decide that myself.")


def think(agent: Agent) -> None:
    agent.say("What does this person want? I had better ask.", kind="thinking", pause=0.05)
    agent.say("I have thought about it: what may I do for you?")


def slow(agent: Agent) -> None:
    numbers = " ".join(f"{number}," for number in range(1, 40))
    agent.say(f"I count slowly: {numbers} and 40.", pause=0.4)


def table(agent: Agent) -> None:
    agent.say(TABLE)


DEEDS: dict[str, Callable[[Agent], None]] = {
    deed.__name__: deed for deed in (approve, edit, plan, ask, think, slow, table)
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", default="default")
    parser.add_argument("--resume")
    options = parser.parse_args()
    memory = Memory(options.resume or str(uuid.uuid4()))
    agent = Agent(memory, options.mode)
    if options.resume and not memory.exists:
        agent.read(None)
        error = f"No conversation found with session ID: {options.resume}"
        agent.write(
            {
                "type": "result",
                "subtype": "error_during_execution",
                "is_error": True,
                "num_turns": 0,
                "total_cost_usd": 0,
                "usage": {},
                "errors": [error],
            }
        )
        sys.exit(error)
    agent.run()


if __name__ == "__main__":
    main()
