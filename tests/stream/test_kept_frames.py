"""Frames that are kept: only whole, and only of just that log."""

import os
import stat
from pathlib import Path

import pytest

import webapp.log
from tests.server import wait_for
from tests.stream.growing_log import DONE, GrowingLog
from tests.stream.kept_sessions import (
    GIGABYTE,
    LINE,
    Session,
    add_session,
    files,
    kept,
    read,
    record,
    wait_until_idle,
)
from webapp.archive.compress import compress_log
from webapp.log.record import format_record
from webapp.stream import kept_aim, kept_folder, kept_frames
from webapp.stream.feed import Feed
from webapp.stream.format import Format
from webapp.stream.kept_aim import LEAST_LOG_BYTES
from webapp.stream.kept_frames import KeptFrames

FORMS = [Format(), Format(as_envelope=True), Format(id_prefix="session-1-a/")]


@pytest.mark.parametrize("form", FORMS)
def test_kept_frames_are_the_encoders_byte_for_byte(
    tmp_path: Path, session: Session, form: Format
) -> None:
    frames = KeptFrames(tmp_path, GIGABYTE)
    whole = read(session.feed, form)
    assert kept(frames, session.feed, form) is None
    assert record(frames, session.feed, form) == whole
    assert kept(frames, session.feed, form) == whole
    assert kept(KeptFrames(tmp_path, GIGABYTE), session.feed, form) == whole
    assert all(kept(frames, session.feed, other) is None for other in FORMS if other != form)


def test_nobody_else_on_the_machine_can_read_them(tmp_path: Path, session: Session) -> None:
    umask = os.umask(0)
    try:
        record(KeptFrames(tmp_path, GIGABYTE), session.feed)
    finally:
        os.umask(umask)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "cache").rglob("*")}
    assert {path.is_dir(): mode for path, mode in modes.items()} == {True: 0o700, False: 0o600}
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700


def test_link_in_their_place_is_not_followed(tmp_path: Path, session: Session) -> None:
    frames = KeptFrames(tmp_path, GIGABYTE)
    record(frames, session.feed)
    (path,) = files(tmp_path)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert kept(frames, session.feed) is None


# --- of what they are kept ----------------------------------------------------------------


def test_session_that_still_runs_is_not_kept(tmp_path: Path) -> None:
    log = GrowingLog(tmp_path / "output.log")
    for _ in range(110):
        log.say(LINE)
    feed, frames = Feed("session-1-a", log.path), KeptFrames(tmp_path, GIGABYTE)
    record(frames, feed)
    assert files(tmp_path) == []
    feed.close()
    log.die()


def test_small_log_is_not_kept(tmp_path: Path) -> None:
    small = add_session(tmp_path, "session-1-a", lines=100)
    assert small.feed.size() < LEAST_LOG_BYTES
    record(KeptFrames(tmp_path, GIGABYTE), small.feed)
    assert files(tmp_path) == []
    small.feed.close()


def test_viewers_who_come_one_after_the_other_fill_one_recording(
    tmp_path: Path, session: Session
) -> None:
    frames = KeptFrames(tmp_path, GIGABYTE)
    frames.record(session.feed, Format())
    read(session.feed, Format(), most=2)
    frames.record(session.feed, Format())
    whole = read(session.feed, Format())
    wait_until_idle(frames)
    assert kept(frames, session.feed) == whole
    assert session.feed.recordings == {}


def test_recording_that_its_last_viewer_leaves_is_given_up(
    tmp_path: Path, session: Session
) -> None:
    frames = KeptFrames(tmp_path, GIGABYTE)
    frames.record(session.feed, Format())
    read(session.feed, Format(), most=2)
    wait_for(lambda: files(tmp_path))
    session.feed.close()
    session.feed.holders = 1
    wait_until_idle(frames)
    assert files(tmp_path) == []


def test_two_workers_that_record_the_same_keep_it_once(tmp_path: Path, session: Session) -> None:
    other = Feed("session-1-a", session.log.path)
    one, two = KeptFrames(tmp_path, GIGABYTE), KeptFrames(tmp_path, GIGABYTE)
    one.record(session.feed, Format())
    two.record(other, Format())
    read(session.feed, Format(), most=2)
    whole = read(other, Format())
    wait_until_idle(two)
    assert kept(one, session.feed) == whole
    read(session.feed, Format())
    wait_until_idle(one)
    other.close()
    assert len(files(tmp_path)) == 1
    assert kept(one, session.feed) == whole


