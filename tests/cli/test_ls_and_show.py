"""`ls` and `show`."""

import json
import os
import pty
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import environment_for, run
from tests.server import HTTP, Server, wait_for


def listed(place: Server, *options: str) -> list[dict[str, object]]:
    output = run(place, "ls", "--json", *options)
    assert output.returncode == 0, output.stderr
    return [json.loads(line) for line in output.stdout.splitlines()]


def facts_of(place: Server, session_id: str) -> dict[str, str]:
    output = run(place, "show", session_id)
    assert output.returncode == 0, output.stderr
    head = output.stdout.partition("\n\n")[0]
    return {line[:12].strip(): line[13:] for line in head.splitlines()}


def kill_runner(place: Server, session_id: str) -> None:
    def find() -> int:
        return json.loads(run(place, "show", session_id, "--json").stdout)["runnerPid"] or 0

    runner_pid = wait_for(find)  # the row has it a moment after the start
    os.kill(runner_pid, signal.SIGKILL)
    # The kernel lets go of the lock when the process is gone.
    wait_for(lambda: not Path(f"/proc/{runner_pid}").exists())


def test_ls_shows_how_a_session_ended(place: Server) -> None:
    session_id = place.invoke("say", "hello")
    place.wait_until_ended(session_id)
    lines = run(place, "ls").stdout.splitlines()

    assert lines[0].split() == [
        "session",
        "status",
        "outcome",
        "agent",
        "project",
        "age",
        "took",
        "log",
        "workflow",
    ]
    assert lines[1].startswith(f"{session_id}  succeeded  exit 0")
    assert "\x1b" not in "".join(lines)


def test_ls_of_nothing_says_what_there_is_nothing_of(tmp_path: Path) -> None:
    run(tmp_path, "migrate")

    assert run(tmp_path, "ls").stdout == "No sessions yet.\n"
    assert run(tmp_path, "ls", "--agent", "demo").stdout == "There are no such sessions.\n"


def test_ls_as_json_is_what_the_api_says(place: Server) -> None:
    session_id = place.invoke("say", "hello")
    place.wait_until_ended(session_id)

    answer = HTTP.get(f"{place.url}/api/sessions?limit=1").raise_for_status().json()
    assert answer["sessions"][0]["sessionId"] == session_id
    assert listed(place, "--limit", "1") == answer["sessions"]


def test_ls_lists_only_what_was_asked_for(place: Server) -> None:
    workflow_id = place.create_workflow()
    first = place.invoke("say", "1", workflow_id)
    place.wait_until_ended(first)
    second = place.invoke("missing", "2", workflow_id)
    place.wait_until_ended(second)
    here = ("--workflow", workflow_id)

    def ids(*options: str) -> list[object]:
        return [session["sessionId"] for session in listed(place, *options)]

    assert ids(*here) == [second, first]
    assert ids(*here, "--limit", "1") == [second]
    assert ids(*here, "--status", "succeeded") == [first]
    assert ids(*here, "--status", "failed,succeeded", "--all") == [second, first]
    assert ids(*here, "--status", "lost") == []
    assert ids(*here, "--agent", "missing,say", "--since", "1h") == [second, first]
    assert ids(*here, "--agent", "say", "--until", "1h") == []
    assert ids(*here, "--text", "no-such-program") == [second]
    assert ids(*here, "--sort", "oldest") == [first, second]


def test_ls_names_the_statuses_that_there_are(place: Server) -> None:
    output = run(place, "ls", "--status", "runing")

    assert output.returncode == 2
    assert "'runing'. Available: starting, running" in output.stderr


def test_ls_ends_a_session_that_lost_its_runner(place: Server) -> None:
    session_id = place.invoke("forever")
    kill_runner(place, session_id)

    assert listed(place, "--status", "lost", "--limit", "1")[0]["sessionId"] == session_id


def test_ls_fits_a_narrow_terminal_and_keeps_ids_whole(place: Server) -> None:
    session_id = place.invoke("say", "hello")
    place.wait_until_ended(session_id)
    screen = at_a_terminal(place, "ls", columns=80)

    assert session_id in screen
    assert "succeeded" in screen
    assert "workflow-" not in screen


