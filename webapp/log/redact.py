"""Take secrets out of what an agent prints, on its way to the log.

Two kinds: values that the operator has named, and what has the shape of a well-known key.
Output comes in pieces that may break anywhere, also inside a secret. So the end of a piece
that may be the beginning of a secret is held back until it is known what it is. That never
holds up much: at most the length of a secret, and a few letters only until a silence.

Imported by the runner, so it uses nothing but `re`, which its fork server loads for all.
"""

import re

MARK = b"[redacted]"
LEAST_SECRET_BYTES = 8
"""A shorter value would be found in innocent text everywhere."""

_MOST_SHOWN_EARLY = 3
"""Letters at the end of a piece that are shown after a silence though they may begin a secret:
the last letter of every other word does."""

_SHAPES = (
    # literal beginning, what follows, at least, at most
    (b"sk-ant-", rb"[A-Za-z0-9_-]", 20, 300),
    (b"sk-proj-", rb"[A-Za-z0-9_-]", 20, 300),
    (b"sk-svcacct-", rb"[A-Za-z0-9_-]", 20, 300),
    (b"sk-admin-", rb"[A-Za-z0-9_-]", 20, 300),
    (b"sk-or-v1-", rb"[A-Za-z0-9_-]", 20, 300),
    (b"sk-", rb"[A-Za-z0-9]", 32, 64),
    (b"ghp_", rb"[A-Za-z0-9]", 36, 255),
    (b"gho_", rb"[A-Za-z0-9]", 36, 255),
    (b"ghu_", rb"[A-Za-z0-9]", 36, 255),
    (b"ghs_", rb"[A-Za-z0-9]", 36, 255),
    (b"ghr_", rb"[A-Za-z0-9]", 36, 255),
    (b"github_pat_", rb"[A-Za-z0-9_]", 50, 255),
    (b"glpat-", rb"[A-Za-z0-9_-]", 20, 64),
    (b"AKIA", rb"[A-Z0-9]", 16, 16),
    (b"ASIA", rb"[A-Z0-9]", 16, 16),
    (b"AIza", rb"[A-Za-z0-9_-]", 35, 35),
    (b"xoxb-", rb"[A-Za-z0-9-]", 20, 250),
    (b"xoxp-", rb"[A-Za-z0-9-]", 20, 250),
    (b"hf_", rb"[A-Za-z0-9]", 34, 64),
    (b"npm_", rb"[A-Za-z0-9]", 36, 64),
)
"""https://docs.github.com/code-security/secret-scanning/introduction/supported-secret-scanning-patterns"""
_PEM = re.compile(rb"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----(?:[A-Za-z0-9+/=\s]|\\[nr]){0,8192}")
_PEM_NEEDLE = b"PRIVATE KEY-----"
_PEM_BEGIN = b"-----BEGIN "
_PEM_MOST = 8300

_KEY = re.compile(b"|".join(b"%s%s{%d,%d}" % shape for shape in _SHAPES))


def _beginnings(literal: bytes, after: bytes = b"") -> bytes:
    """A pattern of every beginning of a text, down to its first letter."""
    pattern = after
    for letter in reversed(literal):
        pattern = b"(?:" + re.escape(bytes([letter])) + pattern + b")?"
    return pattern[:-1]  # the first letter must be there


_UNFINISHED_TOKEN = re.compile(
    b"(?:"
    + b"|".join(
        _beginnings(literal, b"%s{0,%d}" % (following, most - 1))
        for literal, following, _least, most in _SHAPES
    )
    + b"|"
    + _beginnings(_PEM_BEGIN.rstrip())
    + rb")\Z"
)
_UNFINISHED_PEM = re.compile(
    rb"-----BEGIN [A-Z -]{0,31}\Z"
    rb"|-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----(?:[A-Za-z0-9+/=\s]|\\[nr]){0,8191}\\?\Z"
)

# To look for shapes everywhere would halve what a runner can take. A key is part of a run of
# at least this many letters; those are found at 2 GB/s, and only they are looked at closely.
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_TO_RUNS = bytes(ord("w") if bytes([byte]) in _LETTERS else ord(".") for byte in range(256))
_RUN = b"w" * 20
_MOST_TOKEN = 320


