"""Kept frames never take more than there may be, and never what the disk needs."""

import os
import time
from pathlib import Path

import pytest

from tests.server import wait_for
from tests.stream.kept_sessions import (
    GIGABYTE,
    Session,
    add_session,
    files,
    kept,
    read,
    record,
    wait_until_idle,
)
from webapp.stream import kept_folder, kept_frames, kept_part, recording
from webapp.stream.format import Format
from webapp.stream.kept_aim import LEAST_LOG_BYTES
from webapp.stream.kept_folder import KeptFolder, folder_in
from webapp.stream.kept_frames import KeptFrames


def test_least_recently_used_goes_first(tmp_path: Path) -> None:
    sessions = {name: add_session(tmp_path, f"session-1-{name}") for name in "abc"}
    frames = KeptFrames(tmp_path, 2_800_000)
    for name in "ab":
        record(frames, sessions[name].feed)
    for number, path in enumerate(files(tmp_path)):
        os.utime(path, (number, number))
    assert kept(frames, sessions["a"].feed) is not None
    record(frames, sessions["c"].feed)
    assert {name for name in "abc" if kept(frames, sessions[name].feed)} == {"a", "c"}
    for one in sessions.values():
        one.feed.close()


def test_log_that_is_larger_than_all_may_be_is_not_kept(tmp_path: Path, session: Session) -> None:
    record(KeptFrames(tmp_path, LEAST_LOG_BYTES), session.feed)
    assert files(tmp_path) == []


def test_frames_that_come_out_larger_than_all_may_be_are_not_kept(
    tmp_path: Path, session: Session
) -> None:
    frames = KeptFrames(tmp_path, session.feed.size() + 10)
    record(frames, session.feed, Format(as_envelope=True))
    assert files(tmp_path) == []


def test_disk_that_is_nearly_full_is_left_alone(
    tmp_path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = os.statvfs(tmp_path)
    monkeypatch.setattr(kept_folder, "_FREE_BYTES", disk.f_bavail * disk.f_frsize + (1 << 40))
    record(KeptFrames(tmp_path, GIGABYTE), session.feed)
    assert files(tmp_path) == []


def test_disk_that_fills_up_meanwhile_gets_its_room_back(
    tmp_path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = KeptFrames(tmp_path, GIGABYTE)
    frames.record(session.feed, Format())
    read(session.feed, Format(), most=2)
    wait_for(lambda: any(path.stat().st_size for path in files(tmp_path)))
    monkeypatch.setattr(KeptFolder, "disk_has", lambda *_anything: False)
    read(session.feed, Format())
    wait_until_idle(frames)
    assert files(tmp_path) == []


def test_disk_that_takes_no_more_ends_the_recording_and_not_the_replay(
    tmp_path: Path,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(_fd: int, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    whole = read(session.feed, Format())
    monkeypatch.setattr(kept_part, "write_all", refuse)
    frames = KeptFrames(tmp_path, GIGABYTE)
    assert record(frames, session.feed) == whole
    assert files(tmp_path) == []
    frames.record(session.feed, Format())
    assert "No space left" in caplog.text


def test_disk_that_is_slower_than_the_replay_ends_the_recording(
    tmp_path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "BACKLOG_BYTES", -1)
    record(KeptFrames(tmp_path, GIGABYTE), session.feed)
    assert files(tmp_path) == []


def test_part_that_a_killed_worker_left_goes_after_an_hour(
    tmp_path: Path, session: Session
) -> None:
    folder_in(tmp_path).mkdir(parents=True)
    old, new = (folder_in(tmp_path) / f"session-2-{name}.0.7-0.part" for name in ("old", "new"))
    for part in (old, new):
        part.write_bytes(b"x")
    os.utime(old, (time.time() - 4000, time.time() - 4000))
    record(KeptFrames(tmp_path, GIGABYTE), session.feed)
    assert not old.exists()
    assert new.exists()


def test_folder_that_cannot_be_made_is_no_trouble(tmp_path: Path, session: Session) -> None:
    (tmp_path / "cache").write_text("no folder")
    frames = KeptFrames(tmp_path, GIGABYTE)
    assert record(frames, session.feed) == read(session.feed, Format())
    assert kept(frames, session.feed) is None
    kept_folder.forget(tmp_path, "session-1-a")


def test_no_more_than_a_few_are_recorded_at_once(
    tmp_path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_frames, "MOST_RECORDINGS", 1)
    frames = KeptFrames(tmp_path, GIGABYTE)
    frames.record(session.feed, Format())
    frames.record(session.feed, Format(as_envelope=True))
    assert list(session.feed.recordings) == [Format()]
    read(session.feed, Format())
    wait_until_idle(frames)
    frames.record(session.feed, Format(as_envelope=True))
    assert list(session.feed.recordings) == [Format(as_envelope=True)]
