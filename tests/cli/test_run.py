"""`run`, without a terminal."""

import hashlib
import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.cli.command import environment_for, folder_of, interrupt, refused, run, started
from tests.server import PATIENCE_SECONDS, Server, wait_for
from webapp.cli import cli
from webapp.errors import BadRequest
from webapp.sessions import control
from webapp.sessions.layout import SessionFiles

STUBBORN = "trap '' TERM; echo started; while :; do sleep 0.05; done"


def newest(place: Server | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(place, "show", "last", "--json").stdout)
    return found


def lines_of(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline()]


def test_run_passes_on_what_the_command_prints_and_its_exit_code(tmp_path: Path) -> None:
    output = run(tmp_path, "run", "--", "sh", "-c", "echo out; echo err >&2; exit 3")

    assert output.returncode == 3
    assert output.stdout == "out\n"
    assert output.stderr.splitlines() == [newest(tmp_path)["sessionId"], "err"]


def test_the_session_is_one_like_any_other(place: Server) -> None:
    run(place, "run", "--name", "greeter", "--", "echo", "a {message} b", "--help")
    session = newest(place)

    assert session["status"] == "succeeded"
    assert session["agent"] == "greeter"
    assert session["argv"] == ["echo", "a {message} b", "--help"]
    assert session["cwd"] == str(folder_of(place))
    assert place.session(session["sessionId"])["exitCode"] == 0
    assert run(place, "tail", "last").stdout.splitlines()[1] == "a {message} b --help"


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["no-such-program-anywhere"], 127, "command not found: 'no-such-program-anywhere'"),
        (["/etc/passwd"], 126, "cannot start '/etc/passwd'"),
        (["sh", "-c", "kill -KILL $$"], 137, ""),
    ],
)
def test_the_exit_code_is_that_of_a_shell(
    tmp_path: Path, command: list[str], code: int, said: str
) -> None:
    output = run(tmp_path, "run", "--", *command)

    assert output.returncode == code
    assert said in output.stderr


def test_a_command_has_the_shells_environment_but_not_our_settings(tmp_path: Path) -> None:
    output = run(
        tmp_path,
        *("run", "--", "sh", "-c", "env; pwd"),
        MY_OWN="mine",
        AGENT_STREAM_TOKEN="the-token-of-the-server",
        MY_API_KEY="a-value-that-is-secret",
    )
    lines = output.stdout.splitlines()

    assert "MY_OWN=mine" in lines
    assert "MY_API_KEY=[redacted]" in lines
    assert f"AGENT_STREAM_SESSION_ID={newest(tmp_path)['sessionId']}" in lines
    assert not [line for line in lines if line.startswith(("AGENT_STREAM_TOKEN", "AGENT_STREAM_V"))]
    assert lines[-1] == str(tmp_path)


def test_a_message_is_what_the_command_reads(tmp_path: Path) -> None:
    assert run(tmp_path, "run", "--message", "hello", "--", "cat").stdout == "hello\n"
    piped = subprocess.run(
        [sys.executable, "-m", "webapp.cli", "run", "--message", "-", "--", "wc", "-c"],
        cwd=tmp_path,
        env=environment_for(tmp_path),
        input=b"12345",
        capture_output=True,
        timeout=PATIENCE_SECONDS,
    )

    assert piped.stdout.strip() == b"5"


def test_what_claude_prints_is_read_as_of_its_profile(tmp_path: Path) -> None:
    said = '{"type":"assistant","message":{"content":[{"type":"text","text":"I look."}]}}'
    program = tmp_path / "claude"
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)
    output = run(tmp_path, "run", "--name", "reviewer", "--", "./claude")
    shown = run(tmp_path, "tail", "--json", "last").stdout.splitlines()
    event = json.loads(shown[1])

    assert output.stdout == f"{said}\n"
    assert event["event"] == "message"
    assert event["data"] == {"type": "message", "content": "I look."}


def test_agent_that_holds_a_conversation_ends_after_its_turn(tmp_path: Path) -> None:
    output = run(tmp_path, "run", "--agent", "demo-talk", "--message", "My number is 42.")
    assert output.returncode == 0
    assert "My number is 42." in output.stdout
    assert newest(tmp_path)["status"] == "succeeded"


