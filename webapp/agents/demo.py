"""The demo agent: talks like a real one, but needs no key, no network and no model.

    echo "count 3" | python -I -S webapp/agents/demo.py
    python -I -S webapp/agents/demo.py --dialogue=hello

Reads its message from stdin, or in a dialogue asks, and takes each line on stdin for one
more message, until `bye` or the end. It prints JSON lines: `message` word by word, `tool_call` and
`tool_result`, and a last `usage`. Send `help` for the messages that make it behave in a
certain way, for example fail or fall silent; it answers any other in a few seconds, and the
same message always in the same words.

Exit code: 0, what `fail` asked for, 1 if its output cannot be written, 128 + the signal's
number if it was stopped.
"""

import _signal as signal  # `signal` itself brings in `enum`: half as long again to start.
import os
import sys
import time

MAX_MESSAGE_BYTES = 1 << 20
WORD_SECONDS = 0.03
TOOL_SECONDS = 0.6
PROMPT_SECONDS = 0.3
_BUFFER_BYTES = 1 << 16
_DIALOGUE = "--dialogue="

HELP = """\
I am the demo agent. I answer any message, and these in a special way:

- `help`: this list
- `fail [CODE]`: work a while, then exit with CODE (1 to 255, 1 unless given)
- `count N [DELAY]`: print N numbered lines, DELAY milliseconds apart (0 unless given)
- `sleep SECONDS`: work without a word
- `stderr N`: print N warnings on stderr
- `raw TEXT`: print TEXT as it is, not as JSON
- `prompt [SECONDS]`: ask without ending the line, and wait so long (0.3 unless given)
- `colour`: print ANSI colours
- `gate`: say that the gate of the workflow's stage is satisfied
- `markdown`: answer with a list, a table and a block of code
"""

MARKDOWN = """\
## What I can show

1. **Bold**, *italic* and `code`
2. A [link](https://example.com/) and a list in a list:
   - one
   - two

| worker | sessions | state |
|--------|---------:|-------|
| first  |       12 | busy  |
| second |        0 | idle  |

```python
def greet(name: str) -> str:
    return f"Hello, {name}!"
```

> That is all.
"""

COLOURS = (
    b"\x1b[32mgreen\x1b[0m \x1b[33myellow\x1b[0m \x1b[31mred\x1b[0m\n"
    b"\x1b[1mbold\x1b[0m \x1b[4munderlined\x1b[0m \x1b[7mreversed\x1b[0m\n"
    b"\x1b[38;5;208m256 colours\x1b[0m \x1b[38;2;120;80;220mtrue colour\x1b[0m\n"
)

GREETINGS = ("Hello!", "Good to hear from you.", "Hi there.", "At your service.")

ERRANDS: tuple[tuple[str, dict[str, object], str, str], ...] = (
    (
        "read_file",
        {"path": "README.md"},
        "# Teapot\nA small server that is short and stout.",
        "The README is brief, and it names the one thing that the project does. ",
    ),
    (
        "read_file",
        {"path": "src/teapot/spout.py"},
        "def pour(cups: int) -> str:\n    return 'tea' * cups",
        "The spout pours well, though nothing stops anyone from asking for minus one cup. ",
    ),
    (
        "list_files",
        {"path": "src/teapot"},
        "__init__.py\nhandle.py\nlid.py\nspout.py",
        "There are four files, each about one thing, and I like how they are named. ",
    ),
    (
        "search",
        {"pattern": "TODO", "path": "src"},
        "src/teapot/lid.py:7: # TODO: whistle when the water boils",
        "One thing was left for later: the lid does not whistle yet. ",
    ),
    (
        "run_tests",
        {"path": "tests"},
        "12 passed in 0.41s",
        "All twelve tests pass, so it is safe to change something. ",
    ),
)


