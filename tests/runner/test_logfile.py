"""The log as its one writer sees it; the full disk is a real limit on the file's size."""

import json
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from webapp.log.record import format_record, parse_record
from webapp.runner import logfile
from webapp.runner.logfile import LogFile

LINE = format_record(1, b"stdout", b"x" * 59)
LINE_BYTES = len(LINE)


class Log(LogFile):
    """A log with a path."""

    def __init__(self, path: Path, max_bytes: int | None = None) -> None:
        self.path = path
        super().__init__(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT), max_bytes)

    def told(self) -> list[dict[str, object]]:
        """What the system records say; every line must be a record."""
        records = [parse_record(line) for line in self.path.read_bytes().split(b"\n")[:-1]]
        assert None not in records
        return [
            json.loads(record.content)
            for record in records
            if record is not None and record.stream == b"system"
        ]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """An empty log without a cap."""
    opened = Log(tmp_path / "output.log")
    yield opened
    os.close(opened.fd)


@contextmanager
def full_at(size: int) -> Iterator[None]:
    """No file of this process can grow beyond this size: EFBIG, after a short write."""
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)


def test_records_are_appended_and_counted(log: Log) -> None:
    log.append_output(LINE)
    log.append_system({"type": "x"})
    assert log.path.read_bytes().startswith(LINE)
    assert log.told() == [{"type": "x"}]
    assert log.size == log.path.stat().st_size


def test_output_over_the_cap_is_dropped_and_said_once(tmp_path: Path) -> None:
    log = Log(tmp_path / "output.log", max_bytes=LINE_BYTES * 2 + 10)
    for _ in range(5):
        log.append_output(LINE)
    assert log.path.read_bytes().startswith(LINE * 2)
    assert log.told() == [{"type": "truncated", "maxLogBytes": LINE_BYTES * 2 + 10}]
    assert log.dropped_bytes == 3 * 60
    os.close(log.fd)


def test_records_that_still_fit_under_the_cap_are_kept_whole(tmp_path: Path) -> None:
    log = Log(tmp_path / "output.log", max_bytes=LINE_BYTES * 2 + 10)
    log.append_output(LINE * 5)
    assert log.path.read_bytes().startswith(LINE * 2)
    assert len(log.told()) == 1
    os.close(log.fd)


def test_system_records_are_written_beyond_the_cap(tmp_path: Path) -> None:
    log = Log(tmp_path / "output.log", max_bytes=1)
    log.append_output(LINE)
    log.append_system({"type": "done"})
    assert [content["type"] for content in log.told()] == ["truncated", "done"]
    os.close(log.fd)


def test_full_disk_keeps_whole_records_and_cuts_the_torn_one_off(log: Log) -> None:
    with full_at(LINE_BYTES * 2 + 30):
        log.append_output(LINE * 4)
    assert log.path.read_bytes() == LINE * 2
    assert log.size == LINE_BYTES * 2


def test_gap_is_recorded_once_there_is_room(log: Log) -> None:
    with full_at(LINE_BYTES * 2 + 30):
        log.append_output(LINE * 4)
        log.append_output(LINE)
    log.append_output(LINE)
    (gap,) = log.told()
    assert (gap["type"], gap["bytes"]) == ("gap", 3 * 60)
    assert log.path.read_bytes().endswith(LINE)
    assert log.dropped_bytes == 3 * 60


def test_disk_that_stays_nearly_full_makes_one_gap(log: Log) -> None:
    long_line = format_record(1, b"stdout", b"x" * 3999)
    with full_at(len(long_line) + 3000):  # where no second one fits, but many a gap would
        for _ in range(500):
            log.append_output(long_line)
    log.append_output(LINE)
    (gap,) = log.told()
    assert gap["bytes"] == 499 * 4000
    assert log.path.read_bytes().endswith(LINE)


def test_gap_that_is_open_at_the_end_is_recorded_in_little_room(log: Log) -> None:
    with full_at(4096):
        log.append_output(format_record(1, b"stdout", b"x" * 5000))
        log.append_system({"type": "done"})
        log.wait_for_room()
    assert [content["type"] for content in log.told()] == ["gap", "done"]


def test_record_that_must_be_written_waits_for_room(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = full_at(10)
    limit.__enter__()
    waits = 0

    def make_room(_seconds: float) -> None:
        nonlocal waits
        waits += 1
        if waits == 3:
            limit.__exit__(None, None, None)

    monkeypatch.setattr(logfile, "sleep", make_room)
    log.append_system({"type": "done"})
    log.wait_for_room()
    assert waits == 3
    assert log.told() == [{"type": "done"}]


def test_record_of_ours_is_owed_on_a_full_disk_and_holds_nobody_up(log: Log) -> None:
    with full_at(10):
        log.append_system({"type": "session"})
        log.append_output(LINE)
    assert log.path.read_bytes() == b""
    log.append_output(LINE)
    assert [content["type"] for content in log.told()] == ["session", "gap"]
    assert log.path.read_bytes().endswith(LINE)


def test_log_that_somebody_emptied_does_not_grow_a_hole_on_a_full_disk(log: Log) -> None:
    log.append_output(LINE * 20)
    os.truncate(log.path, 0)
    with full_at(LINE_BYTES + 30):
        log.append_output(LINE * 2)
    assert log.path.read_bytes() == LINE


def test_other_trouble_with_the_disk_is_not_swallowed(tmp_path: Path) -> None:
    log = Log(tmp_path / "output.log")
    os.close(log.fd)
    with pytest.raises(OSError, match="Bad file descriptor"):
        log.append_output(LINE)
