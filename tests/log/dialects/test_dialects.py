"""Which dialect a log is in, and what holds in all of them."""

import json

import pytest
from hypothesis import given

from tests.log import random_logs
from tests.log.random_logs import open_file
from webapp.agents.profiles import BUILT_IN
from webapp.log.dialects import DIALECTS
from webapp.log.dialects.translate import AS_PRINTED, LOG_DIALECTS, Translate, read_dialect
from webapp.log.events import parse_events
from webapp.log.json_line import RESERVED_NAMES
from webapp.log.record import format_record
from webapp.settings import load_settings

LINE = format_record(1, b"stdout", b'{"type":"assistant"}')


@pytest.mark.parametrize(
    ("first", "name"),
    [
        (b'{"type":"session","sessionId":"s","dialect":"claude"}', "claude"),
        (b'{"type":"session","dialect":"codex","x":' + b'"y"' * 1 + b"}", "codex"),
        (b'{"type":"session","dialect":"codex","argv":["' + b"x" * 10_000 + b'"]}', "codex"),
        (b'{"type":"session","sessionId":"s"}', None),
        (b'{"type":"session","dialect":null}', None),
        (b'{"type":"session","dialect":"klingon"}', None),
        (b'{"type":"notice","dialect":"claude"}', None),
        (b"broken", None),
    ],
)
def test_first_record_names_the_dialect(first: bytes, name: str | None) -> None:
    with open_file(format_record(1, b"system", first) + LINE) as log:
        assert read_dialect(log) is LOG_DIALECTS.get(name or "", AS_PRINTED)


def test_first_record_says_that_messages_are_pieces() -> None:
    first = format_record(1, b"system", b'{"type":"session","messages":"pieces"}')
    texts = [
        b'{"type":"message","content":"a"}',
        b'{ "type":"message","content":"\\ud83d"}',
        b'{"type":"message","content":"b","partial":false}',
        b'{"type":"usage","inputTokens":1}',
        b"message",
    ]
    log = first + b"".join(format_record(1, b"stdout", text) for text in texts)
    with open_file(log) as opened:
        translate = read_dialect(opened).translate
    events = parse_events(log, 0, is_continuation=False, dialect=translate)
    assert [(event.name, json.loads(event.data)) for event in events][1:] == [
        ("message", {"partial": True, "type": "message", "content": "a"}),
        ("message", {"partial": True, "type": "message", "content": "\ud83d"}),
        ("message", {"type": "message", "content": "b", "partial": False}),
        ("usage", {"type": "usage", "inputTokens": 1}),
        ("message", {"content": "message"}),
    ]


@pytest.mark.parametrize("content", [b"", b"no record\n", b"2026", LINE])
def test_log_that_does_not_begin_so_has_none(content: bytes) -> None:
    with open_file(content) as log:
        assert read_dialect(log) is AS_PRINTED


def test_agent_cannot_choose_it() -> None:
    first = format_record(1, b"stdout", b'{"type":"session","dialect":"claude"}')
    with open_file(first) as log:
        assert read_dialect(log) is AS_PRINTED


def test_settings_take_every_dialect_and_the_profiles_have_theirs() -> None:
    assert {profile.dialect for profile in BUILT_IN.values()} - {None} == set(DIALECTS)
    assert {profile.dialect for profile in load_settings({}).agents.values()} - {None} == set(
        DIALECTS
    )


@given(random_logs.live_logs, random_logs.dialects)
def test_every_record_says_something_and_none_speaks_for_the_server(
    log: bytes, dialect: Translate | None
) -> None:
    plain = list(parse_events(log, 0, is_continuation=False))
    events = list(parse_events(log, 0, is_continuation=False, dialect=dialect))
    assert [event for event in events if not event.seen] != [] or not plain
    assert [event.offset for event in events if not event.seen] == [one.offset for one in plain]
    for event in events:
        json.loads(event.data)
        assert not {"\r", "\n"} & set(event.data + event.name)
        if event.stream == "stdout":
            assert event.name not in RESERVED_NAMES
    ids = [event.id for event in events]
    assert ids == sorted(set(ids))
