"""`send`."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.cli.command import Output, environment_for, folder_of, run
from tests.server import PATIENCE_SECONDS, Server, python_agent, running_server, wait_for
from webapp.commands.send import pieces_of
from webapp.errors import BadRequest
from webapp.sessions.input import MAX_INPUT_BYTES

ECHO = "for line in sys.stdin: print('got', repr(line))\nprint('the end')"
AGENTS = {
    "echo": python_agent(ECHO, input=True),
    "deaf": python_agent("time.sleep(60)", input=True),
    "count": python_agent("print(len(sys.stdin.read()))", input=True),
    "closed": python_agent("time.sleep(60)"),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(
        tmp_path_factory.mktemp("send"), AGENTS, settings={"grace_seconds": 1}
    ) as server:
        yield server


def piped(place: Server, content: bytes, *arguments: str) -> Output:
    finished = subprocess.run(
        [sys.executable, "-m", "webapp.cli", *arguments],
        cwd=folder_of(place),
        env=environment_for(place),
        input=content,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
    )
    return subprocess.CompletedProcess(
        finished.args, finished.returncode, finished.stdout.decode(), finished.stderr.decode()
    )


def output_of(place: Server, session_id: str) -> list[str]:
    place.wait_until_ended(session_id)
    return run(place, "tail", session_id).stdout.splitlines()


def test_send_reaches_the_agent_and_the_end_ends_its_input(place: Server) -> None:
    session_id = place.invoke("echo")
    first = run(place, "send", session_id, "hello")
    run(place, "send", session_id, "")
    last = run(place, "send", session_id, "--end")
    lines = output_of(place, session_id)

    assert first.stdout == f"{session_id}: sent 5 B\n"
    assert last.stdout == f"{session_id}: sent 0 B, the end\n"
    assert [line for line in lines if line.startswith("got")] == [
        r"got 'hello\n'",
        r"got '\n'",
    ]
    assert "> hello" in lines
    assert "the end" in lines


def test_send_reads_stdin_and_cuts_it_between_lines(place: Server) -> None:
    session_id = place.invoke("count")
    content = b"0123456789abcdef\n" * 20_000
    output = piped(place, content, "send", session_id, "-", "--end")

    assert output.returncode == 0, output.stderr
    assert str(len(content)) in output_of(place, session_id)


def test_the_same_key_again_sends_nothing_again(place: Server) -> None:
    session_id = place.invoke("echo")
    for _ in range(2):
        assert run(place, "send", session_id, "once", "--key", "k1").returncode == 0
    other = run(place, "send", session_id, "other", "--key", "k1")
    run(place, "send", session_id, "--end")

    assert other.returncode == 1
    assert "'k1' was used for other input" in other.stderr
    assert output_of(place, session_id).count(r"got 'once\n'") == 1


def test_send_waits_for_an_agent_that_has_much_to_read(place: Server) -> None:
    session_id = place.invoke("deaf")
    content = b"0123456789abcde\n" * (1 << 17)
    with subprocess.Popen(
        [sys.executable, "-m", "webapp.cli", "send", session_id, "-"],
        cwd=folder_of(place),
        env=environment_for(place),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(content)
        process.stdin.close()
        process.stdin = None
        wait_for(lambda: place.log_path(session_id).stat().st_size > 1 << 20)
        assert process.poll() is None
        assert run(place, "cancel", session_id).returncode == 0
        _output, errors = process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 1
    assert b"has ended" in errors


def test_send_to_an_agent_that_reads_no_input_is_refused(place: Server) -> None:
    output = run(place, "send", place.invoke("closed"), "hello")

    assert output.returncode == 2
    assert "reads no input" in output.stderr


def test_send_to_a_session_that_has_ended_fails(place: Server) -> None:
    session_id = place.invoke("count")
    run(place, "send", session_id, "--end")
    place.wait_until_ended(session_id)
    output = run(place, "send", session_id, "hello")

    assert output.returncode == 1
    assert "has ended: it is succeeded" in output.stderr


def test_send_of_nothing_is_a_usage_error(place: Server) -> None:
    assert "nothing to send" in run(place, "send", "last").stderr
    assert run(place, "send", "last", "x", "--key", "").returncode == 2


def test_what_is_no_utf_8_is_refused_with_its_position(place: Server) -> None:
    session_id = place.invoke("echo")
    piped_in = piped(place, b"abc\xff", "send", session_id, "-")
    argument = run(place, "send", session_id, os.fsdecode(b"\xfe"))

    assert "byte 3 is 0xff" in piped_in.stderr
    assert "byte 0 is 0xfe" in argument.stderr
    assert piped_in.returncode == argument.returncode == 2


@pytest.mark.parametrize("size", [0, 1, MAX_INPUT_BYTES, MAX_INPUT_BYTES + 1, 300_000])
def test_pieces_are_the_whole_content(size: int) -> None:
    content = (
        ("Grüße aus Köln\n" * (size // 8 + 1)).encode()[:size].decode(errors="ignore").encode()
    )
    pieces = [piece.encode() for piece in pieces_of(content)]

    assert b"".join(pieces) == content
    assert all(len(piece) <= MAX_INPUT_BYTES for piece in pieces)
    assert all(piece.endswith(b"\n") for piece in pieces[:-1])


def test_a_line_that_no_piece_holds_is_refused() -> None:
    with pytest.raises(BadRequest, match="A line of 70000 bytes"):
        list(pieces_of(b"short\n" + b"x" * 70_000))
