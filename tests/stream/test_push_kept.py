"""Viewers of a session that has ended, whose frames were kept by the first of them.

That they come from the file is seen by a mark in it that the log does not have.
"""

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.server import wait_for
from tests.stream.event_source import EventSource
from tests.stream.theatre import PushTheatre, Viewer, pull_theatre, push_theatre, read_body
from webapp.stream.format import Format
from webapp.stream.kept_folder import folder_in
from webapp.stream.view import Pace

LINE = "x" * 20_000
LINES = 150
ENDS_AT = 75
"""The line before the place where they resume."""


def fill(stage: PushTheatre) -> list[int]:
    """End a session that is large enough; the ids of its lines."""
    ids = [stage.log.say(f"{number} {LINE}") for number in range(LINES)]
    stage.log.end()
    stage.log.die()
    return ids


def kept_file(stage: PushTheatre) -> Path | None:
    """The one file of kept frames, if it is there and whole."""
    folder = folder_in(stage.log.path.parent)
    found = list(folder.iterdir()) if folder.exists() else []
    return found[0] if len(found) == 1 and found[0].suffix != ".part" else None


def watch(stage: PushTheatre, offset: int | None = 0, **options: Any) -> Viewer:
    """A viewer who has got everything."""
    viewer = stage.watch(offset, **options)
    viewer.wait_until_ended()
    return viewer


def keep(stage: PushTheatre, **options: Any) -> tuple[bytes, Path]:
    """Have the first replay keep its frames; what it was told, and the file."""
    first = watch(stage, **options)
    path = wait_for(lambda: kept_file(stage))
    assert path is not None
    return without_retry(first), path


def without_retry(viewer: Viewer) -> bytes:
    """What it was told, without what differs each time."""
    return viewer.body.partition(b"\n\n")[2]


def mark(path: Path) -> None:
    """Make some of the kept frames differ from what the log says."""
    content = path.read_bytes()
    marked = content.replace(b"x" * 20_000, b"y" * 20_000)
    assert marked != content
    fd = os.open(path, os.O_WRONLY)
    os.pwrite(fd, marked, 0)
    os.close(fd)


def test_later_viewers_get_what_the_first_got(push_stage: PushTheatre) -> None:
    fill(push_stage)
    told, path = keep(push_stage)
    assert without_retry(watch(push_stage)) == told
    mark(path)
    assert without_retry(watch(push_stage)) == told.replace(b"x" * 20_000, b"y" * 20_000)


