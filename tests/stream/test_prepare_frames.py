"""Frames that are prepared: what a first replay would have left, and never in a viewer's way."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stream.growing_log import GrowingLog
from tests.stream.kept_sessions import (
    GIGABYTE,
    LINE,
    Session,
    add_session,
    files,
    kept,
    read,
    record,
)
from webapp.archive.compress import compress_log
from webapp.stream import kept_folder, prepare_frames
from webapp.stream.feed import Feed
from webapp.stream.format import Format
from webapp.stream.kept_folder import NEVER_USED_NS, PART_SUFFIX, KeptFolder, folder_in
from webapp.stream.kept_frames import KeptFrames


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """One that has ended, and is prepared in steps of one piece each."""
    monkeypatch.setattr(prepare_frames, "STEP_BYTES", 1)
    with_log = add_session(tmp_path, "session-1-a")
    yield with_log
    with_log.feed.close()


def steps(var: Path, session: Session, max_bytes: int = GIGABYTE) -> Iterator[int]:
    """The steps in which its frames are prepared."""
    folder = KeptFolder(folder_in(var), max_bytes)
    return prepare_frames.prepare_frames(folder, session.feed.session_id, session.log.path)


def test_what_is_prepared_is_what_a_first_replay_leaves(tmp_path: Path, session: Session) -> None:
    frames = KeptFrames(tmp_path, GIGABYTE)
    whole = record(frames, session.feed)
    (path,) = files(tmp_path)
    left_by_replay = path.read_bytes()
    path.unlink()
    made = list(steps(tmp_path, session))
    assert len(made) > 2
    assert sum(made) == len(whole)
    assert path.read_bytes() == left_by_replay
    assert path.stat().st_mode & 0o777 == 0o600
    assert kept(frames, session.feed) == whole


@pytest.mark.parametrize("dialect", ["claude", "codex", ""])
def test_log_of_any_dialect_is_prepared_as_it_is_told(tmp_path: Path, dialect: str) -> None:
    path = tmp_path / "output.log"
    log = GrowingLog(path)
    log.say(f'{{"type":"session","sessionId":"s","dialect":"{dialect}"}}', stream=b"system")
    for number in range(110):
        log.say(f'{{"type":"assistant","message":{{"content":"{number}"}},"more":"{LINE}"}}')
        log.say("no line yet", tag=b"P")
        log.say(" and its end")
    log.end()
    log.die()
    session = Session(log, Feed("session-1-a", path))
    sum(steps(tmp_path, session))
    assert kept(KeptFrames(tmp_path, GIGABYTE), session.feed) == read(session.feed, Format())
    session.feed.close()


def test_nothing_is_done_where_the_frames_are_there(tmp_path: Path, session: Session) -> None:
    record(KeptFrames(tmp_path, GIGABYTE), session.feed)
    (path,) = files(tmp_path)
    before = path.stat()
    assert list(steps(tmp_path, session)) == []
    assert path.stat() == before


def test_frames_that_a_viewer_leaves_meanwhile_count_as_used(
    tmp_path: Path, session: Session
) -> None:
    work = steps(tmp_path, session)
    next(work)
    record(KeptFrames(tmp_path, GIGABYTE), session.feed)
    sum(work)
    (path,) = files(tmp_path)
    assert path.stat().st_mtime_ns != NEVER_USED_NS


def test_log_that_still_grows_is_small_or_is_gone_is_left_alone(tmp_path: Path) -> None:
    small = add_session(tmp_path, "session-1-b", lines=100)
    growing = GrowingLog(tmp_path / "output.log")
    for _ in range(110):
        growing.say(LINE)
    folder = KeptFolder(folder_in(tmp_path), GIGABYTE)
    assert list(steps(tmp_path, small)) == []
    assert list(prepare_frames.prepare_frames(folder, "session-1-c", growing.path)) == []
    assert list(prepare_frames.prepare_frames(folder, "session-1-d", tmp_path / "none")) == []
    assert files(tmp_path) == []
    small.feed.close()
    growing.die()


def test_compressed_log_is_prepared_as_the_plain_one_was(tmp_path: Path, session: Session) -> None:
    sum(steps(tmp_path, session))
    (path,) = files(tmp_path)
    plain = path.read_bytes()
    compress_log(session.log.path)
    assert list(steps(tmp_path, session)) == []
    path.unlink()
    sum(steps(tmp_path, session))
    assert [one.read_bytes() for one in files(tmp_path)] == [plain]


# --- room -----------------------------------------------------------------------------------


def test_frames_that_viewers_asked_for_are_never_pushed_out(
    tmp_path: Path, session: Session
) -> None:
    other = add_session(tmp_path, "session-1-b")
    frames = KeptFrames(tmp_path, 2_000_000)
    record(frames, other.feed)
    (used,) = files(tmp_path)
    os.utime(used, (1, 1))
    assert list(steps(tmp_path, session, 2_000_000)) == []
    assert files(tmp_path) == [used]
    other.feed.close()


def test_prepared_frames_make_way_for_newer_ones_and_for_those_of_viewers(
    tmp_path: Path, session: Session
) -> None:
    second, third = (add_session(tmp_path, f"session-1-{name}") for name in "bc")
    frames = KeptFrames(tmp_path, 2_000_000)
    sum(steps(tmp_path, session, 2_000_000))
    sum(steps(tmp_path, second, 2_000_000))
    assert kept(frames, session.feed) is None
    assert len(files(tmp_path)) == 1
    record(frames, third.feed)
    assert [path.name.partition(".")[0] for path in files(tmp_path)] == ["session-1-c"]
    for one in (second, third):
        one.feed.close()


def test_prepared_frames_that_were_asked_for_stay(tmp_path: Path, session: Session) -> None:
    other = add_session(tmp_path, "session-1-b")
    sum(steps(tmp_path, session, 2_000_000))
    assert kept(KeptFrames(tmp_path, 2_000_000), session.feed) is not None
    assert list(steps(tmp_path, other, 2_000_000)) == []
    assert [path.name.partition(".")[0] for path in files(tmp_path)] == ["session-1-a"]
    other.feed.close()


def test_disk_that_fills_up_meanwhile_gets_its_room_back(
    tmp_path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = steps(tmp_path, session)
    next(work)
    monkeypatch.setattr(KeptFolder, "disk_has", lambda *_anything: False)
    assert list(work) == []
    assert files(tmp_path) == []


# --- what comes between -----------------------------------------------------------------------


def test_session_that_is_deleted_meanwhile_leaves_nothing(tmp_path: Path, session: Session) -> None:
    work = steps(tmp_path, session)
    next(work)
    session.log.path.unlink()
    session.log.path.parent.rmdir()
    kept_folder.forget(tmp_path, "session-1-a")
    with pytest.raises(FileNotFoundError):
        sum(work)
    assert files(tmp_path) == []


def test_session_that_is_deleted_at_the_last_moment_leaves_nothing(
    tmp_path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def delete_and_sync(fd: int) -> None:
        session.log.path.unlink()
        session.log.path.parent.rmdir()
        fsync(fd)

    monkeypatch.setattr(os, "fsync", delete_and_sync)
    sum(steps(tmp_path, session))
    assert files(tmp_path) == []


def test_work_that_is_cut_off_leaves_nothing(tmp_path: Path, session: Session) -> None:
    work = steps(tmp_path, session)
    next(work)
    assert [path.suffix for path in files(tmp_path)] == [PART_SUFFIX]
    del work
    assert files(tmp_path) == []


def test_log_that_is_cut_meanwhile_is_given_up(tmp_path: Path, session: Session) -> None:
    work = steps(tmp_path, session)
    next(work)
    os.truncate(session.log.path, 1000)
    sum(work)
    assert files(tmp_path) == []


def test_log_that_is_cut_and_grows_again_meanwhile_is_given_up(
    tmp_path: Path, session: Session
) -> None:
    size = session.log.path.stat().st_size
    work = steps(tmp_path, session)
    next(work)
    session.log.path.write_bytes(b"x" * size + b"\n")
    sum(work)
    assert files(tmp_path) == []


def test_process_that_prepares_has_no_need_of_gevent() -> None:
    code = "import sys, webapp.archive.keeper; assert 'gevent' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
