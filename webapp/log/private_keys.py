r"""Take the body of private keys out of a stream: what is between BEGIN and END.

The header alone is no key, and is shown. After it a line is redacted while it has the form of a
key's line: base64, of one length, in the place where the line before has it. So it does not
matter what is printed before each line (`     2→`, `12:`, `path-12-`, `> `, `+`), and whether a
line ends with a newline, or with `\n`, `\\n`, … of JSON in JSON. The first line of another form
ends the block, whether or not an END was seen, and is shown.

Forms: https://datatracker.ietf.org/doc/html/rfc7468, https://datatracker.ietf.org/doc/html/rfc1421
(the headers of encrypted keys), https://datatracker.ietf.org/doc/html/rfc9580#section-6 (PGP).
"""

import re

from webapp.log.spans import MAX_SHOWN_EARLY, Span, replace_spans

_NEEDLE = b"PRIVATE KEY"
_HEADER = re.compile(rb"-{5}BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-{5}")
_SEEN_BYTES = 256
_MAX_HEADER_BYTES = 80
_MAX_LINE_BYTES = 8192
_MAX_PREFIX_BYTES = 512
_PIECE_BYTES = 1024
"""Each header and each line copies what follows it, of this at most."""

_MIN_WIDTH = 40
"""Of the lines of a key whose first letters do not say that they are one."""
_MIN_KNOWN_WIDTH = 16
_MAX_WIDTH = 80
_LOOKED_AT = 64

_LINE_END = re.compile(rb"\r?\n|\r|\\{1,15}[rn]")
_BLOCK_END = re.compile(rb"-{5}END |" + _HEADER.pattern)
_RUN = re.compile(
    rb"((?:[A-Za-z0-9+/]+|\\{1,15}(?:/|u002[bBfF]))+(?:=|\\{1,15}u003[dD]){0,2})"
    rb"|\\{1,15}(?:u[0-9a-fA-F]{4}|[^\\])"
)
_ESCAPED = re.compile(rb"\\{1,15}(?:/|u00..)")
_UNDECIDED = re.compile(rb"[ \t]*(?:-{0,5}E?N?D?|\\{1,15}(?:u[0-9a-fA-F]{0,3})?)\Z")
_OPEN_ESCAPE = re.compile(rb"\\{1,15}(?:u[0-9a-fA-F]{0,3})?\Z")
_ENDS_LINE = re.compile(rb"[ \t]*(?:\\{0,15}[\"'`]|[,;)}\]<$]|-{5}END |\Z)")
_STRING_END = re.compile(rb"\\{0,15}\"|\Z")
_KEY_START = re.compile(rb"\+?(?:MI[E-L]|M[C-H][A-Za-z0-9+/]|b3BlbnNzaC1r)")
"""ASN.1's SEQUENCE and `openssh-key` in base64."""
_WORD = re.compile(rb"(?:[A-Z]?[a-z]{0,24}|[A-Z]{1,6}|[0-9]{1,6})[ \t]*\Z")
_ARMOR_HEADER = re.compile(
    rb"(?:Proc-Type|DEK-Info|Version|Comment|MessageID|Hash|Charset|Subject): "
)
_BEFORE_BODY = re.compile(rb"(?:[ \t]|(?:Proc-Type|DEK-Info): [^ ]+)*\Z")
"""On the header's line, where newlines have become spaces."""
_LETTER = re.compile(rb"[A-Za-z]")
_NUMBER = re.compile(rb"[ \t]*[0-9]+")
_UPPER = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LOWER = _UPPER.lower()
_DIGITS = b"0123456789"


def may_have_private_key(data: bytes) -> bool:
    """Whether a whole text may hold one: it has a header then."""
    return _NEEDLE in data


class _Block:
    """What is known of the block that a stream is in."""

    def __init__(self, prefix: bytes, *, is_added: bool) -> None:
        self.prefix = prefix
        """What is before the letters of a line, without its number."""
        self.is_added = is_added
        """Whether its lines begin with the `+` of a diff, which is a letter of base64, too."""
        self.width = 0
        """Letters in a line; 0 until the first one."""
        self.is_first_line = True
        """The header's own line."""
        self.had_short_line = False
        """A body ends with a shorter line."""


