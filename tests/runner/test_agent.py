"""Finding the agent's program, and naming what ended it."""

import signal
import stat
from pathlib import Path

import pytest

from webapp.runner.agent import StartError, find_command, signal_name


def make_program(path: Path, mode: int = 0o755) -> Path:
    """A program in a folder of its own."""
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_first_program_on_the_path_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_program(tmp_path / "1" / "tool"), make_program(tmp_path / "2" / "tool")
    monkeypatch.setenv("PATH", f"{tmp_path}/0:{first.parent}:{second.parent}")
    assert find_command("tool") == str(first)


def test_folders_and_plain_files_on_the_path_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "1" / "tool").mkdir(parents=True)
    plain = make_program(tmp_path / "2" / "tool", mode=stat.S_IRUSR)
    program = make_program(tmp_path / "3" / "tool")
    monkeypatch.setenv("PATH", f"{tmp_path}/1:{plain.parent}:{program.parent}")
    assert find_command("tool") == str(program)


def test_error_names_the_command_and_where_it_was_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(StartError, match=r"'no-such-tool'.*/nowhere"):
        find_command("no-such-tool")


def test_path_is_not_asked_for_a_name_with_a_slash(tmp_path: Path) -> None:
    program = make_program(tmp_path / "tool")
    assert find_command(str(program)) == str(program)
    with pytest.raises(StartError, match="no such file"):
        find_command(str(tmp_path / "other"))


def test_usual_folders_are_searched_without_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PATH")
    assert find_command("sh") in ("/bin/sh", "/usr/bin/sh")


@pytest.mark.parametrize(
    ("number", "name"),
    [(signal.SIGTERM, "SIGTERM"), (signal.SIGKILL, "SIGKILL"), (signal.SIGSEGV, "SIGSEGV")],
)
def test_signal_is_named(number: int, name: str) -> None:
    assert signal_name(number) == name


def test_signal_without_a_name_is_numbered() -> None:
    assert signal_name(40) == "signal 40"
