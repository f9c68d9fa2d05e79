"""Binary content in an agent's JSON lines, and the references that viewers get in its place.

It is a string of base64, as the Messages API, MCP and others put pictures and files into JSON. A
reference is `{"mediaType", "bytes", "url"}`; the URL is relative to `/api/sessions/<id>/` and names
the offset after the record that is the line's event, and the number of the string in the line.
Imported by the runner: nothing but the standard library.
"""

import binascii
import re
from collections.abc import Iterator

MIN_CHARACTERS = 512
"""A shorter string stays where it is."""
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\\"
_STEP = 8
_TO_BASE64 = bytes(letter in _ALPHABET for letter in range(256))
_RUN = b"\1" * (MIN_CHARACTERS // _STEP - 1)
_URL = b'"url":"media/@.'
"""How a URL begins where the offset of its record is not known yet."""

_PREFIX = rb'(?<!\\)"(data:[^",\\]{0,100};base64,)?'
_LETTERS = rb"[A-Za-z0-9+/]"
_STRING = re.compile(
    _PREFIX
    + rb"("
    + _LETTERS
    + rb"{64}"
    + _LETTERS
    + rb"*+(?:\\[/nr]"
    + _LETTERS
    + rb'*+)*+={0,2}(?:\\[nr])*+)"'
)
_START = re.compile(_PREFIX + rb"(" + _LETTERS + rb"{64})")
_KEY = re.compile(rb'"(?:data|base64|blob|b64_json|bytes)"\s*:\s*\Z')
KEY_BYTES = 40
"""How much before a string shows its key."""

OTHER_TYPE = "application/octet-stream"
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}


class Media:
    """A string of base64 in a line: where its letters are, and what they stand for."""

    __slots__ = ("media_type", "size", "start", "stop")

    def __init__(self, start: int, stop: int, media_type: str, size: int) -> None:
        self.start = start
        self.stop = stop
        self.media_type = media_type
        self.size = size
        """Bytes, decoded."""


def may_hold_media(data: bytes) -> bool:
    """Whether there may be binary content in some lines: a quick look at each eighth letter."""
    return len(data) > MIN_CHARACTERS and _RUN in data[::_STEP].translate(_TO_BASE64)


def media_in(line: bytes) -> Iterator[Media]:
    """The binary content of a whole line, in order."""
    for found in _STRING.finditer(line):
        before = line[max(0, found.start() - KEY_BYTES) : found.start()]
        media = _media_of(found, before)
        if media is not None:
            yield media


def media_at(string: bytes, before: bytes) -> Media | None:
    """A whole string of a line, with its quotes, as binary content; `before`: what is before it."""
    found = _STRING.fullmatch(string)
    return None if found is None else _media_of(found, before)


def without_media(line: bytes, end: int) -> bytes:
    """A whole line with references in the place of its binary content. Its record ends at `end`."""
    parts: list[bytes] = []
    at = 0
    for number, media in enumerate(media_in(line)):
        quote = line.rindex(b'"', 0, media.start)
        parts += (line[at:quote], reference(media, number))
        at = media.stop + 1
    return with_offset(b"".join([*parts, line[at:]]), end) if parts else line


def begins_as_media(string: bytes, before: bytes) -> tuple[int, str] | None:
    """Where the letters of a string begin, and its media type; None where it is something else.

    `string` is the beginning of a long one, with its quote.
    """
    found = _START.match(string)
    kind = None if found is None else _type_of(found, before)
    return None if found is None or kind is None else (found.start(2), kind)


def _media_of(found: "re.Match[bytes]", before: bytes) -> Media | None:
    letters = found[2]
    size = decoded_size(count_letters(letters))
    if len(letters) < MIN_CHARACTERS or size is None:
        return None
    kind = _type_of(found, before)
    return None if kind is None else Media(found.start(2), found.end(2), kind, size)


def _type_of(found: "re.Match[bytes]", before: bytes) -> str | None:
    """By its first bytes, whatever the agent says. Where these say nothing, a string must have a
    key of binary content, or be a `data:` URL."""
    try:
        head = binascii.a2b_base64(found[2][:32].replace(b"\\/", b"/")[:28])
    except binascii.Error:
        return None
    kind = next((kind for signature, kind in _SIGNATURES if head.startswith(signature)), None)
    if kind is None and head[:4] == b"RIFF":
        kind = _RIFF.get(head[8:12])
    if kind is None and (found[1] or _KEY.search(before)):
        return OTHER_TYPE
    return kind


def decoded_size(letters: int) -> int | None:
    """The bytes that this many letters stand for; None where that is no base64."""
    return None if letters % 4 == 1 else letters * 3 // 4


def count_letters(letters: bytes) -> int:
    """The letters of base64 in a JSON string, without padding and line ends.

    In JSON `\\/` stands for `/`.
    """
    escapes = letters.count(b"\\")
    return len(letters) - letters.count(b"=") - 2 * escapes + letters.count(b"\\/")


def is_base64(letters: bytes) -> bool:
    """Whether there is nothing else among the letters of a JSON string."""
    return not letters.translate(None, _ALPHABET + b"=")


def reference(media: Media, number: int) -> bytes:
    """What viewers get in the place of a string, but for the offset."""
    kind = media.media_type.encode()
    return b'{"mediaType":"%b","bytes":%d,%b%d"}' % (kind, media.size, _URL, number)


def with_offset(line: bytes, end: int) -> bytes:
    """The references in a line with the offset after the record that is its event."""
    return line.replace(_URL, b'"url":"media/%d.' % end)
