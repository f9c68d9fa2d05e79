"""Viewers whose connections the worker owns: parked, slow, gone; and what they leave."""

import contextlib
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server import wait_for
from tests.stream.growing_log import GrowingLog
from tests.stream.theatre import PushTheatre, Viewer, read_body
from webapp.stream.format import Format
from webapp.stream.view import Pace

BIG = "x" * 100_000


def test_parked_viewer_is_a_descriptor_and_no_greenlet(push_stage: PushTheatre) -> None:
    push_stage.log.say("one")
    push_stage.watch().wait_for_texts("one")
    wait_for(lambda: push_stage.ask("viewers") == 1)
    greenlets, files = push_stage.ask("greenlets"), push_stage.ask("files")
    viewers = [push_stage.watch() for _ in range(50)]
    for viewer in viewers:
        viewer.wait_for_texts("one")
    wait_for(lambda: push_stage.ask("greenlets") == greenlets)
    assert push_stage.ask("files") == files + 50
    assert push_stage.ask("viewers") == 51


def test_every_viewer_gets_every_event_of_a_flood_once(push_stage: PushTheatre) -> None:
    viewers = [push_stage.watch() for _ in range(20)]
    wait_for(lambda: push_stage.ask("viewers") == 20)
    texts = [str(number) for number in range(5_000)]
    for text in texts:
        push_stage.log.say(text)
    push_stage.log.end()
    for viewer in viewers:
        viewer.wait_until_ended()
        assert viewer.texts == texts
        assert viewer.names[-1] == "done"


@pytest.mark.parametrize("protocol", ["HTTP/1.0", "HTTP/1.1"])
def test_parked_viewer_is_framed_as_its_response_is(push_stage: PushTheatre, protocol: str) -> None:
    push_stage.log.say("before")
    viewers = [push_stage.watch(protocol=protocol), push_stage.watch()]
    for viewer in viewers:
        wait_for(lambda viewer=viewer: viewer.body)  # type: ignore[misc]
    wait_for(lambda: push_stage.ask("viewers") == 2)
    for text in ("one", "zwei €", BIG):
        push_stage.log.say(text)
    push_stage.log.end()
    for viewer in viewers:
        viewer.wait_until_ended()
        assert viewer.texts == ["before", "one", "zwei €", BIG]
    bodies = {viewer.body.partition(b"\n")[2] for viewer in viewers}
    assert len(bodies) == 1


def test_viewers_of_different_formats_do_not_mix(push_stage: PushTheatre) -> None:
    plain = push_stage.watch()
    wrapped = push_stage.watch(form=Format(as_envelope=True))
    named = push_stage.watch(form=Format(id_prefix="s/"), first_id="s/0")
    wait_for(lambda: push_stage.ask("viewers") == 3)
    end = push_stage.log.say("one")
    push_stage.log.end()
    for viewer in (plain, wrapped, named):
        viewer.wait_until_ended()
    assert plain.events[0].json() == {"content": "one"}
    assert wrapped.events[0].json()["data"] == {"content": "one"}
    assert named.events[0].last_event_id == f"s/{end}"


def test_who_comes_to_the_tail_brings_those_along_who_have_heard_nothing(
    push_stage: PushTheatre,
) -> None:
    push_stage.hear_nothing()
    push_stage.never_look()
    first = push_stage.watch()
    wait_for(lambda: push_stage.ask("viewers") == 1)
    push_stage.log.say("one")
    second = push_stage.watch()
    for viewer in (first, second):
        viewer.wait_for_texts("one")


def test_who_is_further_than_the_tail_is_not_told_anything_twice(push_stage: PushTheatre) -> None:
    push_stage.hear_nothing()
    push_stage.never_look()
    first = push_stage.watch()
    wait_for(lambda: push_stage.ask("viewers") == 1)
    texts = [f"{number} {BIG}" for number in range(30)]
    for text in texts:
        push_stage.log.say(text)
    second = push_stage.watch()
    second.wait_for_texts(*texts)
    first.wait_for_texts(*texts)
    push_stage.log.say("last")
    third = push_stage.watch(last_events=1)
    for viewer in (first, second):
        viewer.wait_for_texts(*texts, "last")
    third.wait_for_texts("last")


# --- slow viewers -----------------------------------------------------------------------


@contextlib.contextmanager
def stuck(stage: PushTheatre, **options: Any) -> Iterator[socket.socket]:
    """A viewer at the tail that has stopped reading, and whose buffers are full."""
    connection = stage.connect(**options)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    wait_for(lambda: stage.ask("viewers") == 1)
    with connection:
        yield connection


def test_viewer_that_cannot_keep_up_loses_nothing(push_stage: PushTheatre) -> None:
    with stuck(push_stage) as slow:
        quick = push_stage.watch()
        texts = [f"{number} {BIG}" for number in range(60)]
        for text in texts:
            push_stage.log.say(text)
            wait_for(lambda text=text: quick.texts[-1:] == [text])  # type: ignore[misc]
        push_stage.log.say("last")
        push_stage.log.end()
        quick.wait_until_ended()
        viewer = Viewer(lambda viewer: read_body(slow, viewer, is_chunked=True))
        viewer.wait_until_ended()
    assert viewer.texts == [*texts, "last"]
    assert viewer.names[-1] == "done"