class Agent:
    """What the agent has printed so far, and whether it was told to stop."""

    def __init__(self) -> None:
        self.started_at = time.monotonic()
        self.messages = 0
        self.calls = 0
        self.is_at_line_start = True
        self.is_resting = False
        self.stop_code: int | None = None
        self.unread = b""

    def write(self, data: bytes) -> None:
        """Print bytes on stdout at once."""
        if not data:
            return
        self.is_at_line_start = data.endswith(b"\n")
        write_all(1, data)

    def emit(self, event: dict[str, object]) -> None:
        """Print one event as a line of JSON."""
        self.write(to_json(event).encode() + b"\n")

    def say(self, text: str) -> None:
        """Print a text as one message."""
        self.messages += 1
        self.emit({"type": "message", "content": text})

    def talk(self, text: str) -> None:
        """Print a text word by word."""
        words = text.split(" ")
        for word in words[:-1]:
            self.say(word + " ")
            self.rest(WORD_SECONDS)
        if words[-1]:
            self.say(words[-1])

    def warn(self, text: str) -> None:
        """Print a plain line on stderr."""
        write_all(2, text.encode() + b"\n")

    def call_tool(
        self, name: str, arguments: dict[str, object], result: str, *, ok: bool = True
    ) -> None:
        """Pretend to use a tool."""
        self.calls += 1
        call = {"id": f"call-{self.calls}", "name": name}
        self.emit({"type": "tool_call", **call, "args": arguments})
        self.rest(TOOL_SECONDS)
        self.emit({"type": "tool_result", **call, "ok": ok, "result": result})

    def report_usage(self, message: bytes) -> None:
        """Print what the answer cost; a real agent's tokens are about four bytes long."""
        duration = time.monotonic() - self.started_at
        self.emit(
            {
                "type": "usage",
                "inputTokens": (len(message) + 3) // 4,
                "outputTokens": self.messages,
                "durationMs": int(duration * 1000),
            }
        )

    def rest(self, seconds: float) -> None:
        """Wait. Only here, and while it waits for its message, does a signal stop the agent."""
        self.is_resting = True
        if self.stop_code is not None:
            raise SystemExit(self.stop_code)
        if seconds > 0:
            time.sleep(seconds)
        self.is_resting = False

    def stop(self, number: int, _frame: object) -> None:
        """Handle a signal. Never breaks a line that is being written."""
        if self.stop_code is None:
            self.stop_code = 128 + number
            if self.is_resting:
                raise SystemExit(self.stop_code)

    def read_message(self) -> bytes:
        """Read stdin to its end; what is over the limit is read too, but not kept."""
        self.is_resting = True
        if self.stop_code is not None:
            raise SystemExit(self.stop_code)
        message = b""
        try:
            while data := os.read(0, MAX_MESSAGE_BYTES):
                message += data[: MAX_MESSAGE_BYTES - len(message)]
        except OSError:
            pass  # no stdin, or one that cannot be read: what came is the message
        self.is_resting = False
        return message

    def read_line(self) -> bytes | None:
        """The next line on stdin, without its newline; None at its end."""
        self.is_resting = True
        if self.stop_code is not None:
            raise SystemExit(self.stop_code)
        data = b"-"
        while b"\n" not in self.unread and data:
            try:
                data = os.read(0, _BUFFER_BYTES)
            except OSError:
                data = b""
            self.unread += data
        self.is_resting = False
        if not self.unread:
            return None
        line, _newline, self.unread = self.unread.partition(b"\n")
        return line

    def ask(self, question: str) -> bytes | None:
        """Ask without ending the line, and wait for an answer; None if there will be none."""
        self.write(question.encode() + b" ")
        line = self.read_line()
        self.write(b"\n")  # no terminal echoes the one that ended the answer
        return line


def write_all(fd: int, data: bytes) -> None:
    """Write all of it, past short writes. Raises OSError."""
    while data:
        data = data[os.write(fd, data) :]


_JSON_ESCAPES = {code: f"\\u{code:04x}" for code in range(32)}
_JSON_ESCAPES |= {ord('"'): '\\"', ord("\\"): "\\\\", ord("\n"): "\\n", ord("\t"): "\\t"}


def to_json(value: object) -> str:
    """Encode what the events hold: `json` would take longer to import than all the rest."""
    if isinstance(value, dict):
        members = [f"{to_json(key)}:{to_json(member)}" for key, member in value.items()]
        return "{" + ",".join(members) + "}"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return '"' + str(value).translate(_JSON_ESCAPES) + '"'


def answer(agent: Agent, message: bytes) -> int:
    """Do what the message says; the exit code. What is no whole command is small talk."""
    match message.lower().split(None, 3):
        case [b"help"]:
            agent.say(HELP)
        case [b"fail"]:
            return fail(agent, 1)
        case [b"fail", code] if 1 <= to_count(code) <= 255:
            return fail(agent, to_count(code))
        case [b"count", lines] if to_count(lines) >= 0:
            count(agent, to_count(lines), 0)
        case [b"count", lines, delay] if to_count(lines) >= 0 and to_number(delay) >= 0:
            count(agent, to_count(lines), to_number(delay) / 1000)
        case [b"sleep", seconds] if to_number(seconds) >= 0:
            work_quietly(agent, to_number(seconds))
        case [b"stderr", lines] if to_count(lines) >= 0:
            warn_often(agent, to_count(lines))
        case [b"raw", *_]:
            print_raw(agent, message.lstrip()[len(b"raw ") :])
        case [b"prompt"]:
            ask(agent, PROMPT_SECONDS)
        case [b"prompt", seconds] if to_number(seconds) >= 0:
            ask(agent, to_number(seconds))
        case [b"colour" | b"color"]:
            agent.write(COLOURS)
        case [b"gate"]:
            open_gate(agent)
        case [b"markdown"]:
            agent.talk(MARKDOWN)
        case _:
            chat(agent, message)
    agent.report_usage(message)
    return 0


def to_count(text: bytes) -> int:
    """A whole number of at most nine digits; -1 for anything else."""
    return int(text) if text.isdigit() and len(text) <= 9 else -1


def to_number(text: bytes) -> float:
    """A number such as `2` or `0.5`, of at most nine digits; -1 for anything else."""
    whole, _point, fraction = text.partition(b".")
    digits = whole + fraction
    return float(text) if digits.isdigit() and len(digits) <= 9 else -1


