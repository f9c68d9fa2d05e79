"""A line of JSON that is too long for a record: what stands for it, made as it is printed.

The runner writes such a line as it is, in parts, and a `long_line` record after it. That holds the
line without its binary content (`log/media.py`) and without the rest of very long texts, and is
the line's event. So neither runner nor readers ever hold all of a line.
"""

import json
import re
from collections.abc import Callable

from webapp.log.media import (
    KEY_BYTES,
    MIN_CHARACTERS,
    Media,
    begins_as_media,
    count_letters,
    decoded_size,
    is_base64,
    media_at,
    reference,
)

MAX_TEXT_BYTES = 64 * 1024
"""Of one string; the rest is in the log alone."""
MAX_STAND_IN_BYTES = 512 * 1024
LONG_LINE = b'{"type":"long_line",'
"""How the content of such a record begins."""
_STRING = re.compile(rb'(?:[^"\\]|\\u[0-9a-fA-F]{4}|\\[^u])*+', re.DOTALL)
_REST = re.compile(rb'(?:[^"\\]|\\.)*+', re.DOTALL)


class LongLine:
    """Reads a line in pieces and makes what stands for it, in bounded memory."""

    def __init__(self, max_bytes: int) -> None:
        """Of a line over `max_bytes` only the beginning of its text is the event."""
        self.size = 0
        self.media: list[Media] = []
        """The binary content that was found."""
        self._max_bytes = max_bytes
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._before = b""
        """The end of what has been copied."""
        self._rest = b""
        self._read_next: Callable[[bytes, int, bool], int] = self._read_plain
        self._is_cut = False
        self._head = b""
        """The beginning of a string that is being left out."""
        self._left_out = 0
        self._open = Media(0, 0, "", 0)

    def feed(self, piece: bytes) -> None:
        """Take the next piece."""
        self.size += len(piece)
        if not self._is_cut:
            self._read(self._rest + piece, is_end=False)

    def finish(self) -> bytes:
        """The content of the `long_line` record."""
        if not self._is_cut:
            self._read(self._rest, is_end=True)
            if self._read_next != self._read_plain:
                self._end_text(b"")
        stand_in = b"".join(self._out)
        if self._is_cut:
            stand_in = stand_in[:MAX_TEXT_BYTES]
            stand_in += _omission(self.size - len(stand_in))
        text = json.dumps(stand_in.decode("utf-8", "replace"), ensure_ascii=False)
        return b'%b"bytes":%d,"content":%b}' % (LONG_LINE, self.size, text.encode())

    def _read(self, data: bytes, *, is_end: bool) -> None:
        at, state = 0, None
        while at < len(data) and state != (at, self._read_next) and self._has_room:
            state = (at, self._read_next)
            at = self._read_next(data, at, is_end)
        self._rest = data[at:]
        self._is_cut = self.size > self._max_bytes or not self._has_room

    @property
    def _has_room(self) -> bool:
        return self._out_bytes <= MAX_STAND_IN_BYTES

    def _copy(self, data: bytes) -> None:
        self._out_bytes += len(data)
        self._out.append(data)
        self._before = (self._before + data[-KEY_BYTES:])[-KEY_BYTES:]

    # Each of these takes something from `at` on and returns where to go on; `at` to wait for more.

    def _read_plain(self, data: bytes, at: int, is_end: bool) -> int:
        quote = data.find(b'"', at)
        if quote != at:
            stop = quote if quote >= 0 else len(data)
            self._copy(data[at:stop])
            return stop
        limit = at + MAX_TEXT_BYTES
        found = _STRING.match(data, at + 1, limit)
        end = found.end() if found else at + 1
        if data[end : end + 1] == b'"':
            self._take_string(data[at : end + 1], self.size - len(data) + at)
            return end + 1
        if len(data) < limit and not is_end:
            return at
        self._begin_long(data[at:end], self.size - len(data) + at)
        return end

    def _take_string(self, string: bytes, start: int) -> None:
        media = media_at(string, self._before) if len(string) > MIN_CHARACTERS else None
        if media is None:
            self._copy(string)
            return
        self._refer(Media(start + media.start, start + media.stop, media.media_type, media.size))

    def _refer(self, media: Media) -> None:
        self._copy(reference(media, len(self.media)))
        self.media.append(media)

    def _begin_long(self, string: bytes, start: int) -> None:
        self._head, self._left_out = string, 0
        begins = begins_as_media(string, self._before)
        if begins is None or not is_base64(string[begins[0] :]):
            self._read_next = self._read_text
            return
        letters_at, media_type = begins
        self._open = Media(start + letters_at, 0, media_type, count_letters(string[letters_at:]))
        self._read_next = self._read_binary

    def _read_text(self, data: bytes, at: int, _is_end: bool) -> int:
        """The rest of a text that is left out."""
        found = _REST.match(data, at)
        end = found.end() if found else at
        self._left_out += end - at
        if data[end : end + 1] == b'"':
            self._end_text(b'"')
            return end + 1
        return end

    def _end_text(self, quote: bytes) -> None:
        shown = self._head.decode("utf-8", "ignore").encode()
        self._copy(shown + _omission(self._left_out) + quote)
        self._read_next = self._read_plain

    def _read_binary(self, data: bytes, at: int, _is_end: bool) -> int:
        """The rest of a string of base64."""
        quote = data.find(b'"', at)
        end = quote if quote >= 0 else len(data) - data.endswith(b"\\")
        letters = data[at:end]
        self._open.size += count_letters(letters)
        size = decoded_size(self._open.size)
        if not is_base64(letters) or (quote >= 0 and size is None):
            self._read_next = self._read_text
            return at
        self._left_out += end - at
        if quote < 0:
            return end
        self._open.stop = self.size - len(data) + end
        self._open.size = size or 0
        self._refer(self._open)
        self._read_next = self._read_plain
        return end + 1


def stand_in(content: bytes) -> bytes | None:
    """What stands for a line, by the content of its `long_line` record; None if that is damaged."""
    try:
        line = json.loads(content)["content"]
    except (ValueError, KeyError, RecursionError):
        return None
    return line.encode("utf-8", "replace") if isinstance(line, str) else None


def _omission(count: int) -> bytes:
    return b" \xe2\x80\xa6 [%d more bytes are in the log]" % count
