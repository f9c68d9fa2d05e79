"""`export`: a session as a file for elsewhere."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import environment_for, run
from tests.cli.exported import AGENTS, ended, exported
from tests.cli.screen import at_a_terminal
from tests.server import PATIENCE_SECONDS, Server, running_server


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("from")
    with running_server(folder, AGENTS, settings={"grace_seconds": 1}) as server:
        yield server


# --- asciicast --------------------------------------------------------------------------


def test_asciinema_plays_the_recording(place: Server, tmp_path: Path) -> None:
    session_id = ended(place, "bytes")
    cast = tmp_path / "session.cast"
    cast.write_text(exported(place, session_id, "asciicast-v2"))
    asciinema = [str(Path(sys.executable).parent / "asciinema")]
    home = {**environment_for(tmp_path), "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}

    for command in (["cat"], ["play", "-s", "20"]):
        shown = subprocess.run(
            [*asciinema, *command, str(cast)],
            env=home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            start_new_session=True,
        )
        assert shown.returncode == 0, shown.stderr
        plain = re.sub(r"\x1b\[[0-9;]*m", "", shown.stdout.replace("\r\n", "\n"))
        assert plain.replace("\r", "") == run(place, "tail", session_id).stdout


def test_version_3_is_as_its_specification_has_it(place: Server) -> None:
    session_id = ended(place, "bytes")
    head, *events = [
        json.loads(line) for line in exported(place, session_id, "asciicast").split("\n")[:-1]
    ]

    assert head["version"] == 3
    assert head["term"] == {"cols": 100, "rows": 30, "type": "xterm-256color"}
    assert isinstance(head["timestamp"], int)
    assert all(len(event) == 3 and event[0] >= 0 for event in events)
    assert {code for _interval, code, _data in events} == {"o", "m", "x"}
    assert events[-1][1:] == ["x", "0"]
    assert (
        "".join(data for _at, code, data in events if code == "o").count("\x1b[33m! \x1b[0m") == 1
    )
    markers = [data for _at, code, data in events if code == "m"]
    assert len(markers) == 1
    assert markers[0].startswith("-> read")


def test_both_versions_keep_the_agents_rhythm(place: Server) -> None:
    session_id = ended(place, "slow")
    log = place.log_path(session_id).read_text().splitlines()
    seconds = [float(line[17:19]) + float("0" + line[19:29]) for line in log]
    expected = [(each - seconds[0]) % 60 for each in seconds]

    def times(form: str) -> list[float]:
        lines = [json.loads(line) for line in exported(place, session_id, form).splitlines()[1:]]
        return [at for at, code, _data in lines if code == "o"]

    absolute = times("asciicast-v2")
    intervals = times("asciicast")
    assert absolute == pytest.approx(expected, abs=2e-6)
    assert [sum(intervals[: n + 1]) for n in range(len(intervals))] == pytest.approx(
        expected, abs=1e-4
    )


def test_what_was_sent_is_an_input_event(place: Server) -> None:
    session_id = place.invoke("input")
    run(place, "send", session_id, "typed", "--end")
    place.wait_until_ended(session_id)
    lines = [json.loads(line) for line in exported(place, session_id, "asciicast").splitlines()[1:]]

    assert [data for _at, code, data in lines if code == "i"] == ["typed\n"]


def test_a_signal_is_an_exit_status_as_of_a_shell(place: Server) -> None:
    session_id = place.invoke("forever")
    run(place, "cancel", session_id)

    last = json.loads(exported(place, session_id, "asciicast").splitlines()[-1])
    assert last[1:] == ["x", "143"]


# --- Markdown, and all of them ----------------------------------------------------------


def test_markdown_holds_everything_and_none_of_it_acts(place: Server) -> None:
    text = exported(place, ended(place, "bytes"), "markdown")

    assert text.startswith("# bytes: succeeded\n\n| | |\n|---|---|\n| session | session")
    assert "```text\nhi\n" in text
    assert "**stderr**\n\n```text\nwarning red\n```" in text
    assert "**Tool call** read path: aaa" in text
    assert '  ```json\n  {\n    "type": "tool_call",' in text
    assert "\x1b" not in text


def test_a_file_that_is_there_stays(place: Server, tmp_path: Path) -> None:
    session_id = ended(place, "slow")
    path = tmp_path / "session.md"
    first = run(place, "export", session_id, "--format", "markdown", "-o", str(path))
    before = path.read_text()
    second = run(place, "export", session_id, "--format", "markdown", "-o", str(path))
    third = run(place, "export", session_id, "--format", "html", "-o", str(tmp_path / "no" / "x"))

    assert first.returncode == 0
    assert first.stderr.startswith(f"{path}: ")
    assert second.returncode == 1
    assert "never overwrites" in second.stderr
    assert path.read_text() == before
    assert third.returncode == 2
    assert "No such file or directory" in third.stderr


def test_a_bar_is_shown_at_a_terminal_and_nowhere_else(place: Server, tmp_path: Path) -> None:
    session_id = ended(place, "slow")
    file = str(tmp_path / "session.jsonl")
    with at_a_terminal(place, "export", session_id, "--format", "jsonl", "-o", file) as screen:
        assert screen.end() == 0
    assert b"export" in screen.raw
    assert screen.text.startswith(f"{file}: ")
    with at_a_terminal(tmp_path, "import", file, NO_COLOR="1") as screen:
        assert screen.end() == 0
    assert b"import" in screen.raw
    assert screen.text.startswith(f"{session_id}: imported")
    assert b"\x1b[3" not in screen.raw


def test_page_of_a_long_session_holds_its_beginning_and_its_end(place: Server) -> None:
    session_id = ended(place, "lines")
    command = ("export", session_id, "--format", "html", "--max-events")
    cut, whole = run(place, *command, "40"), run(place, *command, "0")
    said = "462 events in the middle were left out."
    assert said in cut.stderr
    assert said in cut.stdout
    assert f"agent-stream export {session_id} --format html --max-events 0" in cut.stderr
    shown = [number for number in range(500) if f"line {number}.\n" in cut.stdout]
    assert shown == [*range(19), *range(481, 500)]
    assert "done: succeeded" in cut.stdout
    assert whole.stderr == ""
    assert all(f"line {number}.\n" in whole.stdout for number in range(500))
    other = run(place, "export", session_id, "--format", "markdown", "--max-events", "40")
    assert other.returncode == 2
    assert "--max-events is for html" in other.stderr


def test_export_needs_a_format_that_there_is(place: Server) -> None:
    assert "Missing option '--format'" in run(place, "export", "last").stderr
    assert run(place, "export", "last", "--format", "pdf").returncode == 2