def fail(agent: Agent, code: int) -> int:
    """Work a while, then give up."""
    agent.talk("I will try this, but I have a bad feeling about it. ")
    error = "No such file or directory: teapot.toml"
    agent.call_tool("read_file", {"path": "teapot.toml"}, error, ok=False)
    agent.talk("That went wrong. ")
    agent.warn(f"error: the demo agent was asked to fail with exit code {code}")
    return code


def count(agent: Agent, lines: int, delay_seconds: float) -> None:
    """Print numbered lines; in big writes when there is no delay between them."""
    line = b'{"type":"message","content":"line %d of %d\\n","n":%d}\n'
    buffer = bytearray()
    for number in range(1, lines + 1):
        buffer += line % (number, lines, number)
        if delay_seconds or len(buffer) >= _BUFFER_BYTES or number == lines:
            agent.write(bytes(buffer))
            agent.messages = number
            buffer.clear()
            agent.rest(delay_seconds if number < lines else 0)


def work_quietly(agent: Agent, seconds: float) -> None:
    """Print nothing for a while."""
    agent.say(f"Working quietly for {seconds:g} s.\n")
    agent.rest(seconds)
    agent.say("Done.\n")


def warn_often(agent: Agent, lines: int) -> None:
    """Print lines on stderr only."""
    for number in range(1, lines + 1):
        agent.warn(f"warning: line {number} of {lines}")
        agent.rest(0)


def print_raw(agent: Agent, text: bytes) -> None:
    """Print the text byte by byte as it came, and end its last line."""
    agent.write(text if text.endswith(b"\n") else text + b"\n")


def ask(agent: Agent, seconds: float) -> None:
    """Ask, as programs do that expect a person at a terminal, and go on without an answer."""
    agent.write(b"Continue? [y/n] ")
    agent.rest(seconds)
    agent.write(b"(nobody answered)\n")
    agent.say("I take that as a yes.\n")


def open_gate(agent: Agent) -> None:
    """Check something, and say that the work of the stage is done."""
    agent.call_tool("run_tests", {"path": "tests"}, "12 passed in 0.41s")
    agent.emit({"type": "gate_satisfied"})
    agent.say("The gate of this stage is satisfied.\n")


def chat(agent: Agent, message: bytes) -> None:
    """Answer a message that is no command: with a greeting, a quote and an errand or two."""
    seed = int.from_bytes(message, "big") % 1_000_003  # a prime, so that every byte matters
    first = seed % len(ERRANDS)
    errands = [ERRANDS[first]]
    if seed % 3:
        errands.append(ERRANDS[(first + 1 + seed % (len(ERRANDS) - 1)) % len(ERRANDS)])

    agent.talk(f"{GREETINGS[seed % len(GREETINGS)]} I am the demo agent. {quote(message)} ")
    agent.rest(TOOL_SECONDS)
    agent.talk("Let me look round before I answer.\n\n")
    agent.warn("warning: the demo agent makes up its tools and their results")
    for name, arguments, result, remark in errands:
        agent.call_tool(name, arguments, result)
        agent.talk(remark)
    agent.talk(
        "\n\nThat is as far as a demo goes: a real agent would now get to work. "
        "Send `help` to see what else I can show.\n"
    )


def quote(message: bytes) -> str:
    """The message as one sentence, short enough to be said aloud."""
    text = " ".join(message.decode("utf-8", "replace").split())
    if not text:
        return "You sent no message, so I choose what to do."
    if len(text) > 80:
        text = text[:79] + "…"
    return f"You wrote: “{text}”"


def hold_dialogue(agent: Agent, message: bytes) -> int:
    """Ask for a name, then for one message after the other; the exit code."""
    agent.talk(f"{quote(message)} Before I begin, one question.\n")
    name = agent.ask("What is your name?")
    if name is None:
        agent.say("Nobody is there. Goodbye!\n")
        return 0
    agent.talk(f"Nice to meet you, {name.decode('utf-8', 'replace')[:80]}!\n")

    while (
        line := agent.ask("What shall I do? (`help` tells what I know, `bye` ends)")
    ) is not None:
        if line.strip().lower() == b"bye":
            break
        code = answer(agent, line)
        if code:
            return code
    agent.say("Goodbye!\n")
    return 0


def main() -> int:
    """Answer the message on stdin, or hold a dialogue; the exit code."""
    agent = Agent()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, agent.stop)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # whoever read this has gone: so may we

    try:
        return answer_or_stop(agent)
    except OSError:
        return 1  # stdout or stderr cannot be written, so there is no way to say so


def answer_or_stop(agent: Agent) -> int:
    """Answer, unless a signal says otherwise. Raises OSError."""
    try:
        for argument in sys.argv[1:]:
            if argument.startswith(_DIALOGUE):
                return hold_dialogue(agent, os.fsencode(argument[len(_DIALOGUE) :]))
        return answer(agent, agent.read_message())
    except SystemExit:
        if not agent.is_at_line_start:
            agent.write(b"\n")
        agent.say("Stopped.\n")
        return agent.stop_code or 0


if __name__ == "__main__":
    os._exit(main())
