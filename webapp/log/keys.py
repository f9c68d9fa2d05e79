"""Find well-known API keys in a text, fast: an agent may print hundreds of megabytes a second."""

import re
from collections.abc import Iterable

from webapp.log.key_shapes import (
    AFTER,
    CONTEXT_MARKS,
    CONTEXTS,
    DISCORD_SECONDS,
    ENTRA,
    LONG_STARTS,
    SHAPES,
)
from webapp.log.spans import Span

_MAX_TOKEN_BYTES = 420
_MAX_LONG_TOKEN_BYTES = 9100
_TOKEN_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+/%.=~:"

# To look for shapes everywhere would cost most of what a runner can take. A key is in a run of at
# least this many letters; those are found at 2 GB/s, and only where words begin in them is tried.
_RUN_LETTERS = _TOKEN_LETTERS[:-4]
_TO_RUNS = bytes(ord("w") if byte in _RUN_LETTERS else ord(".") for byte in range(256))
_RUN = b"w" * 20
_LONG_RUN_BYTES = 40
_BEFORE_LONG_RUN = b"=\"'`>: .,\\"
_MARK_BYTES = 64


def _any(patterns: Iterable[bytes]) -> bytes:
    return b"(?:" + b"|".join(patterns) + b")"


def _starts(starts: bytes) -> bytes:
    return _any(re.escape(start) for start in starts.split())


_LITERALS = [start for _before, starts, _rest, _unfinished in SHAPES for start in starts.split()]
_PREFIXES = {literal[:end] for literal in _LITERALS for end in range(1, len(literal))}
_MAX_PREFIX_BYTES = max(map(len, _PREFIXES))
_FIRST_TWO = {literal[:2] for literal in _LITERALS if len(literal) > 1}
_FIRST_TWO |= {literal + second for literal in (b"M", b"N", b"O") for second in DISCORD_SECONDS}
_FIRSTS, _SECONDS = (
    b"".join(sorted({two[index : index + 1] for two in _FIRST_TWO})) for index in (0, 1)
)

_KEY = re.compile(
    _any(before + _starts(starts) + rest for before, starts, rest, _unfinished in SHAPES)
)
_AFTER = re.compile(_any(before + key for before, key, _unfinished in AFTER))
_CONTEXT = re.compile(_any(b"%s(%s)" % (before, key) for before, key, _unfinished in CONTEXTS))
_ENTRA = re.compile(ENTRA[0] + ENTRA[1])

# A word begins after punctuation, or where an escape ends: `\n` and `\u001b` of JSON, `%3D` of an
# address, `ESC[31m` of a terminal.
_NEXT_WORD = re.compile(b"[-/+](?=[%s][%s])" % (_FIRSTS, _SECONDS))
_ENCODED = re.compile(b"%%[0-9A-Fa-f]{2}(?=[%s][%s])" % (_FIRSTS, _SECONDS))
_ESCAPE_REST = re.compile(
    rb"(?<=\\)(?:[abfnrtv]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|0[0-7]{2})|(?<=[\[;])[0-9]*[mK]"
)
_BOUNDARY = (
    rb"(?:(?<![A-Za-z0-9_])|(?<=\\[abfnrtv])|(?<=\\x[0-9a-fA-F]{2})|(?<=\\u[0-9a-fA-F]{4})"
    rb"|(?<=\\0[0-7]{2})|(?<=%[0-9a-fA-F]{2})|(?<=[\[;0-9][mK]))"
)
_AT_BOUNDARY = re.compile(_BOUNDARY)

_UNFINISHED_KEY = re.compile(
    _any(
        (
            _BOUNDARY
            + _any(_starts(starts) + unfinished for _before, starts, _rest, unfinished in SHAPES),
            *(before + unfinished for before, _key, unfinished in (*AFTER, ENTRA)),
        )
    )
    + rb"\Z"
)
_UNFINISHED_CONTEXT = re.compile(
    _any(b"%s(%s)" % (before, unfinished) for before, _key, unfinished in CONTEXTS) + rb"\Z"
)
_UNFINISHED_CONTEXT_BYTES = 300


def may_have_key(data: bytes) -> bool:
    """Whether to look for keys at all: costs next to nothing for a line."""
    return len(data) >= len(_RUN) and (_RUN in data.translate(_TO_RUNS) or b"~" in data)


