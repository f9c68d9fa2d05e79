"""One viewer's stream over a real file: what it holds, what comes, and how it ends.

Each test runs twice, once by each way that a stream can take: one behaviour, two ways.
"""

import os
from pathlib import Path

import pytest

from tests.clients.event_source import EventSource
from tests.server import wait_for
from tests.servers.streams import LONG_SECONDS, StreamServer
from tests.stream.growing_log import BY_ROW
from webapp.stream.format import Format
from webapp.stream.view import RETRY_MS


@pytest.fixture
def server(either_server: StreamServer) -> StreamServer:
    """All of these hold for both ways."""
    return either_server


def test_stream_begins_with_a_jittered_retry(server: StreamServer) -> None:
    server.log.end()
    retries = set()
    for _ in range(8):
        viewer = server.watch()
        viewer.wait_until_ended()
        assert viewer.body.startswith(b"retry: ")
        retries.add(EventSource(viewer.body).retry_ms)
    assert all(RETRY_MS[0] <= retry <= RETRY_MS[1] for retry in retries if retry is not None)
    assert len(retries) > 1


def test_stream_has_what_there_is_then_what_comes_until_done(server: StreamServer) -> None:
    server.log.say("before")
    viewer = server.watch()
    viewer.wait_for_texts("before")
    server.log.say("after")
    viewer.wait_for_texts("before", "after")
    end = server.log.end()
    viewer.wait_until_ended()
    assert viewer.events[-1].type == "done"
    assert viewer.events[-1].last_event_id == str(end)


def test_finished_log_is_sent_to_its_end_at_once(server: StreamServer) -> None:
    server.log.say("one")
    server.log.end()
    server.log.die()
    viewer = server.watch()
    viewer.wait_until_ended()
    assert viewer.names == ["message", "done"]
    assert server.abandoned == []


def test_growth_is_noticed_by_inotify_alone(server: StreamServer) -> None:
    server.options.look_seconds = LONG_SECONDS
    viewer = server.watch()
    for count in range(1, 6):
        server.log.say("x")
        viewer.wait_for_texts(*["x"] * count)


def test_growth_is_seen_without_inotify(server: StreamServer) -> None:
    server.options.has_inotify = False
    viewer = server.watch()
    for count in range(1, 4):
        server.log.say("x")
        viewer.wait_for_texts(*["x"] * count)


def test_torn_record_is_sent_once_it_is_whole(server: StreamServer) -> None:
    viewer = server.watch()
    os.write(server.log.fd, b"2026-11-23T21:04:00.123456789Z stdout F ha")
    server.log.path.stat()
    os.write(server.log.fd, b"lf\n")
    viewer.wait_for_texts("half")


def test_parts_of_a_line_are_parts_for_a_viewer_who_joins_in_between(server: StreamServer) -> None:
    joined = server.log.say('{"type":"x",', tag=b"P")
    server.log.say('"n":1}')
    server.log.end()
    viewer = server.watch(joined)
    viewer.wait_until_ended()
    assert viewer.names == ["message", "done"]


# --- where it starts ------------------------------------------------------------------


def test_stream_resumes_after_the_id_that_was_seen(server: StreamServer) -> None:
    server.log.say("one")
    seen = server.log.say("two")
    server.log.say("three")
    server.log.end()
    viewer = server.watch(seen)
    viewer.wait_until_ended()
    assert viewer.texts == ["three"]
    assert viewer.names == ["message", "done"]


@pytest.mark.parametrize("offset", [None, -1, 3])
def test_stream_that_cannot_resume_exactly_says_gap(
    server: StreamServer, offset: int | None
) -> None:
    server.log.say("one")
    server.log.say("two")
    server.log.end()
    viewer = server.watch(offset)
    viewer.wait_until_ended()
    assert viewer.names[0] == "notice"
    assert viewer.events[0].json()["type"] == "gap"
    assert viewer.events[0].last_event_id == ""
    assert viewer.texts == (["two"] if offset == 3 else ["one", "two"])


def test_stream_from_far_past_the_end_goes_on_with_what_comes(server: StreamServer) -> None:
    server.log.say("one")
    viewer = server.watch(10**15)
    wait_for(lambda: viewer.names == ["notice"])
    server.log.say("two")
    viewer.wait_for_texts("two")


def test_stream_from_inside_the_done_still_ends(server: StreamServer) -> None:
    server.log.say("one")
    server.log.end()
    viewer = server.watch(server.log.path.stat().st_size - 1)
    viewer.wait_until_ended()
    assert viewer.names == ["notice", "done"]


def test_stream_from_after_the_done_ends_too(server: StreamServer) -> None:
    server.log.say("one")
    viewer = server.watch(server.log.end())
    viewer.wait_until_ended()
    assert viewer.texts == []


# --- how it looks ---------------------------------------------------------------------


def test_ids_can_name_the_session_from_the_first_byte_on(server: StreamServer) -> None:
    end = server.log.end()
    viewer = server.watch(form=Format(id_prefix="session/"), first_id="session/0")
    viewer.wait_until_ended()
    assert viewer.body.split(b"\n")[1] == b"id: session/0"
    assert viewer.events[0].last_event_id == f"session/{end}"


def test_envelope_is_asked_for_by_each_viewer(server: StreamServer) -> None:
    server.log.say("one")
    server.log.end()
    plain, wrapped = server.watch(), server.watch(form=Format(as_envelope=True))
    plain.wait_until_ended()
    wrapped.wait_until_ended()
    assert plain.events[0].json() == {"content": "one"}
    assert wrapped.events[0].json()["data"] == {"content": "one"}
    assert wrapped.events[0].json()["stream"] == "stdout"


