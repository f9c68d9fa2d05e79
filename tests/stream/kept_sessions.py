"""Sessions on disk whose frames are kept, for the tests of that."""

import os
from pathlib import Path
from typing import NamedTuple

from tests.server import wait_for
from tests.stream.growing_log import GrowingLog
from webapp.stream.cursor import Cursor
from webapp.stream.feed import Feed
from webapp.stream.format import Format
from webapp.stream.kept_folder import folder_in
from webapp.stream.kept_frames import KeptFrames

GIGABYTE = 1 << 30
LINE = "x" * 10_000


class Session(NamedTuple):
    """A session on disk, open for its viewers."""

    log: GrowingLog
    feed: Feed


def add_session(var: Path, session_id: str, lines: int = 110) -> Session:
    """A session that has ended."""
    path = var / "sessions" / session_id / "output.log"
    path.parent.mkdir(parents=True)
    log = GrowingLog(path)
    for number in range(lines):
        log.say(f"{number} {LINE}")
    log.end()
    log.die()
    return Session(log, Feed(session_id, path))


def read(feed: Feed, form: Format, most: int = 1000) -> bytes:
    """What a viewer reads from the beginning, in at most so many pieces."""
    cursor = Cursor(feed, form, feed.place_at(0))
    pieces = []
    for _ in range(most):
        piece = cursor.read()
        if piece is None:
            break
        pieces.append(piece)
    return b"".join(pieces)


def files(var: Path) -> list[Path]:
    """What lies in the folder."""
    return sorted(folder_in(var).iterdir()) if folder_in(var).exists() else []


def record(frames: KeptFrames, feed: Feed, form: Format = Format()) -> bytes:  # noqa: B008
    """Replay a session while it is recorded, and wait until that is over; the frames."""
    frames.record(feed, form)
    body = read(feed, form)
    wait_until_idle(frames)
    return body


def wait_until_idle(frames: KeptFrames) -> None:
    """Until no thread of it is left."""
    wait_for(lambda: all(one.has_ended for one in frames._recordings))


def kept(frames: KeptFrames, feed: Feed, form: Format = Format()) -> bytes | None:  # noqa: B008
    """The frames that are kept of a session."""
    found = frames.open(feed, form)
    if found is None:
        return None
    body = os.pread(found.fd, found.size, 0)
    found.close()
    return body
