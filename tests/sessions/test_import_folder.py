"""What a killed import leaves is removed; what a living one writes is not."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.server import ROOT, wait_for
from webapp.sessions.import_folder import LEAST_SECONDS, arrival, remove_abandoned

IMPORT = """
import sys, time
from pathlib import Path
from webapp.sessions.import_folder import arrival
with arrival(Path(sys.argv[1])) as files:
    files.log.write_text("half")
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def var(tmp_path: Path) -> Path:
    """A folder for sessions."""
    (tmp_path / "sessions").mkdir()
    return tmp_path


def folders(var: Path) -> list[Path]:
    """What lies beside the days."""
    return list((var / "sessions").iterdir())


def make_old(directory: Path) -> None:
    """As if nothing had come for long."""
    past = time.time() - LEAST_SECONDS - 1
    os.utime(directory, (past, past))


def test_folder_is_gone_afterwards_unless_it_was_moved(var: Path) -> None:
    with arrival(var) as files:
        files.log.write_text("half")
        assert files.directory.stat().st_mode & 0o777 == 0o700
    assert folders(var) == []
    with arrival(var) as files:
        os.rename(files.directory, var / "sessions" / "moved")
    assert folders(var) == [var / "sessions" / "moved"]


def test_what_a_living_import_writes_is_left_alone_until_it_is_killed(var: Path) -> None:
    command = [sys.executable, "-c", IMPORT, str(var)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"up\n"
            (directory,) = folders(var)
            make_old(directory)
            assert remove_abandoned(var) == 0
        finally:
            process.send_signal(signal.SIGKILL)
    assert wait_for(lambda: remove_abandoned(var)) == 1
    assert folders(var) == []


def test_young_folder_may_not_have_been_locked_yet(var: Path) -> None:
    directory = var / "sessions" / ".import-0123"
    directory.mkdir()
    assert remove_abandoned(var) == 0
    make_old(directory)
    assert remove_abandoned(var) == 1


def test_nothing_else_is_removed(var: Path) -> None:
    elsewhere = var / "elsewhere"
    elsewhere.mkdir()
    for path in (var / "sessions" / "2026-11-23", elsewhere):
        path.mkdir(exist_ok=True)
        make_old(path)
    (var / "sessions" / ".import-link").symlink_to(elsewhere)
    (var / "sessions" / ".import-file").write_text("mine")
    assert remove_abandoned(var) == 0
    assert elsewhere.is_dir()
    assert len(folders(var)) == 3
    shutil.rmtree(var / "sessions")
    assert remove_abandoned(var) == 0