def test_show_says_everything(place: Server) -> None:
    session_id = place.invoke("say", "hello")
    place.wait_until_ended(session_id)
    facts = facts_of(place, session_id)

    assert facts["session"] == session_id
    assert facts["status"] == "succeeded, exit 0"
    assert facts["command"].startswith(sys.executable)
    assert facts["log"].startswith(str(place.log_path(session_id)))
    assert int(facts["pid"]) > 0
    assert int(facts["runner pid"]) > 0
    assert {"host", "created", "started", "ended", "took", "workflow"} <= facts.keys()


def test_show_says_why_an_agent_could_not_be_started(place: Server) -> None:
    session_id = place.invoke("missing")
    place.wait_until_ended(session_id)

    assert "no-such-program-anywhere" in facts_of(place, session_id)["error"]


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="the sqlite3 shell is not installed")
def test_the_sqlite3_line_that_show_prints_works_as_it_is(place: Server) -> None:
    session_id = place.invoke("say", "hello")
    place.wait_until_ended(session_id)
    line = facts_of(place, session_id)["row"]

    assert session_id in subprocess.check_output(["sh", "-c", line], text=True)


def test_show_as_json_has_the_fields_of_the_api_and_more(place: Server) -> None:
    session_id = place.invoke("say", "hello")
    place.wait_until_ended(session_id)
    shown = json.loads(run(place, "show", session_id, "--json").stdout)

    assert place.session(session_id).items() <= shown.items()
    assert shown["argv"][0] == sys.executable
    assert Path(shown["log"]).read_bytes().startswith(b"20")
    assert shown["lastLines"][-1] == "-- done: succeeded, exit code 0"


def test_show_prints_the_last_ten_lines_of_the_output(place: Server) -> None:
    session_id = place.invoke("steps")
    place.wait_until_ended(session_id)
    lines = run(place, "show", session_id).stdout.partition("\n\n")[2].splitlines()

    assert lines[1:] == [
        *(f"  step {n}" for n in range(21, 30)),
        "  -- done: succeeded, exit code 0",
    ]


def test_a_session_is_found_by_a_piece_of_its_id_and_as_the_last(place: Server) -> None:
    session_id = place.invoke("say", "hello")
    place.wait_until_ended(session_id)
    number = session_id.split("-")[1]

    for name in (session_id, session_id[-6:], session_id[:24], f"{number}-", "last"):
        assert facts_of(place, name)["session"] == session_id


def test_a_piece_that_several_ids_have_lists_them(place: Server) -> None:
    two = {place.invoke("say", "1"), place.invoke("say", "2")}
    output = run(place, "show", "session-")

    assert output.returncode == 1
    assert all(session_id in output.stderr for session_id in two)


@pytest.mark.parametrize("command", ["show", "tail", "cancel"])
def test_an_unknown_session_fails(place: Server, command: str) -> None:
    for name in ("session-1700000000000-aaaaaaaaaaaa", "%%%%", "a"):
        output = run(place, command, name)

        assert output.returncode == 1
        assert output.stderr.startswith(f"agent-stream: There is no session '{name}'")
        assert output.stdout == ""


def test_a_closed_pipe_ends_the_command_quietly(place: Server) -> None:
    session_id = place.invoke("demo", "count 20000")
    place.wait_until_ended(session_id)
    line = f'"{sys.executable}" -m webapp.cli tail {session_id} | head -n 1'
    output = subprocess.run(
        ["sh", "-c", line],
        env=environment_for(place),
        cwd=place.folder,
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert output.stdout.startswith(f"-- {session_id}")
    assert output.stderr == ""


def test_sessions_can_be_read_while_another_process_writes(place: Server) -> None:
    session_id = place.invoke("say", "hello")
    place.wait_until_ended(session_id)
    writer = sqlite3.connect(place.var / "agent-stream.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        assert listed(place, "--limit", "1")[0]["sessionId"] == session_id
    finally:
        writer.execute("ROLLBACK")
        writer.close()


def at_a_terminal(place: Server, *arguments: str, columns: int = 120) -> str:
    """What a command prints on a terminal."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "webapp.cli", *arguments],
        cwd=place.folder,
        env=environment_for(place) | {"COLUMNS": str(columns), "TERM": "xterm", "NO_COLOR": ""},
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    screen = b""
    try:
        while data := os.read(controller, 4096):
            screen += data
    except OSError:
        pass  # EIO: the command has closed its end
    os.close(controller)
    process.wait(30)
    return screen.decode()