def test_without_a_message_the_command_has_nothing_to_read(tmp_path: Path) -> None:
    assert run(tmp_path, "run", "--", "wc", "-c").stdout.strip() == "0"


def piped(place: Path, content: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "webapp.cli", "run", *arguments],
        cwd=place,
        env=environment_for(place),
        input=content,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
    )


def test_what_is_piped_in_reaches_the_command_byte_for_byte(tmp_path: Path) -> None:
    content = b"\xff\x00 no text\r\n" * 200_000 + b"and no newline"
    counted = piped(tmp_path, content, "--", "sha256sum")

    assert counted.stdout.split()[0].decode() == hashlib.sha256(content).hexdigest()
    assert newest(tmp_path)["takesInput"] is False


def test_a_file_reaches_the_command_as_its_stdin(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("from a file")
    with open(tmp_path / "file", "rb") as file:
        output = subprocess.run(
            [sys.executable, "-m", "webapp.cli", "run", "--", "cat"],
            cwd=tmp_path,
            env=environment_for(tmp_path),
            stdin=file,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
        )
    assert output.stdout == b"from a file\n"


def test_what_is_piped_in_reaches_the_command_as_it_comes(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "webapp.cli", "run", "--", "cat"],
        cwd=tmp_path,
        env=environment_for(tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("one\n")
        process.stdin.flush()
        assert process.stdout.readline() == "one\n"
        process.stdin.close()
        assert process.wait(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize(("arguments", "read"), [(["--message", "told"], "4"), (["--detach"], "0")])
def test_a_message_or_detaching_keeps_what_is_piped_in_from_the_command(
    tmp_path: Path, arguments: list[str], read: str
) -> None:
    assert piped(tmp_path, b"piped in", *arguments, "--", "wc", "-c").returncode == 0
    wait_for(lambda: newest(tmp_path)["status"] == "succeeded")
    assert run(tmp_path, "tail", "last").stdout.splitlines()[1].strip() == read


def test_a_deleted_folder_is_named_as_the_reason(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    command = f'cd gone && rmdir ../gone && exec "{sys.executable}" -m webapp.cli run -- true'
    output = subprocess.run(
        ["sh", "-c", command],
        cwd=tmp_path,
        env=environment_for(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert "The current folder has been deleted" in refused(output)
    assert not (tmp_path / "var").exists()


def test_an_agent_of_a_profile_runs_in_the_workflow_that_is_named(place: Server) -> None:
    workflow_id = place.create_workflow(template="standard")
    output = run(
        place, *("run", "--agent", "say", "--workflow", workflow_id, "--stage", "1"), "--message=hi"
    )
    session = newest(place)

    assert output.stdout == "hi\n"
    assert (session["workflowId"], session["stageIndex"]) == (workflow_id, 1)
    assert session["agent"] == "say"


def test_detached_it_only_says_which_session_it_is(place: Server) -> None:
    output = run(place, "run", "--detach", "--", "sleep", "60")
    session_id = output.stdout.strip()
    as_json = json.loads(run(place, "run", "-d", "--json", "--", "true").stdout)

    assert place.session(session_id)["status"] in ("starting", "running")
    assert run(place, "cancel", session_id).returncode == 0
    assert place.wait_until_ended(as_json["sessionId"])["status"] == "succeeded"


def test_input_reaches_a_command_that_was_started_with_input(tmp_path: Path) -> None:
    with started(tmp_path, "run", "--input", "--", "cat") as process:
        assert process.stderr is not None
        session_id = process.stderr.readline().strip()
        assert run(tmp_path, "send", session_id, "hello", "--end").returncode == 0
        output, _errors = process.communicate(timeout=PATIENCE_SECONDS)

    assert output == "hello\n"
    assert process.returncode == 0


def test_the_first_ctrl_c_asks_the_command_to_end(tmp_path: Path) -> None:
    trap = "trap 'echo bye; exit 7' TERM; echo started; while :; do sleep 0.05; done"
    with started(tmp_path, "run", "--", "sh", "-c", trap) as process:
        assert lines_of(process) == ["started\n"]
        interrupt(process)
        output, errors = process.communicate(timeout=PATIENCE_SECONDS)

    assert output == "bye\n"
    assert process.returncode == 7
    assert "asked to end (SIGTERM)" in errors
    assert newest(tmp_path)["status"] == "cancelled"


def test_the_second_ctrl_c_kills_it(tmp_path: Path) -> None:
    environment = {"AGENT_STREAM_GRACE_SECONDS": "600"}
    with started(tmp_path, "run", "--", "sh", "-c", STUBBORN, **environment) as process:
        assert lines_of(process) == ["started\n"]
        interrupt(process)
        assert process.stderr is not None
        while "asked to end" not in process.stderr.readline():
            pass
        interrupt(process)
        process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 128 + signal.SIGKILL
    assert newest(tmp_path)["exitSignal"] == "SIGKILL"


def test_the_session_outlives_the_command_that_started_it(tmp_path: Path) -> None:
    with started(tmp_path, "run", "--", "sh", "-c", "echo started; sleep 60") as process:
        assert lines_of(process) == ["started\n"]
        process.kill()
        process.wait(PATIENCE_SECONDS)
    session = newest(tmp_path)

    assert session["status"] == "running"
    assert run(tmp_path, "cancel", session["sessionId"]).returncode == 0


def test_run_needs_no_server_and_makes_the_folder(tmp_path: Path) -> None:
    assert run(tmp_path, "run", "--", "true").returncode == 0
    assert (tmp_path / "var" / "agent-stream.db").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "either a COMMAND"),
        (["--agent", "demo", "--", "true"], "either a COMMAND"),
        (["--agent", "demo", "--input"], "--input and --name are for a COMMAND"),
        (["--json", "--", "true"], "--json is for --detach"),
        (["--stage", "0", "--", "true"], "--stage is a stage of --workflow"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(cli, ["run", *arguments])

    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--", ""], "expected a program"),
        (["--name", "a\x1b[2J", "--", "true"], r"The name is 'a.*, expected 1 to 200 visible"),
        (["--", "echo", "\udcff"], "Argument 2 of the command is .* expected UTF-8"),
        (["--", "echo", "x" * 131_072], "Argument 2 of the command has 131072 bytes"),
        (["--message", "\udcff", "--", "true"], "The message must be UTF-8: byte 0 is 0xff"),
    ],
)
def test_a_command_that_cannot_be_run_is_named(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(cli, ["run", *arguments])

    assert isinstance(result.exception, BadRequest)
    assert re.search(said, str(result.exception))


def test_an_agent_that_there_is_not_is_named(tmp_path: Path) -> None:
    assert "Unknown agent 'nobody'" in refused(run(tmp_path, "run", "--agent", "nobody"))


def test_an_unknown_workflow_fails(tmp_path: Path) -> None:
    unknown = "workflow-1790000000000-k3v9x0a1b2c3"
    output = run(tmp_path, "run", "--workflow", unknown, "--", "true")

    assert output.returncode == 1
    assert unknown in output.stderr
    assert run(tmp_path, "ls", "--json").stdout == ""


def test_a_client_still_cannot_pick_a_command(place: Server) -> None:
    run(place, "run", "--name", "evil", "--", "true")
    value = {"workflowId": place.create_workflow(), "agent": "evil", "message": ""}

    assert place.call("workflow.invokeAgent", value).status_code == 400


def test_kill_leaves_the_agent_no_time(tmp_path: Path) -> None:
    command = ("run", "-d", "--", "sh", "-c", STUBBORN)
    session_id = run(tmp_path, *command, AGENT_STREAM_GRACE_SECONDS="600").stdout.strip()
    log = Path(json.loads(run(tmp_path, "show", session_id, "--json").stdout)["log"])
    wait_for(lambda: b"started" in log.read_bytes())
    control.kill(SessionFiles(log.parent))
    wait_for(lambda: newest(tmp_path)["status"] == "cancelled")

    assert newest(tmp_path)["exitSignal"] == "SIGKILL"
