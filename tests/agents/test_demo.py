"""The demo agent, as the runner starts it: a real child with pipes."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

DEMO = Path(__file__).parents[2] / "webapp" / "agents" / "demo.py"
COMMAND = [sys.executable, "-I", "-S", str(DEMO)]
DEADLINE_SECONDS = 20

CHATS = [
    b'fix the "lid"',
    b'fix the "lid"',
    b'fix the "spout"',
    b"",
    b"\n\n",
    bytes(range(256)),
    b"\xff\xfe\x00\xed\xa0\x80",
    "\u2028\u202e\U0001f600 \x7f".encode(),
    b"x" * ((1 << 20) + 1),
    # Commands with arguments that they do not take are messages like any other.
    b"fail 0",
    b"fail 256",
    b"count -1",
    "count \u0663".encode(),
    b"count 1 2 3",
    b"sleep nan",
    b"sleep 1e9",
    b"stderr 99999999999999999999",
    b"help me",
]


class Answer(NamedTuple):
    """What the demo agent printed, and how it ended."""

    stdout: bytes
    stderr: bytes
    exit_code: int


def run(message: bytes) -> subprocess.CompletedProcess[bytes]:
    """The demo agent's whole answer to a message."""
    return subprocess.run(COMMAND, input=message, capture_output=True, timeout=DEADLINE_SECONDS)