# --- silence --------------------------------------------------------------------------


def test_ping_goes_out_after_silence_and_not_more_often(server: StreamServer) -> None:
    server.log.say("one")
    viewer = server.watch(ping_seconds=0.3)
    wait_for(lambda: viewer.pings == 1)
    wait_for(lambda: viewer.pings >= 3)
    assert viewer.pings == 3
    assert viewer.texts == ["one"]


def test_no_ping_goes_out_while_events_do(server: StreamServer) -> None:
    viewer = server.watch(ping_seconds=5)
    for _ in range(20):
        server.log.say("x")
    wait_for(lambda: len(viewer.texts) == 20)
    assert viewer.pings == 0


def test_ping_leaves_the_last_event_id_alone(server: StreamServer) -> None:
    seen = server.log.say("one")
    viewer = server.watch(ping_seconds=0.1)
    wait_for(lambda: viewer.pings)
    source = EventSource(viewer.body)
    assert source.last_event_id == str(seen)


def test_worker_that_ends_ends_its_streams(server: StreamServer) -> None:
    server.log.say("one")
    viewer = server.watch()
    viewer.wait_for_texts("one")
    server.stop()
    viewer.wait_until_ended()
    assert viewer.names == ["message"]


# --- what goes wrong with a log -------------------------------------------------------


def test_log_that_is_cut_is_a_gap_and_the_stream_goes_on(server: StreamServer) -> None:
    first = server.log.say("one")
    server.log.say("two")
    viewer = server.watch()
    viewer.wait_for_texts("one", "two")
    os.ftruncate(server.log.fd, first)
    wait_for(lambda: viewer.names[2:] == ["notice"])
    assert viewer.events[2].json()["type"] == "gap"
    server.log.say("three")
    viewer.wait_for_texts("one", "two", "three")


def test_log_that_is_emptied_is_a_gap_and_the_stream_goes_on(server: StreamServer) -> None:
    server.log.say("one")
    viewer = server.watch()
    viewer.wait_for_texts("one")
    os.ftruncate(server.log.fd, 0)
    wait_for(lambda: viewer.names[1:] == ["notice"])
    server.log.say("2")
    server.log.end()
    viewer.wait_until_ended()
    assert viewer.names == ["message", "notice", "message", "done"]


def test_log_that_was_removed_is_a_gap_and_the_end_that_the_row_knows(server: StreamServer) -> None:
    server.log.path.unlink()
    server.recorded_end = lambda: BY_ROW
    viewer = server.watch()
    viewer.wait_until_ended()
    assert viewer.names == ["notice", "done"]
    assert viewer.events[0].json()["type"] == "gap"
    assert viewer.events[1].json() == BY_ROW


def test_log_that_is_removed_while_its_runner_lives_goes_on(server: StreamServer) -> None:
    viewer = server.watch()
    server.log.say("one")
    viewer.wait_for_texts("one")
    server.log.path.unlink()
    server.log.say("two")
    server.log.end()
    viewer.wait_until_ended()
    assert viewer.names == ["message", "message", "done"]


def test_log_that_lost_its_runner_is_handed_over_and_ends(server: StreamServer) -> None:
    def write_off() -> dict[str, object]:
        with server.log.path.open("ab") as log:
            log.write(b'2026-11-23T21:04:00.123456789Z system F {"type":"done"}\n')
        return BY_ROW

    server.end_abandoned = write_off
    server.log.say("one")
    viewer = server.watch()
    viewer.wait_for_texts("one")
    assert server.abandoned == []
    server.log.die()
    viewer.wait_until_ended()
    assert viewer.names == ["message", "done"]
    assert server.abandoned == ["session"]


def test_log_that_nobody_can_end_ends_by_its_row(server: StreamServer) -> None:
    server.end_abandoned = lambda: BY_ROW
    server.log.say("one")
    server.log.die()
    viewer = server.watch()
    viewer.wait_until_ended()
    assert viewer.names == ["message", "notice", "done"]
    assert viewer.events[-1].json() == BY_ROW
    assert b"id" not in viewer.body.rsplit(b"event: done", 1)[1]


def test_abandoned_log_stays_open_until_its_row_knows_the_end(server: StreamServer) -> None:
    server.log.die()
    viewer = server.watch()
    wait_for(lambda: len(server.abandoned) >= 2)
    assert not viewer.has_ended
    server.end_abandoned = lambda: BY_ROW
    viewer.wait_until_ended()


def test_error_while_a_log_is_looked_at_ends_no_stream(server: StreamServer) -> None:
    def fail() -> dict[str, object] | None:
        raise OSError("no space left on device")

    server.end_abandoned = fail
    server.log.say("one")
    server.log.die()
    viewer = server.watch()
    wait_for(lambda: len(server.abandoned) >= 2)
    server.end_abandoned = lambda: BY_ROW
    viewer.wait_until_ended()
    assert viewer.names == ["message", "notice", "done"]


def test_symbolic_link_instead_of_the_log_is_never_followed(
    server: StreamServer, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"2026-11-23T21:04:00.123456789Z stdout F secret\n")
    server.log.path.unlink()
    server.log.path.symlink_to(secret)
    viewer = server.watch()
    wait_for(lambda: viewer.has_ended)
    assert b"secret" not in viewer.body
