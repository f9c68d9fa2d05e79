"""`tail`."""

import json
import os
import signal
import time

import pytest

from tests.cli.command import interrupt, run, started
from tests.cli.test_ls_and_show import at_a_terminal, kill_runner
from tests.server import PATIENCE_SECONDS, Server, wait_for


def ended(place: Server, agent: str, message: str = "") -> str:
    session_id = place.invoke(agent, message)
    place.wait_until_ended(session_id)
    return session_id


def test_tail_prints_a_conversation_as_people_read_it(place: Server) -> None:
    session_id = ended(place, "demo", "fail 3")
    lines = run(place, "tail", session_id).stdout.splitlines()

    assert lines[0].startswith(f"-- {session_id}, demo, pid ")
    assert lines[1:] == [
        "I will try this, but I have a bad feeling about it. ",
        "-> read_file path: teapot.toml",
        "<x read_file No such file or directory: teapot.toml",
        "That went wrong. ",
        "! error: the demo agent was asked to fail with exit code 3",
        "-- done: failed, exit code 3",
    ]


def test_tail_puts_a_line_together_that_came_in_pieces(place: Server) -> None:
    lines = run(place, "tail", ended(place, "demo", "prompt 0.3")).stdout.splitlines()

    assert lines[1:4] == ["Continue? [y/n] (nobody answered)", "", "I take that as a yes."]


def test_tail_raw_prints_the_log_byte_by_byte(place: Server) -> None:
    session_id = ended(place, "rude")

    assert run(place, "tail", "--raw", session_id).stdout == place.log_path(session_id).read_text()


def test_tail_json_prints_a_line_an_event(place: Server) -> None:
    session_id = ended(place, "demo", "count 3")
    events = [json.loads(line) for line in run(place, "tail", "--json", "last").stdout.splitlines()]

    assert [event["event"] for event in events] == [
        "session",
        *(["message"] * 3),
        "usage",
        "done",
    ]
    assert all(list(event) == ["id", "time", "stream", "event", "data"] for event in events)
    assert events[1]["data"]["content"] == "line 1 of 3\n"
    assert events[-1]["id"] == str(place.log_path(session_id).stat().st_size)


def test_tail_n_prints_the_last_lines(place: Server) -> None:
    session_id = ended(place, "demo", "markdown")
    lines = run(place, "tail", session_id).stdout.splitlines()

    for count in (0, 1, 3, 12, 1000):
        shown = run(place, "tail", "-n", str(count), session_id).stdout.splitlines()
        assert shown == (lines[-count:] if count else [])


@pytest.mark.parametrize("form", ["--raw", "--json"])
def test_tail_n_counts_records_in_the_other_forms(place: Server, form: str) -> None:
    session_id = ended(place, "demo", "count 20")
    lines = run(place, "tail", form, session_id).stdout.splitlines()

    assert run(place, "tail", form, "-n", "4", session_id).stdout.splitlines() == lines[-4:]


def test_tail_refuses_two_forms_at_once(place: Server) -> None:
    assert run(place, "tail", "--raw", "--json", "last").returncode == 2


def test_tail_f_follows_a_session_to_its_end_from_another_process(place: Server) -> None:
    session_id = place.invoke("steps")
    output = run(place, "tail", "-f", session_id)

    lines = output.stdout.splitlines()
    assert lines[1:] == [*(f"step {n}" for n in range(30)), "-- done: succeeded, exit code 0"]
    assert output.returncode == 0
    assert output.stderr == ""


@pytest.mark.parametrize("form", ["--raw", "--json"])
def test_tail_f_follows_in_the_other_forms(place: Server, form: str) -> None:
    session_id = place.invoke("steps")
    followed = run(place, "tail", "-f", form, session_id).stdout

    assert followed == run(place, "tail", form, session_id).stdout


def test_tail_f_prints_a_line_as_soon_as_it_is_there(place: Server) -> None:
    session_id = place.invoke("forever")
    with started(place, "tail", "-f", session_id) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"-- {session_id}")
        assert process.stdout.readline() == "started\n"
        assert run(place, "cancel", session_id).returncode == 0
        rest, _errors = process.communicate(timeout=PATIENCE_SECONDS)

    assert rest.splitlines()[-1].startswith("-- done: cancelled")
    assert process.returncode == 0


