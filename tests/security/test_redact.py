"""Secrets are taken out of a stream that may break anywhere."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.security import sample_keys
from webapp.log.redact import Redactor
from webapp.log.spans import MARK

SECRET = b"correct-horse-battery"
OTHER = b"sss-sss-sss"
KEY = b"sk-ant-api03-" + b"Ab3_" * 10
PEM = sample_keys.PRIVATE_KEYS["narrow"][:180].encode()
KEYS = [(before + key).encode() for before, key in sample_keys.KEYS.values()]

pieces = st.lists(
    st.sampled_from([SECRET, OTHER, KEY, PEM])
    | st.sampled_from([*(key[:9] for key in KEYS), *(key[9:] for key in KEYS), *KEYS])
    | st.binary(max_size=6)
    | st.sampled_from([b"s", b"sk-", b"correct-", b"-----BEGIN ", b" ", b"\n", b'"', b"A", b"-"]),
    max_size=12,
).map(b"".join)


def new_redactor() -> Redactor:
    return Redactor([SECRET, OTHER], keys=True)


@given(pieces, st.lists(st.integers(1, 30), max_size=60))
@example(KEY + b"\n", [7, 1, 1, 40])
@example(PEM + b"-----END RSA PRIVATE KEY-----\n", [5, 20, 3, 8])
def test_pieces_of_any_size_come_out_as_the_whole_does(data: bytes, sizes: list[int]) -> None:
    redactor, out, rest = new_redactor(), b"", data
    for size in [*sizes, len(data)]:
        out += redactor.feed(rest[:size])
        rest = rest[size:]
    assert out + redactor.finish() == new_redactor().redact(data)


@given(pieces, st.lists(st.integers(1, 12), max_size=80))
@example(SECRET, [1] * 30)
@example(b"sss" + OTHER, [1] * 30)
def test_silences_bring_out_no_more_than_the_first_letters(data: bytes, sizes: list[int]) -> None:
    redactor, out, rest = new_redactor(), b"", data
    for size in [*sizes, len(data)]:
        out += redactor.feed(rest[:size])
        out += redactor.release()
        rest = rest[size:]
    out += redactor.finish()
    whole = new_redactor().redact(data)
    is_end_shown = whole.endswith(MARK) and not out.endswith(MARK)  # as first letters
    assert out.count(MARK) == whole.count(MARK) - is_end_shown
    for secret in (SECRET, OTHER, KEY):
        if data.count(secret) and secret not in whole:
            assert secret not in out


@given(st.binary(max_size=300), st.lists(st.integers(1, 30), max_size=40))
def test_stream_without_secrets_stays_as_it_is(data: bytes, sizes: list[int]) -> None:
    redactor, out, rest = Redactor([b"\xff" * 301], keys=False), b"", data
    for size in [*sizes, len(data)]:
        out += redactor.feed(rest[:size]) + redactor.release()
        rest = rest[size:]
    assert out + redactor.finish() == data


AROUND = (
    ("", ""),
    ('{"text":"key\\n', '"}'),
    ("export X=", "\n"),
    ("Bearer ", "\r\n"),
    ("-", "\n"),
    ("> ", " "),
    ("\x1b[01;31m\x1b[K", "\x1b[m\x1b[K"),
    ("https://example.org/?next=%3D", "&more=1"),
    (".env-12-", "\n"),
    ('{\\"a\\":\\"\\u001b[1m', '\\"}'),
)
"""What may be right before and after a key."""


def text_with_key(name: str, around: tuple[str, str]) -> tuple[bytes, bytes]:
    """A text with a sample key, and what is to become of it."""
    context, key = sample_keys.KEYS[name]
    before, after = around
    if context and before:
        before += " "  # it begins a word itself
    whole, clean = before + context + key + after, before + context + MARK.decode() + after
    return whole.encode(), clean.encode()


def test_key_is_found_wherever_it_is_and_wherever_it_is_cut() -> None:
    for name in sample_keys.KEYS:
        for number, around in enumerate(AROUND):
            text, clean = text_with_key(name, around)
            assert new_redactor().redact(text) == clean, name
            for end in range(number, len(text), len(AROUND)):
                redactor = new_redactor()
                out = redactor.feed(text[:end]) + redactor.feed(text[end:]) + redactor.finish()
                assert out == clean, (name, end)


def test_silence_inside_a_key_brings_out_no_more_than_a_few_letters() -> None:
    for name, (_context, key) in sample_keys.KEYS.items():
        text, clean = text_with_key(name, ("key: ", "\n"))
        for end in range(len(text) + 1):
            redactor = new_redactor()
            assert redactor.feed(text[:end]) + redactor.feed(text[end:]) == clean, (name, end)
            out = redactor.feed(text[:end]) + redactor.release()
            out += redactor.feed(text[end:]) + redactor.finish()
            assert MARK in out, (name, end)
            shown = [at for at in range(len(key) - 3) if key[at : at + 4].encode() in out]
            assert shown == [], (name, end)


@pytest.mark.parametrize(
    "text",
    [
        b"task-management-system-for-large-teams",
        b"task-3f2c1d9e8b7a6f5e4d3c2b1a0f9e8d7c disk-5d41402abc4b2a76b9719d911017c592",
        b"dist/locales/sk-5d41402abc4b2a76b9719d911017c592.js",
        b"toolu_01AbCdEfGhIjKlMnOpQrStUv call_AbCdEfGhIjKlMnOpQrStUvWx chatcmpl-AbCdEfGhIjKlMnOp",
        b"sha512-LMYwb4TP6GWWCvMmGZSEgTVDbmHyaGSuYS1hT2LmVFzYmDGZZGTn+bQN2pSnuUPXKbnQYhA==",
        b"data:application/json;base64,eyJ2ZXJzaW9uIjozLCJzb3VyY2VzIjpbImEuanMiXSwibmFtZXMiOltdfQ==",
        b"https://example.org/a/3f2c1d9e-8b7a-4f5e-8d3c-2b1a0f9e8d7c?etag=5d41402abc4b2a76b9719d91",
        b"MyVeryLongIdentifierOfSomething.method.another_very_long_identifier_of_something",
        b"sk-short",
        b"https://example.org/a_very_long_path-with-many-words/and_more",
        b"0123456789abcdef0123456789abcdef01234567",
        b"AKIAnotakeyatall AIzashort ghp_short",
        b"x" * 100_000,
        b"-----BEGIN CERTIFICATE-----\nMIIEpAIBAAKCAQEA75",
    ],
)
def test_innocent_text_stays_and_is_not_held_up(text: bytes) -> None:
    redactor = new_redactor()
    assert redactor.feed(text + b"\n") == text + b"\n"


def test_end_of_a_word_is_shown_after_a_silence() -> None:
    redactor = new_redactor()
    assert redactor.feed(b"Continue with these files") == b"Continue with these file"
    assert redactor.is_holding
    assert redactor.release() == b"s"
    assert not redactor.is_holding
    assert redactor.feed(b"? ") == b"? "


def test_only_the_beginning_of_a_word_may_begin_a_key() -> None:
    redactor = Redactor([], keys=True)
    assert redactor.feed(b"Continue with these files") == b"Continue with these files"
    assert redactor.feed(b" or s") == b" or "
    assert redactor.is_holding
    assert redactor.release() == b"s"
    assert redactor.feed(b"ome? ") == b"ome? "


def test_secret_that_was_begun_before_a_silence_does_not_get_out() -> None:
    redactor = new_redactor()
    assert redactor.feed(SECRET[:2]) + redactor.release() == SECRET[:2]
    assert redactor.feed(SECRET[2:10]) + redactor.release() == b""
    assert redactor.feed(SECRET[10:] + b"!\n") == MARK + b"!\n"


@pytest.mark.parametrize(
    "text",
    [
        b"sk-ant-",
        b"eyJhbGciOi.",
        b"xoxd-",
        b"AccountKey=",
        b"-----BEGIN PRIVATE KEY----- ",
        b"-----BEGIN PRIVATE KEY-----\\n",
    ],
)
@pytest.mark.parametrize("is_stream", [False, True])
def test_text_that_may_be_many_keys_takes_the_time_of_its_length(
    text: bytes, *, is_stream: bool
) -> None:
    def seconds(size: int) -> float:
        redactor, data = new_redactor(), text * (size // len(text))
        began = time.process_time()
        if is_stream:
            redactor.feed(data)
            redactor.finish()
        else:
            redactor.redact(data)
        return time.process_time() - began

    assert seconds(16 * 8192) < 64 * seconds(8192) + 0.1
