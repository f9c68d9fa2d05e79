"""One of two files is the truth at any moment: the log, or its compressed form."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
import zstandard

from tests.log.random_logs import DONE, open_file
from tests.server import ROOT
from webapp.keeper import compress
from webapp.keeper.compress import compress_log
from webapp.log import lock
from webapp.log.opened import OpenLog, open_log
from webapp.log.record import format_record

WRITE = compress.write_compressed
LIVE_LOG = format_record(1, b"stdout", b"a line of an agent's") * 2000
LOG = LIVE_LOG + format_record(2, b"system", DONE)

CRASH = """
import os, sys
from pathlib import Path
from webapp.keeper import compress
path, steps = Path(sys.argv[1]), iter(range(int(sys.argv[2])))
compress.FRAME_BYTES = 20_000

def crashing(name):
    whole = getattr(os, name)
    def step(*arguments, **named):
        if next(steps, None) is None:
            os._exit(9)
        return whole(*arguments, **named)
    return step

for name in ("open", "write", "utime", "fsync", "rename", "unlink"):
    setattr(os, name, crashing(name))
compress.compress_log(path)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A finished log."""
    log = tmp_path / "output.log"
    log.write_bytes(LOG)
    os.utime(log, ns=(5_000_000_007, 6_000_000_009))
    return log


def content(path: Path) -> bytes:
    """What a reader finds."""
    log = open_log(path)
    try:
        return log.read(1 << 30, 0)
    finally:
        log.close()


def names(path: Path) -> list[str]:
    """The files beside it, and itself."""
    return sorted(entry.name for entry in path.parent.iterdir())


def test_compressed_log_replaces_the_plain_one(path: Path) -> None:
    done = compress_log(path)
    assert done is not None
    target = path.parent / "output.log.zst"
    assert names(path) == [target.name]
    assert (done.log_bytes, done.stored_bytes) == (len(LOG), target.stat().st_size)
    assert done.stored_bytes < len(LOG) / 10
    assert content(path) == LOG
    assert target.stat().st_mtime_ns == 6_000_000_009
    assert target.stat().st_mode & 0o777 == 0o600


def test_whatever_is_written_to_is_left_alone(path: Path) -> None:
    runner_fd = lock.open_log(path, os.O_RDWR)
    assert lock.acquire(runner_fd)
    assert compress_log(path) is None
    os.close(runner_fd)
    path.write_bytes(LIVE_LOG)
    assert compress_log(path) is None
    assert names(path) == [path.name]


def test_reader_in_the_middle_goes_on_in_the_old_file(path: Path) -> None:
    log = open_log(path)
    first = log.read(1000, 0)
    compress_log(path)
    assert first + log.read(1 << 30, 1000) == LOG
    log.close()


def test_crash_at_any_step_leaves_one_whole_log(tmp_path: Path) -> None:
    steps = 0
    while True:
        path = tmp_path / str(steps) / "output.log"
        path.parent.mkdir()
        path.write_bytes(LOG)
        code = crash_after(steps, path)
        assert content(path) == LOG
        if code == 0:
            break
        assert code == 9
        again = compress_log(path) if path.exists() else None
        assert again is None or again.log_bytes == len(LOG)
        assert names(path) == ["output.log.zst"]
        assert content(path) == LOG
        steps += 1
    assert steps > 8


def crash_after(steps: int, path: Path) -> int:
    """Compress in a process that dies at once after so many steps; its exit code."""
    return subprocess.run(
        [sys.executable, "-c", CRASH, str(path), str(steps)], cwd=ROOT, timeout=60
    ).returncode


@pytest.mark.parametrize("stored", [LOG[:-10], b"?" + LOG[1:]], ids=["shorter", "other"])
def test_what_cannot_be_read_back_never_replaces_it(path: Path, stored: bytes) -> None:
    def forget(log: OpenLog, fd: int, _pause: object) -> bytes:
        """As a disk would that forgets: the hash is of the whole log."""
        digest = WRITE(log, fd)
        os.ftruncate(fd, 0)
        os.lseek(fd, 0, os.SEEK_SET)
        with open_file(stored) as other:
            WRITE(other, fd)
        return digest

    with (
        mock.patch.object(compress, "write_compressed", forget),
        pytest.raises(OSError, match="the log stays as it is"),
    ):
        compress_log(path)
    assert names(path) == [path.name]


def test_name_is_given_and_taken_only_to_what_is_on_the_disk(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []

    def note(name: str) -> None:
        whole = getattr(os, name)

        def noting(what: object, *more: object, **named: object) -> None:
            is_folder = isinstance(what, int) and stat.S_ISDIR(os.fstat(what).st_mode)
            steps.append(f"{name} folder" if is_folder else name)
            whole(what, *more, **named)

        monkeypatch.setattr(os, name, noting)

    for name in ("fsync", "rename", "unlink"):
        note(name)
    compress_log(path)
    assert steps == ["fsync", "rename", "fsync folder", "unlink"]


def test_each_frame_has_a_checksum(path: Path) -> None:
    compress_log(path)
    packed = (path.parent / "output.log.zst").read_bytes()
    assert zstandard.get_frame_parameters(packed).has_checksum


def test_disk_that_takes_a_few_bytes_at_a_time_gets_all_of_them(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:7]))
    assert compress_log(path) is not None
    assert content(path) == LOG


def test_link_instead_of_the_part_is_not_followed(path: Path) -> None:
    elsewhere = path.parent / "elsewhere"
    elsewhere.write_text("mine")
    (path.parent / "output.log.zst.part").symlink_to(elsewhere)
    with pytest.raises(OSError, match="symbolic links"):
        compress_log(path)
    assert elsewhere.read_text() == "mine"
    assert content(path) == LOG


def test_pause_between_two_frames_may_stop_it(path: Path) -> None:
    asked = iter(range(3))

    def pause() -> None:
        if next(asked) == 2:
            raise InterruptedError("it is time to go")

    path.write_bytes(LIVE_LOG * (5 * compress.FRAME_BYTES // len(LIVE_LOG)) + LOG)
    with pytest.raises(InterruptedError, match="time to go"):
        compress_log(path, pause)
    assert names(path) == [path.name]


def test_no_descriptor_stays_open(path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    compress_log(path)
    path.write_bytes(LIVE_LOG)
    compress_log(path)
    assert os.listdir("/proc/self/fd") == before


def test_full_disk_leaves_the_log_as_it_is(path: Path) -> None:
    write = os.write
    full_fd = os.open("/dev/full", os.O_WRONLY)
    with (
        mock.patch("os.write", lambda _fd, data: write(full_fd, data)),
        pytest.raises(OSError, match="No space left"),
    ):
        compress_log(path)
    os.close(full_fd)
    assert names(path) == [path.name]
    assert content(path) == LOG
