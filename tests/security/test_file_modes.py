"""What other users of the machine can read: nothing, whatever the umask."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import run

FORMATS = ("asciicast", "asciicast-v2", "markdown", "html", "jsonl")


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """The one that protects nothing; the commands inherit it."""
    umask = os.umask(0)
    yield
    os.umask(umask)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a session in it."""
    assert run(tmp_path, "run", "--", "echo", "private").returncode == 0
    return tmp_path


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("form", FORMATS)
def test_exports_are_for_their_owner(folder: Path, form: str) -> None:
    output = run(folder, "export", "last", "--format", form, "-o", "export")
    assert output.returncode == 0, output.stderr
    assert mode(folder / "export") == 0o600


def test_backups_are_for_their_owner(folder: Path) -> None:
    for arguments in ((), ("copy.db",)):
        assert run(folder, "backup", *arguments).returncode == 0
    (copy,) = (folder / "var" / "backups").iterdir()
    assert (mode(copy), mode(copy.parent), mode(folder / "copy.db")) == (0o600, 0o700, 0o600)


def test_the_empty_var_of_a_checkout_becomes_private(tmp_path: Path) -> None:
    var = tmp_path / "var"
    var.mkdir(mode=0o755)
    (var / ".gitkeep").touch()
    assert run(tmp_path, "run", "--", "true").returncode == 0
    assert mode(var) == 0o700


def test_a_folder_that_holds_something_keeps_its_mode(tmp_path: Path) -> None:
    var = tmp_path / "var"
    var.mkdir(mode=0o755)
    (var / "mine.txt").touch()
    assert run(tmp_path, "run", "--", "true").returncode == 0
    assert mode(var) == 0o755
