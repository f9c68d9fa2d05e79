"""Where a file of kept frames is resumed: at every id exactly, and nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.log import random_logs
from webapp.log.dialects import DIALECTS
from webapp.log.event_id import EventId
from webapp.log.events import Dialect, parse_events
from webapp.log.record import format_record
from webapp.stream import kept_file, sse
from webapp.stream.encode import encode_records

FINGERPRINT = bytes(range(32))
LIKE_A_FRAME = format_record(1, b"stdout", b"\\n\\nid: 7\\n\r\rid: 8 id: 9")
LONG = format_record(1, b"stdout", b"x" * 5000)

steps = st.tuples(st.integers(10, 40), st.integers(10, 40))


@contextmanager
def open_file(content: bytes) -> Iterator[int]:
    """A descriptor of a file that holds these bytes."""
    with random_logs.open_file(content) as file:
        yield file.fd


@given(
    random_logs.live_logs,
    random_logs.done_records,
    st.booleans(),
    st.sampled_from(["", "session-1-a/", "id: 7 ", "100%d"]),
    steps,
)
@example(LIKE_A_FRAME * 3, LIKE_A_FRAME, False, "", (10, 40))
@example(LONG + LIKE_A_FRAME + LONG, LONG, False, "s/", (10, 4096))
def test_resuming_kept_frames_at_any_id_gives_what_the_encoder_gives_from_there(
    log: bytes, done: bytes, as_envelope: bool, prefix: str, read_steps: tuple[int, int]
) -> None:
    log += done

    def encode(offset: int, goes_on: bool) -> bytes:
        options = {"as_envelope": as_envelope, "id_prefix": prefix}
        return encode_records(log[offset:], offset, goes_on=goes_on, **options).frames  # type: ignore[arg-type]

    frames, goes_on = encode(0, False), False
    with open_file(frames) as fd, mock.patch.object(kept_file, "_STEPS", read_steps):
        ids = {0}
        for event in parse_events(log, 0, is_continuation=False):
            ids.add(event.offset)
            goes_on = _goes_on(log[: event.offset])
            start = kept_file.find_after(fd, len(frames), event.id, prefix.encode())
            assert start is not None
            assert frames[start:] == encode(event.offset, goes_on)
            assert kept_file.next_boundary(fd, start, len(frames)) == start
        beside = {offset + step for offset in ids for step in (-2, -1, 1, 2)}
        for offset in beside - ids:
            assert kept_file.find_after(fd, len(frames), EventId(offset), prefix.encode()) is None


@given(
    random_logs.live_logs,
    random_logs.done_records,
    st.sampled_from([*DIALECTS.values()]),
    st.sampled_from(["", "session-1-a/"]),
    steps,
)
def test_kept_frames_of_a_dialect_are_resumed_at_any_event_of_a_record(
    log: bytes, done: bytes, dialect: Dialect, prefix: str, read_steps: tuple[int, int]
) -> None:
    events = list(parse_events(log + done, 0, is_continuation=False, dialect=dialect))
    encoded = [sse.encode_event(event, prefix) for event in events]
    frames = b"".join(encoded)
    with open_file(frames) as fd, mock.patch.object(kept_file, "_STEPS", read_steps):
        for position, event in enumerate(events, start=1):
            start = kept_file.find_after(fd, len(frames), event.id, prefix.encode())
            assert start is not None
            assert frames[start:] == b"".join(encoded[position:])
            beyond = EventId(event.offset, event.seen + 100)
            assert kept_file.find_after(fd, len(frames), beyond, prefix.encode()) is None


def _goes_on(log: bytes) -> bool:
    return encode_records(log, 0, goes_on=False).goes_on


@pytest.mark.parametrize("damage", [b"id: x\n", b"id: 99999999999999999999999\n", b"di: 5\n"])
def test_frames_that_are_none_are_not_resumed(damage: bytes) -> None:
    with open_file(damage + b"event: a\ndata: {}\n\n") as fd:
        assert kept_file.find_after(fd, len(damage) + 19, EventId(5), b"") is None


def test_file_says_how_many_bytes_of_frames_it_holds() -> None:
    with open_file(b"frames" + kept_file.trailer(6, FINGERPRINT)) as fd:
        assert kept_file.read_size(fd, FINGERPRINT) == 6
        assert kept_file.read_size(fd, bytes(32)) is None


def test_file_that_lost_or_won_bytes_at_any_place_is_not_whole() -> None:
    content = b"frames" + kept_file.trailer(6, FINGERPRINT)
    cut = [content[:end] for end in range(len(content))]
    more = [content[:at] + b"x" + content[at:] for at in range(len(content) + 1)]
    torn = [content[:end] + bytes(len(content) - end) for end in range(7, len(content) - 1)]
    for damaged in (*cut, *more, *torn, b"", bytes(len(content))):
        with open_file(damaged) as fd:
            assert kept_file.read_size(fd, FINGERPRINT) is None