class Redactor:
    """One stream of bytes. What comes out of it, put together, holds no secret."""

    def __init__(self, secrets: list[bytes], *, keys: bool) -> None:
        self._secrets = sorted(set(secrets), key=len, reverse=True)
        self._longest = max(map(len, self._secrets), default=0)
        self._keys = keys
        self._held = b""
        self._shown = 0

    @property
    def is_holding(self) -> bool:
        """Whether there are bytes that a silence would bring out."""
        return len(self._held) - self._shown > 0 and len(self._held) <= _MOST_SHOWN_EARLY

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; give back what is known to be no beginning of a secret."""
        if not self._held and not self._secrets and data[-1:] == b"\n" and not _may_tell(data):
            return data  # as most lines are, and each is on its way to somebody who waits
        if self._held:
            data = self._held + data
        spans = self._find(data)
        hold_from = self._hold_from(data)
        while spans and hold_from < spans[-1][1]:
            hold_from = min(hold_from, spans.pop()[0])
        shown, self._shown = self._shown, max(0, self._shown - hold_from)
        self._held = data[hold_from:]
        return _replace(data[:hold_from], spans, shown)

    def release(self) -> bytes:
        """After a silence: the few letters that are held back for want of more."""
        if not self.is_holding:
            return b""
        released = self._held[self._shown :]
        self._shown = len(self._held)
        return released

    def finish(self) -> bytes:
        """The end of the stream: all that is left."""
        data, self._held = self._held, b""
        shown, self._shown = self._shown, 0
        return _replace(data, self._find(data), shown)

    def redact(self, data: bytes) -> bytes:
        """A whole text at once, apart from the stream."""
        return _replace(data, self._find(data), 0)

    def _find(self, data: bytes) -> list[tuple[int, int]]:
        """Where secrets stand: spans in order that do not overlap."""
        spans: list[tuple[int, int]] = []
        for secret in self._secrets:
            at = data.find(secret)
            while at >= 0:
                spans.append((at, at + len(secret)))
                at = data.find(secret, at + len(secret))
        if self._keys and _may_tell(data):
            spans += _keys_in(data)
        return _joined(spans) if len(spans) > 1 else spans

    def _hold_from(self, data: bytes) -> int:
        """Where the beginning of what may become a secret stands; else the end."""
        size = len(data)
        hold_from = min(_unfinished_token(data), _unfinished_pem(data)) if self._keys else size
        for secret in self._secrets:
            start = max(0, size - len(secret) + 1)
            at = data.find(secret[:1], start)
            while 0 <= at < hold_from:
                if secret.startswith(data[at:]):
                    hold_from = at
                    break
                at = data.find(secret[:1], at + 1)
        return hold_from


def _may_tell(data: bytes) -> bool:
    """Whether a letter is there that is in every key: to look for one costs next to nothing."""
    return b"-" in data or b"_" in data or b"A" in data


def _keys_in(data: bytes) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    runs = data.translate(_TO_RUNS)
    start = runs.find(_RUN)
    while start >= 0:
        end = runs.find(b".", start)
        end = len(data) if end < 0 else end
        spans += [match.span() for match in _KEY.finditer(data, start, end)]
        start = runs.find(_RUN, end)
    if _PEM_NEEDLE in data:
        spans += [match.span() for match in _PEM.finditer(data)]
    return spans


def _unfinished_token(data: bytes) -> int:
    end = data[-_MOST_TOKEN:]
    token_bytes = len(end) - len(end.rstrip(_LETTERS))
    if not token_bytes:
        return len(data)
    found = _UNFINISHED_TOKEN.search(data, len(data) - token_bytes)
    return len(data) if found is None else found.start()


def _unfinished_pem(data: bytes) -> int:
    at = data.find(_PEM_BEGIN, max(0, len(data) - _PEM_MOST))
    while at >= 0:
        if _UNFINISHED_PEM.match(data, at):
            return at
        at = data.find(_PEM_BEGIN, at + 1)
    return len(data)


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _replace(data: bytes, spans: list[tuple[int, int]], shown: int) -> bytes:
    """The data with a mark for each span, less `shown` bytes that went out before."""
    if not spans:
        return data[shown:]
    parts, end = [], shown
    for start, stop in spans:
        parts += [data[end:start], MARK]
        end = stop
    parts.append(data[end:])
    return b"".join(parts)
