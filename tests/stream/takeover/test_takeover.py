"""Viewers whose connections the worker owns: parked, slow, gone; and what they leave."""

import contextlib
import socket
import struct
from collections.abc import Iterator

import pytest

from tests.server import wait_for
from tests.servers.streams import LONG_SECONDS, GeventServer, read_by_thread
from tests.stream.growing_log import GrowingLog
from webapp.stream.format import Format
from webapp.stream.view import Pace

BIG = "x" * 100_000


@pytest.fixture
def server(gevent_server: GeventServer) -> GeventServer:
    """A worker that owns the sockets."""
    return gevent_server


def test_parked_viewer_is_a_descriptor_and_no_greenlet(server: GeventServer) -> None:
    server.log.say("one")
    server.watch().wait_for_texts("one")
    wait_for(lambda: server.ask("viewers") == 1)
    greenlets, files = server.ask("greenlets"), server.ask("files")
    viewers = [server.watch() for _ in range(50)]
    for viewer in viewers:
        viewer.wait_for_texts("one")
    wait_for(lambda: server.ask("greenlets") == greenlets)
    assert server.ask("files") == files + 50
    assert server.ask("viewers") == 51


def test_every_viewer_gets_every_event_of_a_flood_once(server: GeventServer) -> None:
    viewers = [server.watch() for _ in range(20)]
    wait_for(lambda: server.ask("viewers") == 20)
    texts = [str(number) for number in range(5_000)]
    for text in texts:
        server.log.say(text)
    server.log.end()
    for viewer in viewers:
        viewer.wait_until_ended()
        assert viewer.texts == texts
        assert viewer.names[-1] == "done"


@pytest.mark.parametrize("protocol", ["HTTP/1.0", "HTTP/1.1"])
def test_parked_viewer_is_framed_as_its_response_is(server: GeventServer, protocol: str) -> None:
    server.log.say("before")
    viewers = [server.watch(protocol=protocol), server.watch()]
    for viewer in viewers:
        wait_for(lambda viewer=viewer: viewer.body)  # type: ignore[misc]
    wait_for(lambda: server.ask("viewers") == 2)
    for text in ("one", "zwei €", BIG):
        server.log.say(text)
    server.log.end()
    for viewer in viewers:
        viewer.wait_until_ended()
        assert viewer.texts == ["before", "one", "zwei €", BIG]
    bodies = {viewer.body.partition(b"\n")[2] for viewer in viewers}
    assert len(bodies) == 1


def test_viewers_of_different_formats_do_not_mix(server: GeventServer) -> None:
    plain = server.watch()
    wrapped = server.watch(form=Format(as_envelope=True))
    named = server.watch(form=Format(id_prefix="s/"), first_id="s/0")
    wait_for(lambda: server.ask("viewers") == 3)
    end = server.log.say("one")
    server.log.end()
    for viewer in (plain, wrapped, named):
        viewer.wait_until_ended()
    assert plain.events[0].json() == {"content": "one"}
    assert wrapped.events[0].json()["data"] == {"content": "one"}
    assert named.events[0].last_event_id == f"s/{end}"


def test_viewer_who_comes_to_the_tail_wakes_those_who_are_parked_there(
    server: GeventServer,
) -> None:
    server.options.has_inotify = False
    server.options.look_seconds = LONG_SECONDS
    first = server.watch()
    wait_for(lambda: server.ask("viewers") == 1)
    server.log.say("one")
    second = server.watch()
    for viewer in (first, second):
        viewer.wait_for_texts("one")


def test_viewer_who_is_further_than_the_tail_gets_nothing_twice(
    server: GeventServer,
) -> None:
    server.options.has_inotify = False
    server.options.look_seconds = LONG_SECONDS
    first = server.watch()
    wait_for(lambda: server.ask("viewers") == 1)
    texts = [f"{number} {BIG}" for number in range(30)]
    for text in texts:
        server.log.say(text)
    second = server.watch()
    second.wait_for_texts(*texts)
    first.wait_for_texts(*texts)
    server.log.say("last")
    third = server.watch(last_events=1)
    for viewer in (first, second):
        viewer.wait_for_texts(*texts, "last")
    third.wait_for_texts("last")


def test_viewer_who_finds_only_dead_ones_at_the_tail_gets_what_comes(server: GeventServer) -> None:
    server.options.has_inotify = False
    server.options.look_seconds = LONG_SECONDS
    dead = [server.connect() for _ in range(300)]
    wait_for(lambda: server.ask("viewers") == len(dead))
    reset = struct.pack("ii", 1, 0)
    for connection in dead:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        connection.close()
    server.log.say("one")  # the worker has not noticed yet that most of them are gone
    viewer = server.watch()
    viewer.wait_for_texts("one")
    wait_for(lambda: server.ask("viewers") == 1)
    server.log.say("two")
    server.watch()  # wakes those who are parked
    viewer.wait_for_texts("one", "two")


# --- slow viewers -----------------------------------------------------------------------


@contextlib.contextmanager
def stuck(server: GeventServer) -> Iterator[socket.socket]:
    """A viewer at the tail that has stopped reading, and whose buffers are full."""
    connection = server.connect()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    wait_for(lambda: server.ask("viewers") == 1)
    with connection:
        yield connection


def test_viewer_that_cannot_keep_up_loses_nothing(server: GeventServer) -> None:
    with stuck(server) as slow:
        quick = server.watch()
        texts = [f"{number} {BIG}" for number in range(60)]
        for text in texts:
            server.log.say(text)
            wait_for(lambda text=text: quick.texts[-1:] == [text])  # type: ignore[misc]
        server.log.say("last")
        server.log.end()
        quick.wait_until_ended()
        viewer = read_by_thread(slow)
        viewer.wait_until_ended()
    assert viewer.texts == [*texts, "last"]
    assert viewer.names[-1] == "done"