def test_other_servers_tell_the_same_from_the_log(
    push_stage: PushTheatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(push_stage)
    told, path = keep(push_stage)
    mark(path)
    (tmp_path / "pull").mkdir()
    with pull_theatre(tmp_path / "pull", monkeypatch) as pulling:
        pulling.log.path = push_stage.log.path
        viewer = pulling.watch()
        viewer.wait_until_ended()
    assert without_retry(viewer) == told


@pytest.mark.parametrize("protocol", ["HTTP/1.0", "HTTP/1.1"])
def test_kept_frames_are_framed_as_their_response_is(
    push_stage: PushTheatre, protocol: str
) -> None:
    fill(push_stage)
    told, _path = keep(push_stage)
    assert without_retry(watch(push_stage, protocol=protocol)) == told


@pytest.mark.parametrize("form", [Format(), Format(as_envelope=True), Format(id_prefix="session/")])
def test_viewer_resumes_in_kept_frames_at_any_id(push_stage: PushTheatre, form: Format) -> None:
    ids = fill(push_stage)
    told, path = keep(push_stage, form=form)
    mark(path)
    told = told.replace(b"x" * 20_000, b"y" * 20_000)
    for number in (0, 1, ENDS_AT, LINES - 2, LINES - 1):
        rest = without_retry(watch(push_stage, ids[number], form=form))
        last_seen = f"id: {form.id_prefix}{ids[number]}\n".encode()
        assert rest == told[told.index(b"\n\n", told.index(last_seen)) + 2 :]


def test_offset_that_is_no_id_is_told_as_a_gap_and_then_goes_on(push_stage: PushTheatre) -> None:
    ids = fill(push_stage)
    told, path = keep(push_stage)
    mark(path)
    viewer = watch(push_stage, ids[ENDS_AT] - 3)
    assert viewer.events[0].json()["type"] == "gap"
    assert viewer.events[1].last_event_id == str(ids[ENDS_AT + 1])
    assert viewer.names[-1] == "done"
    assert len(viewer.events) == LINES - ENDS_AT + 1
    assert told.count(b"\n\n") == LINES + 1


def test_last_events_are_sent_from_kept_frames_too(push_stage: PushTheatre) -> None:
    fill(push_stage)
    _told, path = keep(push_stage)
    mark(path)
    texts = watch(push_stage, last_events=4).texts
    assert [text.partition(" ")[0] for text in texts] == ["147", "148", "149"]
    assert all("y" in text for text in texts)


def test_timed_replay_neither_keeps_nor_uses_frames(push_stage: PushTheatre) -> None:
    fill(push_stage)
    pace = Pace(speed=1000.0, max_gap_seconds=0)
    slow = watch(push_stage, pace=pace)
    assert kept_file(push_stage) is None
    told, path = keep(push_stage)
    mark(path)
    assert without_retry(watch(push_stage, pace=pace)) == told == without_retry(slow)


def test_file_that_is_removed_while_it_is_sent_is_sent_to_its_end(push_stage: PushTheatre) -> None:
    fill(push_stage)
    told, path = keep(push_stage)
    mark(path)
    with slow_connection(push_stage) as connection:
        wait_for(lambda: push_stage.ask("viewers") == 1)
        path.unlink()
        viewer = Viewer(lambda viewer: read_body(connection, viewer, is_chunked=True))
        viewer.wait_until_ended()
    assert without_retry(viewer) == told.replace(b"x" * 20_000, b"y" * 20_000)
    assert without_retry(watch(push_stage)) == told


def test_file_that_was_cut_is_made_again(push_stage: PushTheatre) -> None:
    fill(push_stage)
    told, path = keep(push_stage)
    os.truncate(path, 1_500_000)
    again, _path = keep(push_stage)
    assert again == told


def test_viewer_that_never_reads_kept_frames_is_dropped(push_stage: PushTheatre) -> None:
    fill(push_stage)
    keep(push_stage)
    files = push_stage.ask("files")
    with slow_connection(push_stage, send_timeout_seconds=0.3):
        wait_for(lambda: push_stage.ask("viewers") == 1)
        wait_for(lambda: push_stage.ask("viewers") == 0)
    assert push_stage.ask("files") == files


def test_worker_that_is_told_to_end_cuts_no_frame(push_stage: PushTheatre) -> None:
    ids = fill(push_stage)
    told, _path = keep(push_stage)
    with slow_connection(push_stage) as connection:
        wait_for(lambda: push_stage.ask("viewers") == 1)
        push_stage.stop()
        viewer = Viewer(lambda viewer: read_body(connection, viewer, is_chunked=True))
        viewer.wait_until_ended()
    got = without_retry(viewer)
    assert len(got) < len(told)
    assert told.startswith(got)
    assert got.endswith(b"\n\n")
    assert int(EventSource(viewer.body).last_event_id) in ids


def test_worker_that_is_killed_while_it_keeps_frames_leaves_none(tmp_path: Path) -> None:
    with push_theatre(tmp_path) as first:
        fill(first)
        with slow_connection(first):
            wait_for(lambda: list(folder_in(tmp_path).glob("*.part")))
            first.process.kill()
            first.process.wait()
        assert kept_file(first) is None
        log = first.log.path.read_bytes()
        first.log.path.rename(tmp_path / "ended")
    with push_theatre(tmp_path) as second:
        second.log.path.write_bytes(log)
        second.log.die()
        viewer = watch(second)
        assert len(viewer.texts) == LINES
        wait_for(lambda: [path for path in folder_in(tmp_path).iterdir() if path.suffix != ".part"])


def slow_connection(stage: PushTheatre, **options: Any) -> socket.socket:
    """A viewer that does not read, and has little room for what comes."""
    connection = stage.connect(**options)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    return connection
