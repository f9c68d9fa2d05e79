"""One viewer's stream over a real file: what it holds, what comes, and how it ends.

Each test runs twice, once by each way that a stream can take: one behaviour, two ways.
"""

import os
from pathlib import Path

import pytest

from tests.server import wait_for
from tests.stream.event_source import EventSource
from tests.stream.growing_log import BY_ROW
from tests.stream.theatre import Theatre
from webapp.stream.format import Format
from webapp.stream.view import RETRY_MS


@pytest.fixture
def stage(either_stage: Theatre) -> Theatre:
    """All of these hold for both ways."""
    return either_stage


def test_stream_begins_with_a_jittered_retry(stage: Theatre) -> None:
    stage.log.end()
    retries = set()
    for _ in range(8):
        viewer = stage.watch()
        viewer.wait_until_ended()
        assert viewer.body.startswith(b"retry: ")
        retries.add(EventSource(viewer.body).retry_ms)
    assert all(RETRY_MS[0] <= retry <= RETRY_MS[1] for retry in retries if retry is not None)
    assert len(retries) > 1


def test_stream_tells_what_there_is_then_what_comes_until_done(stage: Theatre) -> None:
    stage.log.say("before")
    viewer = stage.watch()
    viewer.wait_for_texts("before")
    stage.log.say("after")
    viewer.wait_for_texts("before", "after")
    end = stage.log.end()
    viewer.wait_until_ended()
    assert viewer.events[-1].type == "done"
    assert viewer.events[-1].last_event_id == str(end)


def test_finished_log_is_told_to_its_end_at_once(stage: Theatre) -> None:
    stage.log.say("one")
    stage.log.end()
    stage.log.die()
    viewer = stage.watch()
    viewer.wait_until_ended()
    assert viewer.names == ["message", "done"]
    assert stage.abandoned == []


def test_growth_is_heard_by_inotify_alone(stage: Theatre) -> None:
    stage.never_look()
    viewer = stage.watch()
    for count in range(1, 6):
        stage.log.say("x")
        viewer.wait_for_texts(*["x"] * count)


def test_growth_is_seen_without_inotify(stage: Theatre) -> None:
    stage.hear_nothing()
    viewer = stage.watch()
    for count in range(1, 4):
        stage.log.say("x")
        viewer.wait_for_texts(*["x"] * count)


def test_torn_record_is_told_once_it_is_whole(stage: Theatre) -> None:
    viewer = stage.watch()
    os.write(stage.log.fd, b"2026-11-23T21:04:00.123456789Z stdout F ha")
    stage.log.path.stat()
    os.write(stage.log.fd, b"lf\n")
    viewer.wait_for_texts("half")


def test_parts_of_a_line_are_parts_for_who_joins_in_between(stage: Theatre) -> None:
    joined = stage.log.say('{"type":"x",', tag=b"P")
    stage.log.say('"n":1}')
    stage.log.end()
    viewer = stage.watch(joined)
    viewer.wait_until_ended()
    assert viewer.names == ["message", "done"]


# --- where it starts ------------------------------------------------------------------


def test_stream_resumes_after_the_id_that_was_seen(stage: Theatre) -> None:
    stage.log.say("one")
    seen = stage.log.say("two")
    stage.log.say("three")
    stage.log.end()
    viewer = stage.watch(seen)
    viewer.wait_until_ended()
    assert viewer.texts == ["three"]
    assert viewer.names == ["message", "done"]


@pytest.mark.parametrize("offset", [None, -1, 3])
def test_stream_that_cannot_resume_exactly_says_gap(stage: Theatre, offset: int | None) -> None:
    stage.log.say("one")
    stage.log.say("two")
    stage.log.end()
    viewer = stage.watch(offset)
    viewer.wait_until_ended()
    assert viewer.names[0] == "notice"
    assert viewer.events[0].json()["type"] == "gap"
    assert viewer.events[0].last_event_id == ""
    assert viewer.texts == (["two"] if offset == 3 else ["one", "two"])


def test_stream_from_far_past_the_end_goes_on_with_what_comes(stage: Theatre) -> None:
    stage.log.say("one")
    viewer = stage.watch(10**15)
    wait_for(lambda: viewer.names == ["notice"])
    stage.log.say("two")
    viewer.wait_for_texts("two")


def test_stream_from_inside_the_done_still_ends(stage: Theatre) -> None:
    stage.log.say("one")
    stage.log.end()
    viewer = stage.watch(stage.log.path.stat().st_size - 1)
    viewer.wait_until_ended()
    assert viewer.names == ["notice", "done"]


def test_stream_from_after_the_done_ends_too(stage: Theatre) -> None:
    stage.log.say("one")
    viewer = stage.watch(stage.log.end())
    viewer.wait_until_ended()
    assert viewer.texts == []


# --- how it looks ---------------------------------------------------------------------


def test_ids_can_name_the_session_from_the_first_byte_on(stage: Theatre) -> None:
    end = stage.log.end()
    viewer = stage.watch(form=Format(id_prefix="session/"), first_id="session/0")
    viewer.wait_until_ended()
    assert viewer.body.split(b"\n")[1] == b"id: session/0"
    assert viewer.events[0].last_event_id == f"session/{end}"


def test_envelope_is_asked_for_by_each_viewer(stage: Theatre) -> None:
    stage.log.say("one")
    stage.log.end()
    plain, wrapped = stage.watch(), stage.watch(form=Format(as_envelope=True))
    plain.wait_until_ended()
    wrapped.wait_until_ended()
    assert plain.events[0].json() == {"content": "one"}
    assert wrapped.events[0].json()["data"] == {"content": "one"}
    assert wrapped.events[0].json()["stream"] == "stdout"


