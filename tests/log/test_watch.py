"""Hearing of a file's growth."""

import os
import threading
from pathlib import Path

import pytest

from webapp.log.watch import watch_file

PATIENCE_SECONDS = 20.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An empty file."""
    path = tmp_path / "output.log"
    path.touch()
    return path


def test_write_to_the_file_is_heard(file: Path) -> None:
    heard = threading.Event()
    watch = watch_file(file, heard.set)
    assert watch is not None
    file.write_bytes(b"x")
    assert heard.wait(PATIENCE_SECONDS)
    watch.close()


def test_each_watch_of_one_file_is_its_own(file: Path) -> None:
    first, second = threading.Event(), threading.Event()
    first_watch, second_watch = watch_file(file, first.set), watch_file(file, second.set)
    assert first_watch is not None
    assert second_watch is not None
    first_watch.close()
    file.write_bytes(b"x")
    assert second.wait(PATIENCE_SECONDS)
    assert not first.is_set()
    second_watch.close()


def test_removed_file_is_heard_of_and_its_watch_can_still_be_closed(file: Path) -> None:
    heard = threading.Event()
    watch = watch_file(file, heard.set)
    assert watch is not None
    file.unlink()
    assert heard.wait(PATIENCE_SECONDS)
    watch.close()
    watch.close()


def test_file_that_cannot_be_watched_is_left_to_polling(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert watch_file(tmp_path / "nowhere.log", lambda: None) is None
    assert "once a second" in caplog.text


def test_inotify_descriptor_is_not_inherited_by_what_is_started(file: Path) -> None:
    watch = watch_file(file, lambda: None)
    assert watch is not None
    descriptors = [
        int(name)
        for name in os.listdir("/proc/self/fd")
        if os.path.lexists(f"/proc/self/fd/{name}")
        and "inotify" in os.readlink(f"/proc/self/fd/{name}")
    ]
    assert descriptors
    assert not any(os.get_inheritable(fd) for fd in descriptors)
    watch.close()
