"""Kept frames that are not to be trusted are not used."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.log import random_logs
from tests.stream.growing_log import DONE
from tests.stream.kept_sessions import GIGABYTE, add_session, record
from webapp.log.event_id import EventId
from webapp.log.record import format_record
from webapp.stream import kept_file
from webapp.stream.feed import Feed
from webapp.stream.format import Format
from webapp.stream.kept_aim import LEAST_LOG_BYTES
from webapp.stream.kept_folder import folder_in
from webapp.stream.kept_frames import KeptFrames


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    """A session that has ended, and whose frames are kept."""
    opened = add_session(tmp_path, "session-1-a").feed
    record(KeptFrames(tmp_path, GIGABYTE), opened)
    yield opened
    opened.close()


def test_log_that_grew_within_a_tick_of_the_clock_is_encoded_again(
    tmp_path: Path, feed: Feed
) -> None:
    frames = KeptFrames(tmp_path, GIGABYTE)
    found = frames.open(feed, Format())
    assert found is not None
    found.close()
    changed_ns = feed.stamp()[1]
    with feed.path.open("ab") as log:
        log.write(format_record(3, b"system", DONE))
    os.utime(feed.path, ns=(changed_ns, changed_ns))
    assert frames.open(feed, Format()) is None


def test_file_that_is_not_whole_is_closed(tmp_path: Path, feed: Feed) -> None:
    (path,) = folder_in(tmp_path).iterdir()
    os.truncate(path, 1000)
    before = os.listdir("/proc/self/fd")
    assert KeptFrames(tmp_path, GIGABYTE).open(feed, Format()) is None
    assert os.listdir("/proc/self/fd") == before


def test_log_that_is_larger_than_all_may_be_is_not_even_begun(tmp_path: Path, feed: Feed) -> None:
    feed.recordings.clear()
    KeptFrames(tmp_path, LEAST_LOG_BYTES).record(feed, Format())
    assert feed.recordings == {}


def test_frame_after_which_another_is_damaged_is_not_resumed() -> None:
    frames = [b"id: %s\nevent: a\ndata: {}\n\n" % number for number in (b"5", b"x", b"9")]
    whole = b"".join(frames)
    with random_logs.open_file(whole) as file:
        assert kept_file.find_after(file.fd, len(whole), EventId(5), b"") is None