# --- silence --------------------------------------------------------------------------


def test_ping_goes_out_after_silence_and_not_more_often(stage: Theatre) -> None:
    stage.log.say("one")
    viewer = stage.watch(ping_seconds=0.3)
    wait_for(lambda: viewer.pings == 1)
    wait_for(lambda: viewer.pings >= 3)
    assert viewer.pings == 3
    assert viewer.texts == ["one"]


def test_no_ping_goes_out_while_events_do(stage: Theatre) -> None:
    viewer = stage.watch(ping_seconds=5)
    for _ in range(20):
        stage.log.say("x")
    wait_for(lambda: len(viewer.texts) == 20)
    assert viewer.pings == 0


def test_ping_leaves_the_last_event_id_alone(stage: Theatre) -> None:
    seen = stage.log.say("one")
    viewer = stage.watch(ping_seconds=0.1)
    wait_for(lambda: viewer.pings)
    source = EventSource(viewer.body)
    assert source.last_event_id == str(seen)


def test_worker_that_is_told_to_end_ends_its_streams(stage: Theatre) -> None:
    stage.log.say("one")
    viewer = stage.watch()
    viewer.wait_for_texts("one")
    stage.stop()
    viewer.wait_until_ended()
    assert viewer.names == ["message"]


# --- what goes wrong with a log -------------------------------------------------------


def test_log_that_is_cut_is_a_gap_and_the_stream_goes_on(stage: Theatre) -> None:
    kept = stage.log.say("one")
    stage.log.say("two")
    viewer = stage.watch()
    viewer.wait_for_texts("one", "two")
    os.ftruncate(stage.log.fd, kept)
    wait_for(lambda: viewer.names[2:] == ["notice"])
    assert viewer.events[2].json()["type"] == "gap"
    stage.log.say("three")
    viewer.wait_for_texts("one", "two", "three")


def test_log_that_is_emptied_is_a_gap_and_the_stream_goes_on(stage: Theatre) -> None:
    stage.log.say("one")
    viewer = stage.watch()
    viewer.wait_for_texts("one")
    os.ftruncate(stage.log.fd, 0)
    wait_for(lambda: viewer.names[1:] == ["notice"])
    stage.log.say("2")
    stage.log.end()
    viewer.wait_until_ended()
    assert viewer.names == ["message", "notice", "message", "done"]


def test_log_that_was_removed_is_a_gap_and_the_end_that_the_row_knows(stage: Theatre) -> None:
    stage.log.path.unlink()
    stage.recorded_end = lambda: BY_ROW
    viewer = stage.watch()
    viewer.wait_until_ended()
    assert viewer.names == ["notice", "done"]
    assert viewer.events[0].json()["type"] == "gap"
    assert viewer.events[1].json() == BY_ROW


def test_log_that_is_removed_while_its_runner_lives_is_told_on(stage: Theatre) -> None:
    viewer = stage.watch()
    stage.log.say("one")
    viewer.wait_for_texts("one")
    stage.log.path.unlink()
    stage.log.say("two")
    stage.log.end()
    viewer.wait_until_ended()
    assert viewer.names == ["message", "message", "done"]


def test_log_that_lost_its_runner_is_handed_over_and_ends(stage: Theatre) -> None:
    def write_off() -> dict[str, object]:
        with stage.log.path.open("ab") as log:
            log.write(b'2026-11-23T21:04:00.123456789Z system F {"type":"done"}\n')
        return BY_ROW

    stage.end_abandoned = write_off
    stage.log.say("one")
    viewer = stage.watch()
    viewer.wait_for_texts("one")
    assert stage.abandoned == []
    stage.log.die()
    viewer.wait_until_ended()
    assert viewer.names == ["message", "done"]
    assert stage.abandoned == ["session"]


def test_log_that_nobody_can_end_ends_by_its_row(stage: Theatre) -> None:
    stage.end_abandoned = lambda: BY_ROW
    stage.log.say("one")
    stage.log.die()
    viewer = stage.watch()
    viewer.wait_until_ended()
    assert viewer.names == ["message", "notice", "done"]
    assert viewer.events[-1].json() == BY_ROW
    assert b"id" not in viewer.body.rsplit(b"event: done", 1)[1]


def test_abandoned_log_stays_open_until_its_row_knows_the_end(stage: Theatre) -> None:
    stage.log.die()
    viewer = stage.watch()
    wait_for(lambda: len(stage.abandoned) >= 2)
    assert not viewer.has_ended
    stage.end_abandoned = lambda: BY_ROW
    viewer.wait_until_ended()


def test_trouble_while_a_log_is_looked_after_ends_no_stream(stage: Theatre) -> None:
    def fail() -> dict[str, object] | None:
        raise OSError("no space left on device")

    stage.end_abandoned = fail
    stage.log.say("one")
    stage.log.die()
    viewer = stage.watch()
    wait_for(lambda: len(stage.abandoned) >= 2)
    stage.end_abandoned = lambda: BY_ROW
    viewer.wait_until_ended()
    assert viewer.names == ["message", "notice", "done"]


def test_symbolic_link_in_place_of_the_log_is_never_followed(
    stage: Theatre, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"2026-11-23T21:04:00.123456789Z stdout F secret\n")
    stage.log.path.unlink()
    stage.log.path.symlink_to(secret)
    viewer = stage.watch()
    wait_for(lambda: viewer.has_ended)
    assert b"secret" not in viewer.body
