"""Keep a session's frames before anybody has asked for them: its first replay is a later one.

Such frames are the least of all that is kept: they take what room is free, or that of others
that nobody has asked for, and are the first to go when viewers leave frames of their own. Knows
nothing of gevent: it works in a process without it.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from webapp.stream.feed import Feed, NoBoundary, Place
from webapp.stream.format import Format
from webapp.stream.kept_aim import Aim, code_version, find_aim
from webapp.stream.kept_folder import KeptFolder
from webapp.stream.kept_part import KeptPart

PLAIN = Format()
"""What the pages ask for, and whoever names no format. Other formats are rarely asked for, and
each would take as much room again."""
STEP_BYTES = 4 << 20
"""Of frames: some 30 ms of work."""


def prepare_frames(folder: KeptFolder, session_id: str, log: Path) -> Iterator[int]:
    """Keep the frames of an ended session, if there is room; each step gives the bytes it made.

    Nothing is done where they are there, or where the log is small, has no `done` or is gone.
    Closed early it leaves nothing. OSError.
    """
    try:
        feed = Feed(session_id, log)
    except FileNotFoundError:
        return
    with closing(feed):
        aim = find_aim(feed, PLAIN, code_version())
        if aim is None or (folder.path / aim.name).exists():
            return
        if folder.make_room(aim.log_bytes, spare_used=True):
            yield from _write(folder, feed, aim)


def _write(folder: KeptFolder, feed: Feed, aim: Aim) -> Iterator[int]:
    with closing(KeptPart(folder, aim)) as part:
        place, told = Place(0, goes_on=False), 0
        while True:
            try:
                frame = feed.frame_at(place, PLAIN)
            except NoBoundary:
                return
            if frame is None or not part.add(frame.data):
                return  # the log was cut, or there is no room after all
            if frame.is_done:
                break
            place = frame.end
            if part.size - told >= STEP_BYTES:
                yield part.size - told
                told = part.size
        if not (folder.path / aim.name).exists():  # a viewer may have left it, and so used it
            part.finish(is_used=False)
        yield part.size - told
