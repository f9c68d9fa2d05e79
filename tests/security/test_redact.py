"""Secrets are taken out of a stream that may break anywhere."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webapp.log.redact import MARK, Redactor

SECRET = b"correct-horse-battery"
OTHER = b"sss-sss-sss"
KEY = b"sk-ant-api03-" + b"Ab3_" * 10
PEM = b"-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA75\nabc+/=\n"

KEYS = [
    KEY,
    b"sk-proj-" + b"a1B2" * 10,
    b"sk-" + b"a1B2" * 12,
    b"ghp_" + b"a1B2" * 9,
    b"github_pat_" + b"a1B2_" * 12,
    b"glpat-" + b"a1-B_" * 4,
    b"AKIA" + b"IOSFODNN7EXAMPLE",
    b"AIza" + b"Sy-_a" * 7,
    b"xoxb-" + b"1234567890-" * 3 + b"abc",
    b"hf_" + b"aB" * 17,
]

pieces = st.lists(
    st.sampled_from([SECRET, OTHER, KEY, PEM, *(key[:9] for key in KEYS), *KEYS])
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
    assert out.count(MARK) == whole.count(MARK)
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


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key[:6].decode())
def test_well_known_key_is_found_wherever_it_stands(key: bytes) -> None:
    for before, after in ((b"", b""), (b'{"text":"key\\n', b'"}'), (b"export X=", b"\n")):
        assert new_redactor().redact(before + key + after) == before + MARK + after


def test_private_key_is_found_in_lines_and_in_json() -> None:
    redactor = new_redactor()
    assert redactor.redact(PEM + b"-----END") == MARK + b"-----END"
    in_json = PEM.replace(b"\n", b"\\n")
    assert redactor.redact(b'"' + in_json + b'"') == b'"' + MARK + b'"'


@pytest.mark.parametrize(
    "text",
    [
        b"task-management-system-for-large-teams",
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


def test_secret_that_was_begun_before_a_silence_does_not_get_out() -> None:
    redactor = new_redactor()
    assert redactor.feed(SECRET[:2]) + redactor.release() == SECRET[:2]
    assert redactor.feed(SECRET[2:10]) + redactor.release() == b""
    assert redactor.feed(SECRET[10:] + b"!\n") == MARK + b"!\n"
