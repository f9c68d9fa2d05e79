"""Take secrets out of what an agent prints, on its way to the log.

Three kinds: values that the operator has named, well-known API keys (`keys`), and the bodies of
private keys (`private_keys`). Output comes in pieces that may break anywhere, also inside a
secret. So the end of a piece that may be the beginning of a secret is held back until it is known
what it is. That is at most the length of a secret; a few letters, or after the header of a
private key a word, are held only until a silence.

Imported by the runner, so it and what it imports use nothing but `re`, which the runner's fork
server loads for all.
"""

import re

from webapp.log.key_shapes import CONTEXT_BYTES
from webapp.log.keys import find_keys, has_no_key_after, may_have_key, unfinished_key
from webapp.log.private_keys import PrivateKeys, may_have_private_key
from webapp.log.spans import MAX_SHOWN_EARLY, Span, join_spans, replace_spans

MIN_SECRET_BYTES = 8
"""A shorter value would be found in innocent text everywhere."""
_PLAIN = re.compile(rb"[A-Za-z0-9]+")
_MIN_PLAIN_BYTES = 4
_SMALL_BYTES = 1000


class Redactor:
    """One stream of bytes. What comes out of it, put together, holds no secret."""

    def __init__(self, secrets: list[bytes], *, keys: bool) -> None:
        self._secrets = _by_plain_part(secrets)
        self._keys = keys
        self._private_keys = PrivateKeys()
        self._context = b""
        self._held = b""
        self._shown = 0

    @property
    def is_holding(self) -> bool:
        """Whether there are bytes that a silence would bring out."""
        return self._has_letters or self._private_keys.is_holding

    @property
    def _has_letters(self) -> bool:
        return len(self._held) - self._shown > 0 and len(self._held) <= MAX_SHOWN_EARLY

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; give back what is known to be no beginning of a secret."""
        return self._feed(self._private_keys.feed(data) if self._keys else data)

    def release(self) -> bytes:
        """After a silence: the few letters that are held back for want of more."""
        word = self._private_keys.release()
        shown = self._feed(word) if word else b""
        if self._has_letters:
            shown += self._held[self._shown :]
            self._shown = len(self._held)
        return shown

    def finish(self) -> bytes:
        """The end of the stream: all that is left."""
        out = self._feed(self._private_keys.finish())
        data, base = self._context + self._held, len(self._context)
        rest = replace_spans(data, self._find(data, base), base + self._shown)
        self._context, self._held, self._shown = b"", b"", 0
        return out + rest

    def redact(self, data: bytes) -> bytes:
        """A whole text at once, apart from the stream."""
        if not self._may_hold_secret(data):
            return data  # most: an approval has dozens of texts, and a person waits for it
        if self._keys:
            private_keys = PrivateKeys()
            data = private_keys.feed(data) + private_keys.finish()
        return replace_spans(data, self._find(data, 0), 0)

    def _feed(self, data: bytes) -> bytes:
        context, held = self._context, self._held
        if not context and not held:
            if len(data) < _SMALL_BYTES and data[-1:] == b"\n" and not self._may_have_secret(data):
                return data  # most lines: viewers wait for each
            return self._take(data, 0, 0)
        if not held and not self._secrets and has_no_key_after(context, data):
            self._context = (context + data)[-CONTEXT_BYTES:]
            return data
        end = data.find(b"\n") + 1 or len(data)
        base = len(context)
        line = self._take(context + held + data[:end], base, base + self._shown)
        if end == len(data):
            return line
        if line == data[:end]:  # avoids a copy
            return self._take(data, end, 0)
        return line + self._take(data[end:], 0, 0)

    def _take(self, data: bytes, search_from: int, show_from: int) -> bytes:
        """What may be shown of the data, from `show_from`; keep what is needed for the rest."""
        spans = self._find(data, search_from)
        if data[-1:] == b"\n":  # no secret has a newline in it
            self._context, self._held, self._shown = b"", b"", 0
            return replace_spans(data, spans, show_from)

        hold_from = self._hold_from(data, search_from)
        while spans and hold_from < spans[-1][1]:
            hold_from = min(hold_from, spans.pop()[0])
        self._shown = max(0, show_from - hold_from)
        self._held = data[hold_from:]
        self._context = data[max(0, hold_from - CONTEXT_BYTES) : hold_from]
        if spans:
            return replace_spans(data[:hold_from], spans, show_from)
        return data[show_from:hold_from]

    def _may_have_secret(self, data: bytes) -> bool:
        return bool(self._secrets) or (self._keys and may_have_key(data))

    def _may_hold_secret(self, data: bytes) -> bool:
        """As `_may_have_secret`, of a whole text."""
        return any(plain in data for plain in self._secrets) or (
            self._keys and (may_have_key(data) or may_have_private_key(data))
        )

    def _find(self, data: bytes, start: int) -> list[Span]:
        """Where secrets are that begin at `start` or later, in order; they do not overlap."""
        spans: list[Span] = []
        for plain, secrets in self._secrets.items():
            if plain in data:
                spans += [span for secret in secrets for span in _occurrences(data, secret, start)]
        if self._keys:
            spans += find_keys(data, start)
        return join_spans(spans) if len(spans) > 1 else spans

    def _hold_from(self, data: bytes, start: int) -> int:
        """Where the end of the data begins what may become a secret; its size if it does not."""
        size = len(data)
        hold_from = unfinished_key(data, start) if self._keys else size
        for secrets in self._secrets.values():
            for secret in secrets:
                first = max(start, size - len(secret) + 1)
                at = data.find(secret[:1], first)
                while 0 <= at < hold_from:
                    if secret.startswith(data[at:]):
                        hold_from = at
                        break
                    at = data.find(secret[:1], at + 1)
        return hold_from


def _by_plain_part(secrets: list[bytes]) -> dict[bytes, list[bytes]]:
    """The secrets by the longest part that each of their escaped forms has: one search for all."""
    grouped: dict[bytes, list[bytes]] = {}
    for secret in sorted(set(secrets), key=len, reverse=True):
        plain = max(_PLAIN.findall(secret), key=len, default=b"")
        grouped.setdefault(plain if len(plain) >= _MIN_PLAIN_BYTES else secret, []).append(secret)
    return grouped


def _occurrences(data: bytes, secret: bytes, start: int) -> list[Span]:
    spans = []
    at = data.find(secret, start)
    while at >= 0:
        spans.append((at, at + len(secret)))
        at = data.find(secret, at + len(secret))
    return spans