def has_no_key_after(context: bytes, data: bytes) -> bool:
    """Whether a piece of a line is a few words, neither in nor before a key."""
    return (
        len(data) < len(_RUN)
        and data[-1:] not in _TOKEN_LETTERS
        and context[-1:] not in _TOKEN_LETTERS
        and data[-1:] != b"\n"
    )


def find_keys(data: bytes, start: int) -> list[Span]:
    """Where keys are that begin at `start` or later; in no order, and they may overlap."""
    if not _has_letters_of_keys(data):
        return []
    spans: list[Span] = []
    words: list[int] = []
    runs = data.translate(_TO_RUNS)
    at = runs.find(_RUN)
    while at >= 0:
        end = runs.find(b".", at)
        end = len(data) if end < 0 else end
        if data[at : at + 2] in _FIRST_TWO:
            words.append(at)
        word = _NEXT_WORD.search(data, at, end)
        while word:
            words.append(word.end())
            word = _NEXT_WORD.search(data, word.end(), end)
        if data.find(b"%", at, end) >= 0:
            words += [encoded.end() for encoded in _ENCODED.finditer(data, at, end)]

        before = data[at - 1] if at else 0
        if before in b"\\[;" and (escape := _ESCAPE_REST.match(data, at)):
            words.append(escape.end())
        elif before in b"./:" and (found := _AFTER.match(data, at)):
            spans.append(found.span())
        if end - at >= _LONG_RUN_BYTES and before in _BEFORE_LONG_RUN:
            spans += _keys_in_context(data, at, end)
        at = runs.find(_RUN, end)

    tilde = data.find(b"~")
    while tilde >= 0:
        if found := _ENTRA.match(data, tilde + 1):
            spans.append(found.span())
        tilde = data.find(b"~", tilde + 1)
    spans += [found.span() for word in words if (found := _KEY.match(data, word))]
    return [span for span in spans if span[0] >= start] if spans else spans


def _has_letters_of_keys(data: bytes) -> bool:
    """Whether a letter is there that each shape has: to look for one costs next to nothing."""
    return (
        b"-" in data
        or b"_" in data
        or b"A" in data
        or b"." in data
        or b"/" in data
        or b"K" in data
        or b"~" in data
        or b"%" in data
        or b"p" in data
    )


def _keys_in_context(data: bytes, at: int, end: int) -> list[Span]:
    first = max(0, at - _MARK_BYTES)
    before = data[first : at + _MARK_BYTES]
    if not any(mark in before for mark in CONTEXT_MARKS):
        return []
    found = _CONTEXT.finditer(data, first, end + 3)
    return [match.span(match.lastindex or 0) for match in found]


def unfinished_key(data: bytes, start: int) -> int:
    """Where the end of the data begins what may become a key, not before `start`; else its size."""
    size = len(data)
    if data[-1:] not in _TOKEN_LETTERS:
        return size
    hold_from = _unfinished_context(data, start)
    tail = data[-_MAX_TOKEN_BYTES:]
    first = max(start, size - len(tail) + len(tail.rstrip(_TOKEN_LETTERS)))
    if found := _UNFINISHED_KEY.search(data, first):
        hold_from = min(hold_from, found.start())
    elif size > _MAX_TOKEN_BYTES and first == size - _MAX_TOKEN_BYTES:
        hold_from = min(hold_from, _unfinished_long_key(data, start))
    for at in range(max(first, size - _MAX_PREFIX_BYTES), min(size, hold_from)):
        if data[at:] in _PREFIXES and _AT_BOUNDARY.match(data, at):
            return at
    return hold_from


def _unfinished_long_key(data: bytes, start: int) -> int:
    first = max(start, len(data) - _MAX_LONG_TOKEN_BYTES)
    for literal in LONG_STARTS:
        at = data.find(literal, first)
        while at >= 0:
            if _UNFINISHED_KEY.match(data, at):
                return at
            at = data.find(literal, at + 1)
    return len(data)


def _unfinished_context(data: bytes, start: int) -> int:
    tail = data[-_UNFINISHED_CONTEXT_BYTES:]
    if not any(mark in tail for mark in CONTEXT_MARKS):
        return len(data)
    found = _UNFINISHED_CONTEXT.search(tail)
    if found is None:
        return len(data)
    return max(start, len(data) - len(tail) + found.start(found.lastindex or 0))
