"""Binary content of an event, out of the log: found again, and decoded piece by piece."""

import binascii
from collections.abc import Callable, Iterator
from typing import NamedTuple

from webapp.log import reader
from webapp.log.long_line import LONG_LINE, LongLine
from webapp.log.media import Media, media_in
from webapp.log.opened import OpenLog
from webapp.log.record import TIME_BYTES, parse_record

_PIECE_BYTES = 64 * 1024
_HEAD_BYTES = 128
_CONTENT_AT = TIME_BYTES + len(b" stdout F ")


class Part(NamedTuple):
    """A run of a line's bytes in the log."""

    start: int
    stop: int


class Found(NamedTuple):
    """Binary content, and the line that holds it."""

    media: Media
    parts: list[Part]


def find_media(
    log: OpenLog, end: int, number: int, pause: Callable[[], None] = lambda: None
) -> Found | None:
    """The string with this number in the line whose event is the record that ends at `end`.

    `pause` lets others of this process have their turn.
    """
    parts = _line_parts(log, end)
    if len(parts) == 1:
        line = log.read(parts[0].stop - parts[0].start, parts[0].start)
        media = list(media_in(line))
    else:
        long_line = LongLine(end)
        for piece in _pieces(log, parts):
            long_line.feed(piece)
            pause()
        media = long_line.media
    return Found(media[number], parts) if number < len(media) else None


def read_media(
    log: OpenLog, found: Found, pause: Callable[[], None] = lambda: None
) -> Iterator[bytes]:
    """The decoded bytes, in pieces. OSError where the log has been cut."""
    at, letters = 0, b""
    for part in found.parts:
        start = part.start + max(0, found.media.start - at)
        stop = min(part.stop, part.start + found.media.stop - at)
        at += part.stop - part.start
        for piece in _pieces(log, [Part(start, stop)] if start < stop else []):
            letters = (letters + piece).replace(b"\\/", b"/").replace(b"\\n", b"")
            letters = letters.replace(b"\\r", b"").rstrip(b"=")
            whole = len(letters) // 4 * 4
            yield binascii.a2b_base64(letters[:whole])
            letters = letters[whole:]
            pause()
    yield binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def _line_parts(log: OpenLog, end: int) -> list[Part]:
    """Where the line is whose event is the record that ends at `end`; none where there is none."""
    if not 0 < end <= log.size() or log.read(1, end - 1) != b"\n":
        return []
    start = reader.last_line_start(log, end)
    head = log.read(_HEAD_BYTES, start)
    if _is_stdout(head, b"F"):
        return [Part(start + _CONTENT_AT, end - 1)]
    if head[TIME_BYTES:_CONTENT_AT] != b" system F " or not head.startswith(LONG_LINE, _CONTENT_AT):
        return []
    parts: list[Part] = []
    wanted = b"F"
    while start > 0:
        start, end = reader.last_line_start(log, start), start
        head = log.read(_HEAD_BYTES, start)
        if _is_stdout(head, wanted):
            parts.append(Part(start + _CONTENT_AT, end - 1))
            wanted = b"P"
        elif head[TIME_BYTES : TIME_BYTES + 8] == b" stdout ":
            break
    return parts[::-1]


def _is_stdout(head: bytes, tag: bytes) -> bool:
    return head[TIME_BYTES:_CONTENT_AT] == b" stdout " + tag + b" " and (
        parse_record(head.partition(b"\n")[0]) is not None
    )


def _pieces(log: OpenLog, parts: list[Part]) -> Iterator[bytes]:
    for start, stop in parts:
        while start < stop:
            piece = log.read(min(_PIECE_BYTES, stop - start), start)
            if not piece:
                raise OSError("the log was cut")
            yield piece
            start += len(piece)