def test_frames_of_a_log_that_is_compressed_hold_on(tmp_path: Path, session: Session) -> None:
    frames = KeptFrames(tmp_path, GIGABYTE)
    whole = record(frames, session.feed)
    compress_log(session.log.path)
    compressed = Feed("session-1-a", session.log.path)
    assert not compressed.log.is_plain
    assert kept(frames, compressed) == whole
    kept_folder.forget(tmp_path, "session-1-a")
    assert record(frames, compressed) == whole == kept(frames, compressed)
    compressed.close()


# --- when they hold no longer -------------------------------------------------------------


def test_log_that_was_written_since_is_encoded_again(tmp_path: Path, session: Session) -> None:
    frames = KeptFrames(tmp_path, GIGABYTE)
    record(frames, session.feed)
    fd = os.open(session.log.path, os.O_WRONLY)
    os.pwrite(fd, b"*" * 20, session.feed.size() // 2)  # a secret that somebody blackens
    os.utime(fd, ns=(1, session.feed.stamp()[1] + 1))  # a clock may be too coarse to tell
    os.close(fd)
    assert kept(frames, session.feed) is None
    session.feed.forget_frames()
    assert b"*" * 20 in record(frames, session.feed)
    assert b"*" * 20 in (kept(frames, session.feed) or b"")


def test_log_that_grew_is_encoded_again(tmp_path: Path, session: Session) -> None:
    frames = KeptFrames(tmp_path, GIGABYTE)
    record(frames, session.feed)
    with session.log.path.open("ab") as log:
        log.write(format_record(3, b"system", DONE))
    assert kept(frames, session.feed) is None


def test_other_code_encodes_again(
    tmp_path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(KeptFrames(tmp_path, GIGABYTE), session.feed)
    monkeypatch.setattr(kept_frames, "code_version", lambda: "another")
    assert kept(KeptFrames(tmp_path, GIGABYTE), session.feed) is None


def test_code_version_covers_what_makes_events_and_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "deep" / "new_way.py"
    module.parent.mkdir()
    module.write_text("A = 1")
    monkeypatch.setattr(webapp.log, "__path__", [str(tmp_path)])
    before = kept_aim.code_version.__wrapped__()
    assert before == kept_aim.code_version.__wrapped__()
    module.write_text("A = 2")
    assert before != kept_aim.code_version.__wrapped__()


@pytest.mark.parametrize("left", [0, 1, 1000, -1])
def test_file_that_is_not_whole_is_removed_and_not_used(
    tmp_path: Path, session: Session, left: int
) -> None:
    frames = KeptFrames(tmp_path, GIGABYTE)
    record(frames, session.feed)
    (path,) = files(tmp_path)
    os.truncate(path, left if left >= 0 else path.stat().st_size + left)
    assert kept(frames, session.feed) is None
    assert files(tmp_path) == []


def test_frames_of_a_session_that_is_deleted_go_with_it(tmp_path: Path, session: Session) -> None:
    frames = KeptFrames(tmp_path, GIGABYTE)
    other = add_session(tmp_path, "session-1-ab")
    record(frames, session.feed)
    record(frames, other.feed)
    record(frames, session.feed, Format(as_envelope=True))
    kept_folder.forget(tmp_path, "session-1-a")
    assert [path.name.partition(".")[0] for path in files(tmp_path)] == ["session-1-ab"]
    other.feed.close()


def test_session_that_is_deleted_while_it_is_recorded_leaves_nothing(
    tmp_path: Path, session: Session
) -> None:
    frames = KeptFrames(tmp_path, GIGABYTE)
    frames.record(session.feed, Format())
    read(session.feed, Format(), most=2)
    wait_for(lambda: files(tmp_path))
    session.log.path.unlink()
    session.log.path.parent.rmdir()
    kept_folder.forget(tmp_path, "session-1-a")
    read(session.feed, Format())
    wait_until_idle(frames)
    assert files(tmp_path) == []


def test_forgetting_what_was_never_kept_is_fine(tmp_path: Path) -> None:
    kept_folder.forget(tmp_path, "session-1-a")
