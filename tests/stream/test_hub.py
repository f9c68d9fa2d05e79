"""What the viewers of one worker share, and what is left when they have gone."""

import os
from pathlib import Path

import pytest

from tests.server import wait_for
from tests.stream.growing_log import BY_ROW
from tests.stream.theatre import PullTheatre, held_feed
from webapp.log import lock
from webapp.stream import feed, hub
from webapp.stream.feed import Place
from webapp.stream.format import Format


def open_files() -> int:
    """Descriptors of this process."""
    return len(os.listdir("/proc/self/fd"))


def test_viewers_of_one_log_share_one_feed(stage: PullTheatre) -> None:
    with held_feed(stage.hub, "s", stage.log.path) as first:
        with held_feed(stage.hub, "s", stage.log.path) as second:
            assert first is second
            assert stage.hub.viewers == 2
        assert stage.hub.viewers == 1
    assert stage.hub.viewers == 0


def test_log_without_viewers_is_closed(stage: PullTheatre) -> None:
    with held_feed(stage.hub, "s", stage.log.path) as opened:
        opened.start_watch()  # the process's one inotify instance stays
    before = open_files()
    with held_feed(stage.hub, "s", stage.log.path) as opened:
        opened.start_watch()
        assert open_files() > before
    wait_for(lambda: open_files() == before)


def test_frame_is_made_once_for_all_viewers(stage: PullTheatre) -> None:
    stage.log.say("one")
    with held_feed(stage.hub, "s", stage.log.path) as opened:
        first = opened.frame_at(Place(0, False), Format())
        assert first is not None
        assert opened.frame_at(Place(0, False), Format()) is first
        wrapped = opened.frame_at(Place(0, False), Format(as_envelope=True))
        assert wrapped is not None
        assert wrapped.data != first.data


def test_frame_ends_where_the_next_begins(stage: PullTheatre) -> None:
    end = stage.log.say("one")
    with held_feed(stage.hub, "s", stage.log.path) as opened:
        frame = opened.frame_at(Place(0, False), Format())
        assert frame is not None
        assert (frame.end, frame.is_done) == (Place(end, False), False)
        assert opened.frame_at(frame.end, Format()) is None
        stage.log.end()
        last = opened.frame_at(frame.end, Format())
        assert last is not None
        assert last.is_done


def test_who_begins_the_watch_is_told_to_look_once_more(
    stage: PullTheatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "watch_file", lambda *_anything: None)
    with held_feed(stage.hub, "s", stage.log.path) as opened:
        assert opened.start_watch()
        assert not opened.start_watch()


def test_growth_before_the_watch_began_is_not_missed(
    stage: PullTheatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "LOOK_SECONDS", 3600.0)

    def watch_too_late(*_anything: object) -> None:
        stage.log.say("one")

    monkeypatch.setattr(feed, "watch_file", watch_too_late)
    stage.watch().wait_for_texts("one")


def test_thousand_viewers_who_come_and_go_leave_no_descriptor(stage: PullTheatre) -> None:
    stage.log.say("one")
    stage.log.end()
    stage.watch().wait_until_ended()
    before = open_files()
    for _ in range(20):
        viewers = [stage.watch() for _ in range(50)]
        for viewer in viewers:
            viewer.wait_until_ended()
    wait_for(lambda: open_files() == before)


def test_one_viewer_of_many_that_leaves_does_not_disturb_the_others(stage: PullTheatre) -> None:
    viewer = stage.watch()
    with held_feed(stage.hub, "session", stage.log.path):
        pass
    stage.log.say("one")
    viewer.wait_for_texts("one")


def test_live_log_is_not_taken_for_abandoned(stage: PullTheatre) -> None:
    looks = 0
    with held_feed(stage.hub, "s", stage.log.path) as opened:
        look = opened.look

        def count() -> None:
            nonlocal looks
            looks += 1
            look()

        opened.look = count  # type: ignore[method-assign]
        wait_for(lambda: looks >= 3)
    assert stage.abandoned == []


def test_clock_never_touches_a_file_that_another_has_opened_since(
    stage: PullTheatre, tmp_path: Path
) -> None:
    """The descriptor of a log whose last viewer left may be the next session's log."""
    other = tmp_path / "other.log"
    other.touch()
    opened: list[int] = []

    def leave_and_start_another_session() -> dict[str, object]:
        holding.__exit__(None, None, None)
        opened.append(os.open(other, os.O_RDWR))
        assert lock.acquire(opened[0])
        return BY_ROW

    stage.end_abandoned = leave_and_start_another_session
    stage.log.die()
    holding = held_feed(stage.hub, "s", stage.log.path)
    holding.__enter__()
    wait_for(lambda: stage.hub.viewers == 0)

    probe = os.open(other, os.O_RDWR)
    assert lock.is_held(probe)
    os.close(probe)
    os.close(opened[0])
