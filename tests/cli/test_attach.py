"""`attach`, and `run` where a person sits before it."""

import json
from pathlib import Path

from tests.cli.command import run
from tests.cli.screen import at_a_terminal
from tests.server import Server, wait_for

ASK = 'printf \'name? \'; read x; echo "hello $x"; while read y; do echo "got $y"; done; echo bye'
FOREVER = "echo started; while :; do sleep 0.05; done"
STUBBORN = "trap '' TERM; echo started; while :; do sleep 0.05; done"


def detached(place: Path, *command: str, takes_input: bool = False) -> str:
    options = ["--input"] if takes_input else []
    return run(place, "run", "--detach", *options, "--", *command).stdout.strip()


def status_of(place: Path, session_id: str) -> str:
    return str(json.loads(run(place, "show", session_id, "--json").stdout)["status"])


def test_what_is_typed_reaches_the_agent(tmp_path: Path) -> None:
    session_id = detached(tmp_path, "sh", "-c", ASK, takes_input=True)
    with at_a_terminal(tmp_path, "attach", session_id) as screen:
        screen.wait_for("name?")
        screen.wait_for("Enter sends")
        screen.press("bib\x7f\x7fob\r")
        screen.wait_for("hello bob")
        screen.press("\x1b[A\r")  # once more the line before
        screen.wait_for("got bob")
        screen.press("\x04")
        screen.wait_for("-- done: succeeded, exit code 0")

        assert screen.end() == 0
        assert screen.text.count("\n> bob\n") == 2


def test_ctrl_c_leaves_and_the_session_goes_on(tmp_path: Path) -> None:
    session_id = detached(tmp_path, "sh", "-c", FOREVER)
    for key in ("\x03", "\x1a"):
        with at_a_terminal(tmp_path, "attach", session_id) as screen:
            screen.wait_for("started")
            screen.wait_for("Ctrl-X stops it")
            assert "Enter sends" not in screen.text
            screen.press(key)
            assert screen.end() == 130
            assert f"left {session_id}, which goes on" in screen.text

    assert status_of(tmp_path, session_id) == "running"
    assert run(tmp_path, "cancel", session_id).returncode == 0


def test_ctrl_x_stops_the_agent_and_once_more_kills_it(tmp_path: Path) -> None:
    session_id = detached(tmp_path, "sh", "-c", STUBBORN)
    with at_a_terminal(tmp_path, "attach", session_id) as screen:
        screen.wait_for("started")
        screen.wait_for("Ctrl-X stops it")
        screen.press("\x18")
        screen.wait_for("asked to end (SIGTERM)")
        screen.press("\x18")
        screen.wait_for("-- done: cancelled, SIGKILL")
        assert screen.end() == 0


def test_attach_shows_the_last_lines_of_what_was_there(tmp_path: Path) -> None:
    session_id = detached(tmp_path, "sh", "-c", "seq 300; sleep 60")
    wait_for(lambda: "300" in run(tmp_path, "tail", session_id).stdout)
    with at_a_terminal(tmp_path, "attach", session_id, "-n", "5") as screen:
        screen.wait_for("300\n")
        assert screen.text.startswith("296\n297\n")
        screen.press("\x03")
        screen.end()
    run(tmp_path, "cancel", session_id)


def test_attach_to_a_session_that_has_ended_shows_it(tmp_path: Path) -> None:
    run(tmp_path, "run", "--", "echo", "hello")
    with at_a_terminal(tmp_path, "attach", "last") as screen:
        assert screen.end() == 0
        assert "hello\n-- done: succeeded, exit code 0" in screen.text


def test_a_narrow_terminal_shows_what_fits(tmp_path: Path) -> None:
    session_id = detached(tmp_path, "sh", "-c", FOREVER)
    with at_a_terminal(tmp_path, "attach", session_id, columns=50) as screen:
        screen.wait_for("Ctrl-X stops it  |  ")
        screen.wait_for("Ctrl-Z leaves it running")
        screen.press("\x18")
        screen.end()
    assert not [line for line in screen.text.split("\n") if len(line) > 50]


def test_attach_without_a_terminal_is_plain(place: Server) -> None:
    session_id = place.invoke("steps")
    output = run(place, "attach", session_id)

    assert output.returncode == 0
    assert output.stdout == run(place, "tail", session_id).stdout
    assert "\x1b" not in output.stdout


def test_no_color_is_heeded(tmp_path: Path) -> None:
    run(tmp_path, "run", "--", "sh", "-c", "echo oops >&2")
    with at_a_terminal(tmp_path, "attach", "last", NO_COLOR="1") as screen:
        screen.end()
    assert "! oops" in screen.text
    assert b"\x1b[3" not in screen.raw


def test_an_agent_cannot_drive_the_terminal_of_who_is_attached(tmp_path: Path) -> None:
    rude = r"sleep 0.5; printf 'a\033]0;title\007b\033[2Jc\033[?1049h\n'; sleep 0.5; echo end"
    session_id = detached(tmp_path, "sh", "-c", rude)
    with at_a_terminal(tmp_path, "attach", session_id) as screen:
        screen.wait_for("-- done")
        screen.end()

    assert "abc\n" in screen.text
    assert b"\x1b]0" not in screen.raw
    assert b"\x1b[?1049h" not in screen.raw


def test_a_flood_is_shown_whole(tmp_path: Path) -> None:
    with at_a_terminal(tmp_path, "run", "--", "sh", "-c", "seq 5000; sleep 0.3") as screen:
        assert screen.end() == 0
    lines = [line for line in screen.text.split("\n") if line.strip().isdigit()]

    assert [int(line) for line in lines] == list(range(1, 5001))


# --- run --------------------------------------------------------------------------------


def test_run_at_a_terminal_shows_the_session_and_has_the_agents_exit_code(tmp_path: Path) -> None:
    command = ("sh", "-c", "echo out; echo err >&2; sleep 0.3; exit 3")
    with at_a_terminal(tmp_path, "run", "--", *command) as screen:
        assert screen.end() == 3

    assert "out\n" in screen.text
    assert "! err\n" in screen.text
    assert "-- done: failed, exit code 3" in screen.text


def test_ctrl_c_in_run_is_for_the_agent(tmp_path: Path) -> None:
    with at_a_terminal(tmp_path, "run", "--", "sh", "-c", STUBBORN) as screen:
        screen.wait_for("started")
        screen.wait_for("Ctrl-C stops it")
        screen.press("\x03")
        screen.wait_for("once more kills it")
        screen.press("\x03")
        assert screen.end() == 137


def test_ctrl_z_in_run_leaves_it_running(tmp_path: Path) -> None:
    with at_a_terminal(tmp_path, "run", "--", "sh", "-c", FOREVER) as screen:
        screen.wait_for("started")
        screen.wait_for("Ctrl-C stops it")
        screen.press("\x1a")
        assert screen.end() == 130
    session_id = json.loads(run(tmp_path, "show", "last", "--json").stdout)["sessionId"]

    assert f"agent-stream attach {session_id}" in screen.text
    assert status_of(tmp_path, session_id) == "running"
    assert run(tmp_path, "cancel", "last").returncode == 0


def test_a_terminal_that_is_closed_leaves_the_session_running(tmp_path: Path) -> None:
    with at_a_terminal(tmp_path, "run", "--", "sh", "-c", FOREVER) as screen:
        screen.wait_for("started")

    assert status_of(tmp_path, "last") == "running"
    assert run(tmp_path, "cancel", "last").returncode == 0