def test_viewer_that_has_caught_up_is_parked_again(server: GeventServer) -> None:
    with stuck(server) as slow:
        greenlets = server.ask("greenlets")
        for number in range(60):
            server.log.say(f"{number} {BIG}")
        wait_for(lambda: server.ask("greenlets") > greenlets)
        viewer = read_by_thread(slow)
        wait_for(lambda: len(viewer.texts) == 60)
        wait_for(lambda: server.ask("greenlets") == greenlets)
        server.log.say("last")
        server.log.end()
        viewer.wait_until_ended()
    assert viewer.texts[-1] == "last"


@pytest.mark.parametrize("by", ["send_timeout_seconds", "kernel_timeout_seconds"])
def test_viewer_that_never_reads_is_dropped(server: GeventServer, by: str) -> None:
    setattr(server.options, by, 0.5)
    with stuck(server):
        quick = server.watch()
        for number in range(100):
            server.log.say(f"{number} {BIG}")
        wait_for(lambda: len(quick.texts) == 100)
        wait_for(lambda: server.ask("viewers") == 1)
        server.log.say("last")
        wait_for(lambda: quick.texts[-1] == "last")


# --- viewers who leave --------------------------------------------------------------------


def test_parked_viewer_that_hangs_up_is_noticed_without_a_write(
    server: GeventServer,
) -> None:
    viewers = [server.connect() for _ in range(20)]
    wait_for(lambda: server.ask("viewers") == 20)
    files = server.ask("files")
    for viewer in viewers[5:]:
        viewer.close()
    wait_for(lambda: server.ask("viewers") == 5)
    wait_for(lambda: server.ask("files") == files - 15)
    for viewer in viewers[:5]:
        viewer.close()


def test_viewer_that_resets_its_connection_is_noticed(server: GeventServer) -> None:
    viewer = server.connect()
    wait_for(lambda: server.ask("viewers") == 1)
    viewer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    viewer.close()
    wait_for(lambda: server.ask("viewers") == 0)


def test_viewer_that_ends_its_half_of_the_connection_goes_on_reading(server: GeventServer) -> None:
    connection = server.connect()
    wait_for(lambda: server.ask("viewers") == 1)
    connection.shutdown(socket.SHUT_WR)
    viewer = read_by_thread(connection)
    wait_for(lambda: viewer.pings == 1)
    server.log.say("one")
    viewer.wait_for_texts("one")
    server.log.end()
    viewer.wait_until_ended()


def test_last_viewer_that_leaves_closes_the_log(server: GeventServer) -> None:
    server.watch(log=server.log.path.with_name("nowhere")).wait_until_ended()
    before = server.ask("files")
    viewer = server.connect()
    wait_for(lambda: server.ask("viewers") == 1)
    viewer.close()
    wait_for(lambda: server.ask("viewers") == 0)
    after = server.ask("files")
    again = server.connect()
    wait_for(lambda: server.ask("viewers") == 1)
    again.close()
    wait_for(lambda: server.ask("viewers") == 0)
    assert server.ask("files") == after  # the process's one inotify instance stays
    assert before < after <= before + 4


# --- how they share the worker's time -----------------------------------------------------


def test_parked_viewers_get_what_is_due_when_a_request_gives_way(server: GeventServer) -> None:
    assert not server.ask("runs_what_is_due")  # nobody is parked, so nobody is waited for
    server.watch()
    wait_for(lambda: server.ask("runs_what_is_due"))


# --- what many logs cost ------------------------------------------------------------------


def test_many_watched_logs_take_one_inotify_instance_and_no_thread(
    server: GeventServer,
) -> None:
    logs = [GrowingLog(server.log.path.with_name(f"{number}.log")) for number in range(40)]
    first = server.watch()
    wait_for(lambda: server.ask("viewers") == 1)
    threads = server.ask("threads"), server.ask("python_threads")
    viewers = [server.watch(log=log.path, session_id=log.path.stem) for log in logs]
    wait_for(lambda: server.ask("viewers") == 41)
    assert server.ask("inotify") == 1
    assert (server.ask("threads"), server.ask("python_threads")) == threads
    for viewer, log in zip(viewers, logs, strict=True):
        log.say(log.path.stem)
        viewer.wait_for_texts(log.path.stem)
        log.die()
    assert first.texts == []


# --- timed replay -------------------------------------------------------------------------


def test_replay_that_has_caught_up_is_parked_with_the_live_ones(
    server: GeventServer,
) -> None:
    for text in ("one", "two"):
        server.log.say(text)
    live = server.watch()
    replayed = server.watch(pace=Pace(speed=1.0, max_gap_seconds=0.2))
    replayed.wait_for_texts("one", "two")
    server.log.say("three")
    for viewer in (live, replayed):
        viewer.wait_for_texts("one", "two", "three")
    server.log.end()
    replayed.wait_until_ended()


def test_worker_that_ends_leaves_no_connection_open(server: GeventServer) -> None:
    parked = [server.watch() for _ in range(10)]
    wait_for(lambda: server.ask("viewers") == 10)
    server.stop()
    for viewer in parked:
        viewer.wait_until_ended()
    wait_for(lambda: server.ask("viewers") == 0)


def test_worker_that_ends_cuts_no_event_of_a_viewer_who_catches_up(server: GeventServer) -> None:
    huge = "x" * (5 << 20)  # more than all buffers take: the worker ends in the middle of one
    for _ in range(9):
        server.log.say(huge)
    with stuck(server) as slow:
        server.stop()
        viewer = read_by_thread(slow)
        viewer.wait_until_ended()
    assert 0 < len(viewer.texts) < 9
    assert set(viewer.texts) == {huge}
