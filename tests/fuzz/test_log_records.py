"""The log record parser: any line, any log."""

import json
import re

from hypothesis import strategies as st

from tests.fuzz.budget import fuzz, mutated, mutations
from tests.fuzz.logs import logs, noise
from tests.log import random_logs
from webapp.log.events import parse_events
from webapp.log.json_line import RESERVED_NAMES
from webapp.log.record import format_time, parse_record, parse_time

EVENT_NAME = re.compile("[A-Za-z][A-Za-z0-9_.:-]{0,63}")
whole_lines = random_logs.records.map(lambda record: record[:-1])


def test_any_line_is_a_record_or_none() -> None:
    def check(line: bytes) -> None:
        line = line.replace(b"\n", b"")
        record = parse_record(line)
        if record is not None:
            tag = b"P" if record.partial else b"F"
            made = b" ".join((record.time.encode(), record.stream, tag, record.content))
            assert made == line

    fuzz(check, noise | whole_lines | st.builds(mutated, whole_lines, mutations), share=0.4)


def test_any_time_is_a_time_or_none() -> None:
    def check(line: bytes) -> None:
        record = parse_record(line.replace(b"\n", b""))
        if record is None:
            return
        try:
            told = parse_time(record.time)
        except ValueError:
            return
        assert format_time(told).decode() == record.time

    digits = st.integers(0, 99_999_999_999_999_999_999_999).map("{:023d}".format)
    lines = digits.map(
        lambda d: (
            f"{d[:4]}-{d[4:6]}-{d[6:8]}T{d[8:10]}:{d[10:12]}:{d[12:14]}.{d[14:]}Z stdout F x"
        ).encode()
    )
    fuzz(check, lines, share=0.1)


def test_any_log_is_a_sequence_of_json_events() -> None:
    def check(log: bytes) -> None:
        whole = log[: log.rfind(b"\n") + 1]
        last = 0
        for event in parse_events(whole, 0, is_continuation=False):
            assert last < event.offset <= len(whole)
            assert whole[event.offset - 1 : event.offset] == b"\n"
            assert "\n" not in event.data
            assert "\r" not in event.data
            json.loads(event.data)
            assert EVENT_NAME.fullmatch(event.name)
            if event.stream == "stdout":
                assert event.name not in RESERVED_NAMES
            last = event.offset
        assert last == len(whole)

    fuzz(check, logs, share=0.5)