def test_tail_f_needs_no_server(place: Server) -> None:
    session_id = place.invoke("steps")
    place.stop()
    try:
        output = run(place, "tail", "-f", session_id)
    finally:
        place.start()

    assert output.stdout.splitlines()[-1] == "-- done: succeeded, exit code 0"


def test_tail_f_goes_on_after_the_last_lines(place: Server) -> None:
    session_id = place.invoke("steps")
    wait_for(lambda: b"step 5" in place.log_path(session_id).read_bytes())
    lines = run(place, "tail", "-n", "2", "-f", session_id).stdout.splitlines()

    first = int(lines[0].split()[1])
    assert first >= 4
    expected = [f"step {n}" for n in range(first, 30)]
    assert lines == [*expected, "-- done: succeeded, exit code 0"]


def test_tail_f_notices_that_the_runner_was_killed(place: Server) -> None:
    session_id = place.invoke("forever")
    with started(place, "tail", "-f", session_id) as process:
        assert process.stdout is not None
        assert "started\n" in (process.stdout.readline(), process.stdout.readline())
        kill_runner(place, session_id)
        rest, _errors = process.communicate(timeout=PATIENCE_SECONDS)

    assert rest.splitlines()[-1] == "-- done: lost"
    assert process.returncode == 0
    assert place.session(session_id)["status"] == "lost"


def test_tail_f_works_without_inotify(place: Server) -> None:
    session_id = place.invoke("steps")
    blocked = {"PYTHONPATH": f"{place.folder / 'blocked'}:{place.environment['PYTHONPATH']}"}
    package = place.folder / "blocked" / "watchdog"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('no watchdog here')")
    output = run(place, "tail", "-f", session_id, **blocked)

    assert output.stdout.splitlines()[-1] == "-- done: succeeded, exit code 0"
    assert "looking once a second" in output.stderr


def test_ctrl_c_ends_tail_f_quietly_and_not_the_session(place: Server) -> None:
    session_id = place.invoke("forever")
    with started(place, "tail", "-f", session_id) as process:
        assert process.stdout is not None
        process.stdout.readline()
        interrupt(process)
        _rest, errors = process.communicate(timeout=PATIENCE_SECONDS)

    assert process.returncode == 130
    assert errors == ""
    assert place.session(session_id)["status"] == "running"


def test_an_agent_cannot_drive_the_terminal_of_its_reader(place: Server) -> None:
    session_id = ended(place, "rude")
    piped = run(place, "tail", session_id).stdout
    screen = at_a_terminal(place, "tail", session_id)

    assert "red plain cleared\n" in piped
    assert "\njson\n" in piped
    assert "\n! !\n" in piped
    assert "\x1b" not in piped
    assert "\x1b[31mred\x1b[0m plain cleared" in screen
    assert "\x1b]" not in screen
    assert "\x1b[2J" not in screen
    assert "\x1b]" not in at_a_terminal(place, "tail", "--raw", session_id)
    assert "\x1b]" not in at_a_terminal(place, "tail", "--json", session_id)


def test_tail_of_a_log_that_is_gone_says_so(place: Server) -> None:
    session_id = ended(place, "say", "hello")
    place.log_path(session_id).unlink()
    output = run(place, "tail", session_id)

    assert output.returncode == 1
    assert "No such file or directory" in output.stderr
    assert "succeeded" in output.stderr


def test_tail_f_ends_where_the_log_was_removed_and_the_runner_killed(place: Server) -> None:
    session_id = place.invoke("forever")
    runner_pid = wait_for(
        lambda: json.loads(run(place, "show", session_id, "--json").stdout)["runnerPid"]
    )
    with started(place, "tail", "-f", session_id) as process:
        assert process.stdout is not None
        process.stdout.readline()
        place.log_path(session_id).unlink()
        os.kill(runner_pid, signal.SIGKILL)
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        _rest, errors = process.communicate(timeout=give_up_at - time.monotonic())

    assert process.returncode == 1
    assert "lost" in errors