def test_viewer_that_has_caught_up_is_parked_again(push_stage: PushTheatre) -> None:
    with stuck(push_stage) as slow:
        greenlets = push_stage.ask("greenlets")
        for number in range(60):
            push_stage.log.say(f"{number} {BIG}")
        wait_for(lambda: push_stage.ask("greenlets") > greenlets)
        viewer = Viewer(lambda viewer: read_body(slow, viewer, is_chunked=True))
        wait_for(lambda: len(viewer.texts) == 60)
        wait_for(lambda: push_stage.ask("greenlets") == greenlets)
        push_stage.log.say("last")
        push_stage.log.end()
        viewer.wait_until_ended()
    assert viewer.texts[-1] == "last"


@pytest.mark.parametrize("by", ["send_timeout_seconds", "kernel_timeout_seconds"])
def test_viewer_that_never_reads_is_dropped(push_stage: PushTheatre, by: str) -> None:
    timeout: dict[str, Any] = {by: 0.5}
    with stuck(push_stage, **timeout):
        quick = push_stage.watch(**timeout)
        for number in range(100):
            push_stage.log.say(f"{number} {BIG}")
        wait_for(lambda: len(quick.texts) == 100)
        wait_for(lambda: push_stage.ask("viewers") == 1)
        push_stage.log.say("last")
        wait_for(lambda: quick.texts[-1] == "last")


# --- viewers who leave --------------------------------------------------------------------


def test_parked_viewer_that_hangs_up_is_noticed_without_a_write(push_stage: PushTheatre) -> None:
    viewers = [push_stage.connect() for _ in range(20)]
    wait_for(lambda: push_stage.ask("viewers") == 20)
    files = push_stage.ask("files")
    for viewer in viewers[5:]:
        viewer.close()
    wait_for(lambda: push_stage.ask("viewers") == 5)
    wait_for(lambda: push_stage.ask("files") == files - 15)
    for viewer in viewers[:5]:
        viewer.close()


def test_viewer_that_resets_its_connection_is_noticed(push_stage: PushTheatre) -> None:
    viewer = push_stage.connect()
    wait_for(lambda: push_stage.ask("viewers") == 1)
    viewer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    viewer.close()
    wait_for(lambda: push_stage.ask("viewers") == 0)


def test_viewer_that_has_nothing_more_to_say_goes_on_listening(push_stage: PushTheatre) -> None:
    connection = push_stage.connect()
    wait_for(lambda: push_stage.ask("viewers") == 1)
    connection.shutdown(socket.SHUT_WR)
    viewer = Viewer(lambda viewer: read_body(connection, viewer, is_chunked=True))
    wait_for(lambda: viewer.pings == 1)
    push_stage.log.say("one")
    viewer.wait_for_texts("one")
    push_stage.log.end()
    viewer.wait_until_ended()


def test_last_viewer_that_leaves_closes_the_log(push_stage: PushTheatre) -> None:
    push_stage.watch(log=push_stage.log.path.with_name("nowhere")).wait_until_ended()
    before = push_stage.ask("files")
    viewer = push_stage.connect()
    wait_for(lambda: push_stage.ask("viewers") == 1)
    viewer.close()
    wait_for(lambda: push_stage.ask("viewers") == 0)
    after = push_stage.ask("files")
    again = push_stage.connect()
    wait_for(lambda: push_stage.ask("viewers") == 1)
    again.close()
    wait_for(lambda: push_stage.ask("viewers") == 0)
    assert push_stage.ask("files") == after  # the process's one inotify instance stays
    assert before < after <= before + 4


# --- what many logs cost ------------------------------------------------------------------


def test_many_watched_logs_take_one_inotify_instance_and_no_thread(push_stage: PushTheatre) -> None:
    logs = [GrowingLog(push_stage.log.path.with_name(f"{number}.log")) for number in range(40)]
    first = push_stage.watch()
    wait_for(lambda: push_stage.ask("viewers") == 1)
    threads = push_stage.ask("threads"), push_stage.ask("python_threads")
    viewers = [push_stage.watch(log=log.path, session_id=log.path.stem) for log in logs]
    wait_for(lambda: push_stage.ask("viewers") == 41)
    assert push_stage.ask("inotify") == 1
    assert (push_stage.ask("threads"), push_stage.ask("python_threads")) == threads
    for viewer, log in zip(viewers, logs, strict=True):
        log.say(log.path.stem)
        viewer.wait_for_texts(log.path.stem)
        log.die()
    assert first.texts == []


# --- timed replay -------------------------------------------------------------------------


def test_replay_that_has_caught_up_is_parked_with_the_live_ones(push_stage: PushTheatre) -> None:
    for text in ("one", "two"):
        push_stage.log.say(text)
    live = push_stage.watch()
    replayed = push_stage.watch(pace=Pace(speed=1.0, max_gap_seconds=0.2))
    replayed.wait_for_texts("one", "two")
    push_stage.log.say("three")
    for viewer in (live, replayed):
        viewer.wait_for_texts("one", "two", "three")
    push_stage.log.end()
    replayed.wait_until_ended()


def test_worker_that_is_told_to_end_leaves_no_connection_open(push_stage: PushTheatre) -> None:
    parked = [push_stage.watch() for _ in range(10)]
    wait_for(lambda: push_stage.ask("viewers") == 10)
    push_stage.stop()
    for viewer in parked:
        viewer.wait_until_ended()
    wait_for(lambda: push_stage.ask("viewers") == 0)
