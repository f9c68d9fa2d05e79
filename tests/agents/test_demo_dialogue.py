"""The demo agent when it asks: a real child whose stdin stays open."""

import signal
import subprocess

import pytest

from tests.agents.test_demo import COMMAND, DEADLINE_SECONDS
from tests.agents.test_demo import text_of as text_of_json

NAME = b"What is your name? "


def text_of(output: bytes) -> str:
    """What it said, less its questions."""
    lines = output.split(b"\n")
    return text_of_json(b"".join(line + b"\n" for line in lines if line.startswith(b"{")))


def start(message: str = "hello") -> subprocess.Popen[bytes]:
    """A dialogue that has just begun."""
    return subprocess.Popen(
        [*COMMAND, f"--dialogue={message}"],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def read_until(child: subprocess.Popen[bytes], text: bytes) -> bytes:
    """Its output up to a text."""
    assert child.stdout is not None
    output = b""
    while not output.endswith(text):
        piece = child.stdout.read(1)
        assert piece, output
        output += piece
    return output


def finish(child: subprocess.Popen[bytes], answers: bytes) -> tuple[bytes, int]:
    """All that it still prints, and its exit code."""
    stdout, _stderr = child.communicate(answers, timeout=DEADLINE_SECONDS)
    return stdout, child.returncode


def test_dialogue_asks_and_takes_each_line_for_a_message() -> None:
    child = start("say hi")
    assert "You wrote: “say hi”" in text_of(read_until(child, NAME))
    output, code = finish(child, b"Ada\nraw x y\ncount 2\nbye\nnever read\n")
    assert code == 0
    lines = output.split(b"\n")
    assert b"x y" in lines
    assert sum(line.startswith(b"What shall I do?") for line in lines) == 3
    text = text_of(output)
    assert "Ada!" in text
    assert text.endswith("line 1 of 2\nline 2 of 2\nGoodbye!\n")


@pytest.mark.parametrize(
    ("answers", "text"),
    [(b"", "Nobody is there. Goodbye!\n"), (b"Ada\n", "Goodbye!\n"), (b"Ada", "Goodbye!\n")],
)
def test_dialogue_ends_with_its_input(answers: bytes, text: str) -> None:
    output, code = finish(start(), answers)
    assert text_of(output).endswith(text)
    assert code == 0


def test_dialogue_fails_when_it_is_asked_to() -> None:
    _output, code = finish(start(), b"Ada\nfail 7\nbye\n")
    assert code == 7


def test_dialogue_that_waits_for_an_answer_can_be_stopped() -> None:
    child = start()
    read_until(child, NAME)
    child.send_signal(signal.SIGTERM)
    output, code = finish(child, b"")
    assert (output, code) == (b'\n{"type":"message","content":"Stopped.\\n"}\n', 143)