class PrivateKeys:
    """One stream of bytes. What comes out of it holds no private key."""

    def __init__(self) -> None:
        self._seen = b""
        self._block: _Block | None = None
        self._line = b""
        self._held_from = 0
        self._shown = 0
        self._has_key = False

    @property
    def is_holding(self) -> bool:
        """Whether there are bytes that a silence would bring out: a word that is no key."""
        held = self._line[self._held_from :]
        if self._block is None or len(self._line) == self._shown:
            return False
        return len(held) <= MAX_SHOWN_EARLY or (not self._has_key and _WORD.match(held) is not None)

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; give back what is known to be no part of a key."""
        if self._block is None and not (
            (b"V" in data and _NEEDLE in data) or (self._seen and self._is_cut(data))
        ):
            if self._seen or data[-1:] != b"\n":
                self._remember(data)
            return data
        return self._read(data, is_end=False)

    def _is_cut(self, data: bytes) -> bool:
        """Whether a header may be in what was seen and this together."""
        text = self._seen + data[:_MAX_HEADER_BYTES]
        return b"--" in text and _NEEDLE in text

    def release(self) -> bytes:
        """After a silence: the word that was held back."""
        if not self.is_holding:
            return b""
        released = self._line[self._shown :]
        self._shown = len(self._line)
        return released

    def finish(self) -> bytes:
        """The end of the stream: all that is left."""
        return self._read(b"", is_end=True)

    def _read(self, data: bytes, *, is_end: bool) -> bytes:
        if is_end or len(data) <= _PIECE_BYTES:
            return self._read_piece(data, is_end=is_end)
        starts = range(0, len(data), _PIECE_BYTES)
        pieces = (data[start : start + _PIECE_BYTES] for start in starts)
        return b"".join(self._read_piece(piece, is_end=False) for piece in pieces)

    def _read_piece(self, data: bytes, *, is_end: bool) -> bytes:
        parts: list[bytes] = []
        while data or (is_end and self._line):
            if self._block is None:
                part, data = self._look_for_header(data)
            else:
                part, data = self._read_line(self._block, data, is_end=is_end)
            parts.append(part)
        return b"".join(parts)

    def _remember(self, text: bytes) -> None:
        """The end of an unfinished line: a header may be cut anywhere, and has a prefix."""
        if text[-1:] == b"\n":
            self._seen = b""
        elif (newline := text.rfind(b"\n", -_SEEN_BYTES)) >= 0:
            self._seen = text[newline + 1 :]
        else:
            self._seen = (self._seen + text[-_SEEN_BYTES:])[-_SEEN_BYTES:]

    def _look_for_header(self, data: bytes) -> tuple[bytes, bytes]:
        """What is up to the end of the first header, and what is after it."""
        text, known = self._seen + data, len(self._seen)
        header = _HEADER.search(text)
        if header is None:
            self._remember(data)
            return data, b""
        before = text[max(0, header.start() - _SEEN_BYTES + _MAX_HEADER_BYTES) : header.start()]
        before = _LINE_END.split(before)[-1].rpartition(b'"')[2]
        self._block = _Block(_without_numbers(before), is_added=before.endswith(b"+"))
        self._seen = b""
        end = max(header.end(), known)
        return text[known:end], text[end:]

    def _read_line(self, block: _Block, data: bytes, *, is_end: bool) -> tuple[bytes, bytes]:
        """What may be shown of a line in a block, and what is after it."""
        line = self._line + data
        end = _LINE_END.search(line, 0, _MAX_LINE_BYTES)
        stop = _BLOCK_END.search(line, 0, end.start() if end else _MAX_LINE_BYTES)
        found = stop or end
        text = line[: found.start() if found else _MAX_LINE_BYTES]
        is_whole = found is not None or is_end or len(text) == _MAX_LINE_BYTES
        spans, safe = _find_key_lines(block, text, is_whole=is_whole)
        if not is_whole and not _is_far(spans, safe):
            shown = replace_spans(text[:safe], spans, self._shown)
            self._has_key = block.width > 0 or bool(spans)
            self._line, self._held_from, self._shown = line, safe, max(self._shown, safe)
            return shown, b""

        text = text[:safe]
        shown = replace_spans(text, spans, self._shown)
        after = max(safe, self._shown)
        self._line, self._shown = b"", 0
        if stop is None and end is not None and _goes_on(block, text, spans):
            return shown + end[0], line[end.end() :]
        self._block = None
        self._remember(line[:after])
        return shown, line[after:]


def _without_numbers(prefix: bytes) -> bytes:
    """The same for each line that is printed: grep has `path:12:` and `path-13-`."""
    return _NUMBER.sub(b"0", prefix).replace(b"-", b":").rstrip(b"+")


def _is_far(spans: list[Span], place: int) -> bool:
    """Whether a place in a line is too far from its beginning, or its last key, for one."""
    return place - (spans[-1][1] if spans else 0) > _MAX_PREFIX_BYTES


def _find_key_lines(block: _Block, line: bytes, *, is_whole: bool) -> tuple[list[Span], int]:
    """The parts of a line that are a key, and up to where that is certain."""
    spans: list[Span] = []
    escape = None if is_whole else _OPEN_ESCAPE.search(line, max(0, len(line) - 20))
    safe = escape.start() if escape else len(line)
    for run in _RUN.finditer(line, 0, safe):
        if run[1] is None:
            continue
        start, end = run.span()
        if _is_far(spans, start):
            break
        if not is_whole and _UNDECIDED.match(line, end):
            return spans, start
        if _is_key(block, line, start, end, spans):
            spans.append((start + (block.is_added and not spans), end))
    return spans, safe


def _is_key(block: _Block, line: bytes, start: int, end: int, spans: list[Span]) -> bool:
    """Whether a run of base64's letters in a line is a key's line, or the end of one."""
    letters = _ESCAPED.sub(b"+", line[start:end])
    if not letters.strip(b"+/"):
        return False
    before = line[:start]
    if before.endswith(b"=") and len(letters) == 4:  # PGP's checksum
        is_alone = _without_numbers(before[:-1]) == block.prefix and block.width > 0
        return is_alone and _ENDS_LINE.match(line, end) is not None
    is_end = _ENDS_LINE.match(line, end) is not None and not _WORD.match(letters)
    if spans:  # a body whose newlines have become spaces
        width = min(_MIN_WIDTH, spans[0][1] - spans[0][0])
        follows = not line[spans[-1][1] : start].strip(b" \t")
        return follows and (len(letters) >= width or is_end)
    if block.is_first_line:
        return _BEFORE_BODY.match(before) is not None and _looks_like_key(letters)
    if block.width and _without_numbers(before) == block.prefix:
        if len(letters) >= block.width - 1 and (len(letters) >= _MIN_WIDTH or is_end):
            return True
        if is_end and not block.had_short_line:
            return True
    if b'"' in before[:-1]:  # each line in a JSON object of its own
        is_string = before.endswith(b'"') and _STRING_END.match(line, end) is not None
        is_line = len(letters) <= _MAX_WIDTH or _KEY_START.match(letters) is not None
        return is_string and is_line and _looks_like_key(letters)
    is_in_place = not _LETTER.search(before) or _without_numbers(before) == block.prefix
    return (is_in_place or _KEY_START.match(letters) is not None) and _looks_like_key(letters)


def _looks_like_key(letters: bytes) -> bool:
    """Whether these are the letters of a key: of each kind, as chance has it, or ASN.1's."""
    head = letters[:_LOOKED_AT]
    size = len(head)
    upper, lower, digits = (
        size - len(head.translate(None, kind)) for kind in (_UPPER, _LOWER, _DIGITS)
    )
    is_known = _KEY_START.match(head) is not None
    if size < _MIN_WIDTH:
        return is_known and size >= _MIN_KNOWN_WIDTH and min(upper, lower, digits) > 0
    return is_known or (8 * min(upper, lower) >= size and 4 * (upper + digits) >= size)


def _goes_on(block: _Block, line: bytes, spans: list[Span]) -> bool:
    """Whether the block goes on after this line; what the line says of the block."""
    is_first, block.is_first_line = block.is_first_line, False
    if _is_far(spans, len(line)):
        return False
    if not spans:
        if not block.width and (armor := _ARMOR_HEADER.search(line)):
            block.prefix = _without_numbers(line[: armor.start()])
            return True
        is_blank = not _LETTER.search(line) or _without_numbers(line) == block.prefix
        return is_first or is_blank or line.lstrip(b"\\")[:1] == b'"'
    start, end = spans[-1]
    width = len(_ESCAPED.sub(b"+", line[start:end]))
    if not block.width:
        block.width = width
        block.prefix = _without_numbers(line[: spans[0][0]])
    elif width < block.width - 1:
        block.had_short_line = True
    return True