def start(message: bytes) -> subprocess.Popen[bytes]:
    """The demo agent with its message read and its output still to come."""
    child = subprocess.Popen(
        COMMAND,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdin is not None
    child.stdin.write(message)
    child.stdin.close()
    return child


def read_some(child: subprocess.Popen[bytes]) -> bytes:
    """What the child prints next; nothing if it stays silent for too long."""
    assert child.stdout is not None
    if not select.select([child.stdout], [], [], DEADLINE_SECONDS)[0]:
        return b""
    return os.read(child.stdout.fileno(), 1 << 16)


def finish(child: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """The rest of stdout and stderr, once the child has ended."""
    assert child.stdout is not None
    assert child.stderr is not None
    with child.stdout as stdout, child.stderr as stderr:
        output = stdout.read(), stderr.read()
    child.wait(DEADLINE_SECONDS)
    return output


def events(output: bytes) -> list[dict[str, Any]]:
    """Every line of the output, each of which must be a JSON object with a type."""
    found = [json.loads(line) for line in output.splitlines()]
    assert all(isinstance(event["type"], str) for event in found)
    return found


def text_of(output: bytes) -> str:
    """What the messages say, put together."""
    return "".join(event["content"] for event in events(output) if event["type"] == "message")


@pytest.fixture(scope="module")
def chats() -> list[Answer]:
    """The whole answers to `CHATS`, which take seconds each and so run side by side."""
    children = [start(message) for message in CHATS]
    return [Answer(*finish(child), child.returncode) for child in children]


def test_a_message_is_quoted_and_answered_with_tools_and_a_usage(chats: list[Answer]) -> None:
    answer = chats[0]

    found = events(answer.stdout)
    calls = [event for event in found if event["type"] == "tool_call"]
    results = [event for event in found if event["type"] == "tool_result"]
    assert 'You wrote: “fix the "lid"”' in text_of(answer.stdout)
    assert [call["id"] for call in calls] == [result["id"] for result in results]
    assert calls
    assert all(result["ok"] for result in results)
    assert set(found[-1]) == {"type", "inputTokens", "outputTokens", "durationMs"}


def test_the_same_message_gets_the_same_answer_and_another_may_not(chats: list[Answer]) -> None:
    first, second, other = (text_of(answer.stdout) for answer in chats[:3])

    assert first == second
    assert other.replace("spout", "lid") != first


@pytest.mark.parametrize("index", range(len(CHATS)), ids=[ascii(text[:20]) for text in CHATS])
def test_any_message_is_answered_in_whole(chats: list[Answer], index: int) -> None:
    answer = chats[index]

    assert events(answer.stdout)[-1]["type"] == "usage"
    assert answer.stderr.startswith(b"warning: ")
    assert answer.stderr.count(b"\n") == 1
    assert answer.exit_code == 0


@pytest.mark.parametrize(("message", "code"), [(b"fail", 1), (b"FAIL 7\n", 7)])
def test_fail_works_a_while_and_exits_with_the_code(message: bytes, code: int) -> None:
    answer = run(message)

    assert [event for event in events(answer.stdout) if event["type"] == "tool_result"]
    assert answer.stderr.startswith(b"error: ")
    assert answer.stderr.endswith(b" exit code %d\n" % code)
    assert answer.returncode == code


def test_count_prints_numbered_lines() -> None:
    answer = run(b"count 3 1")

    assert events(answer.stdout)[:-1] == [
        {"type": "message", "content": f"line {number} of 3\n", "n": number} for number in (1, 2, 3)
    ]
    assert events(answer.stdout)[-1]["outputTokens"] == 3


def test_count_without_a_delay_is_quick() -> None:
    started_at = time.monotonic()
    answer = run(b"count 100000 0")

    assert len(answer.stdout.splitlines()) == 100_001
    assert time.monotonic() - started_at < 5


def test_events_arrive_while_the_agent_still_works() -> None:
    child = start(b"count 2 60000")

    first = read_some(child)

    assert json.loads(first)["n"] == 1
    assert child.poll() is None
    child.kill()
    finish(child)


def test_sleep_works_without_a_word() -> None:
    answer = run(b"sleep 0.4")

    assert text_of(answer.stdout) == "Working quietly for 0.4 s.\nDone.\n"
    assert events(answer.stdout)[-1]["durationMs"] >= 400


def test_stderr_prints_warnings_there_and_nowhere_else() -> None:
    answer = run(b"stderr 2")

    assert answer.stderr == b"warning: line 1 of 2\nwarning: line 2 of 2\n"
    assert [event["type"] for event in events(answer.stdout)] == ["usage"]


def test_raw_keeps_every_byte() -> None:
    answer = run(b'raw {"type":"done"}\nplain  \xff\x00 line')

    assert answer.stdout.startswith(b'{"type":"done"}\nplain  \xff\x00 line\n{"type":"usage"')


def test_prompt_waits_in_an_open_line_and_goes_on() -> None:
    answer = run(b"prompt")

    line, _newline, rest = answer.stdout.partition(b"\n")
    assert line == b"Continue? [y/n] (nobody answered)"
    assert events(rest)[-1]["durationMs"] >= 300


def test_colour_prints_ansi_escapes() -> None:
    assert b"\x1b[32mgreen\x1b[0m" in run(b"colour").stdout
    assert run(b"color").stdout.startswith(b"\x1b[")


def test_markdown_has_a_list_a_table_and_code() -> None:
    text = text_of(run(b"markdown").stdout)

    assert "1. **Bold**" in text
    assert "|--------|" in text
    assert "```python\ndef greet" in text


def test_gate_is_satisfied_by_a_line_of_its_own() -> None:
    found = events(run(b"gate").stdout)
    assert [event for event in found if event["type"] == "gate_satisfied"] == [
        {"type": "gate_satisfied"}
    ]


def test_help_names_every_command() -> None:
    text = text_of(run(b"help").stdout)

    for command in ("fail", "count", "sleep", "stderr", "raw", "prompt", "gate", "markdown"):
        assert f"- `{command}" in text


@pytest.mark.parametrize(
    ("message", "number"), [(b"sleep 60", signal.SIGTERM), (b"count 999999999", signal.SIGINT)]
)
def test_a_signal_stops_the_agent_at_the_end_of_a_line(
    message: bytes, number: signal.Signals
) -> None:
    child = start(message)
    output = read_some(child)

    child.send_signal(number)
    signalled_at = time.monotonic()
    output += finish(child)[0]

    assert time.monotonic() - signalled_at < 5
    assert events(output)[-1] == {"type": "message", "content": "Stopped.\n"}
    assert child.returncode == 128 + number


def test_a_signal_in_a_prompt_ends_the_open_line_first() -> None:
    child = start(b"prompt 60")
    assert read_some(child) == b"Continue? [y/n] "

    child.terminate()

    assert finish(child)[0] == b'\n{"type":"message","content":"Stopped.\\n"}\n'
    assert child.returncode == 143


def test_a_signal_stops_an_agent_that_waits_for_its_message() -> None:
    read_end, write_end = os.pipe()
    child = subprocess.Popen(COMMAND, stdin=read_end, stdout=subprocess.PIPE)
    wait_until_it_catches(child.pid, signal.SIGTERM)

    child.terminate()
    output, _errors = child.communicate(timeout=DEADLINE_SECONDS)

    assert text_of(output) == "Stopped.\n"
    assert child.returncode == 143
    os.close(read_end)
    os.close(write_end)


def test_a_reader_that_goes_away_ends_the_agent_without_a_word() -> None:
    child = start(b"count 999999999")
    assert read_some(child)
    assert child.stdout is not None
    assert child.stderr is not None

    child.stdout.close()

    with child.stderr as stderr:
        assert stderr.read() == b""
    assert child.wait(DEADLINE_SECONDS) == -signal.SIGPIPE


def test_output_that_cannot_be_written_gives_exit_code_1() -> None:
    with open("/dev/full", "wb") as full:
        answer = subprocess.run(
            COMMAND, input=b"count 1", stdout=full, stderr=subprocess.PIPE, timeout=DEADLINE_SECONDS
        )

    assert answer.stderr == b""
    assert answer.returncode == 1


def wait_until_it_catches(pid: int, number: signal.Signals) -> None:
    """Wait until a child has installed its handler for a signal (proc(5), SigCgt)."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        status = Path(f"/proc/{pid}/status").read_text()
        caught = int(status.partition("SigCgt:")[2].split()[0], 16)
        if caught >> (number - 1) & 1:
            return
        time.sleep(0.01)
    pytest.fail(f"the agent never caught {number.name}")
