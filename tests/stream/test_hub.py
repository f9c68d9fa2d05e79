"""What the viewers of one worker share, and what is left when they have gone."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.server import wait_for
from tests.servers.streams import LONG_SECONDS, WsgiServer, held_feed
from tests.stream.growing_log import BY_ROW
from webapp.log import lock
from webapp.stream.feed import Position
from webapp.stream.format import Format
from webapp.stream.hub import Hub


@pytest.fixture
def server(wsgi_server: WsgiServer) -> WsgiServer:
    """A hub in this process."""
    return wsgi_server


def open_files() -> int:
    """Descriptors of this process."""
    return len(os.listdir("/proc/self/fd"))


def test_viewers_of_one_log_share_one_feed(server: WsgiServer) -> None:
    with held_feed(server.hub, "s", server.log.path) as first:
        with held_feed(server.hub, "s", server.log.path) as second:
            assert first is second
            assert server.hub.viewers == 2
        assert server.hub.viewers == 1
    assert server.hub.viewers == 0


def test_log_without_viewers_is_closed(server: WsgiServer) -> None:
    with held_feed(server.hub, "s", server.log.path) as opened:
        opened.start_watch()  # the process's one inotify instance stays
    before = open_files()
    with held_feed(server.hub, "s", server.log.path) as opened:
        opened.start_watch()
        assert open_files() > before
    wait_for(lambda: open_files() <= before)


def test_frame_is_made_once_for_all_viewers(server: WsgiServer) -> None:
    server.log.say("one")
    with held_feed(server.hub, "s", server.log.path) as opened:
        first = opened.frame_at(Position(0, False), Format())
        assert first is not None
        assert opened.frame_at(Position(0, False), Format()) is first
        wrapped = opened.frame_at(Position(0, False), Format(as_envelope=True))
        assert wrapped is not None
        assert wrapped.data != first.data


def test_frame_ends_where_the_next_begins(server: WsgiServer) -> None:
    end = server.log.say("one")
    with held_feed(server.hub, "s", server.log.path) as opened:
        frame = opened.frame_at(Position(0, False), Format())
        assert frame is not None
        assert (frame.end, frame.is_done) == (Position(end, False), False)
        assert opened.frame_at(frame.end, Format()) is None
        server.log.end()
        last = opened.frame_at(frame.end, Format())
        assert last is not None
        assert last.is_done


def test_first_waiter_is_asked_to_look_once_more(server: WsgiServer) -> None:
    server.options.has_inotify = False
    with held_feed(server.hub, "s", server.log.path) as opened:
        assert opened.start_watch()
        assert not opened.start_watch()


def test_growth_before_the_watch_began_is_not_missed(server: WsgiServer) -> None:
    def watch_too_late(_path: Path, _on_change: Callable[[], None]) -> None:
        server.log.say("one")

    server.use(
        Hub(
            lambda _session_id: None,
            should_stop=lambda: server.is_stopping,
            look_seconds=LONG_SECONDS,
            watch=watch_too_late,
        )
    )
    server.watch().wait_for_texts("one")


def test_thousand_viewers_who_come_and_go_leave_no_descriptor(server: WsgiServer) -> None:
    server.log.say("one")
    server.log.end()
    server.watch().wait_until_ended()
    before = open_files()
    for _ in range(20):
        viewers = [server.watch() for _ in range(50)]
        for viewer in viewers:
            viewer.wait_until_ended()
    wait_for(lambda: open_files() <= before)


def test_one_viewer_of_many_that_leaves_does_not_disturb_the_others(server: WsgiServer) -> None:
    viewer = server.watch()
    with held_feed(server.hub, "session", server.log.path):
        pass
    server.log.say("one")
    viewer.wait_for_texts("one")


def test_live_log_is_not_taken_for_abandoned(server: WsgiServer) -> None:
    """As soon as it is one, a look notices that; so there were looks at it before."""
    server.options.look_seconds = 0.01
    viewer = server.watch(ping_seconds=0.1)
    wait_for(lambda: viewer.pings >= 2)
    assert server.abandoned == []
    server.log.die()
    wait_for(lambda: server.abandoned)


def test_look_never_touches_a_file_that_another_has_opened_since(
    server: WsgiServer, tmp_path: Path
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

    server.end_abandoned = leave_and_start_another_session
    server.log.die()
    holding = held_feed(server.hub, "s", server.log.path)
    holding.__enter__()
    wait_for(lambda: server.hub.viewers == 0)

    probe = os.open(other, os.O_RDWR)
    assert lock.is_held(probe)
    os.close(probe)
    os.close(opened[0])
