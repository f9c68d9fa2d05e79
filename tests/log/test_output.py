"""An agent's own bytes, out of the records of its log."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.log import random_logs
from tests.log.random_logs import open_file
from webapp.log.output import read_output
from webapp.log.record import format_record
from webapp.runner.pump import Pump

lines = st.lists(random_logs.any_bytes, max_size=8).map(b"\n".join)


def done(*without_newline: str) -> bytes:
    """The last record, which may note streams that ended without a newline."""
    facts: dict[str, object] = {"type": "done", "exitCode": 0}
    if without_newline:
        facts["noNewline"] = list(without_newline)
    return format_record(9, b"system", json.dumps(facts).encode())


def output(log: bytes, stream: str = "stdout", end: int | None = None) -> bytes:
    """All of a stream."""
    with open_file(log) as opened:
        return b"".join(read_output(opened, stream, len(log) if end is None else end))


OUT, PART = format_record(1, b"stdout", b"out"), format_record(2, b"stdout", b"> ", b"P")
ERROR = format_record(3, b"stderr", b"err")
TRUNCATED = format_record(4, b"system", b'{"type":"truncated","maxLogBytes":7}')


@pytest.mark.parametrize(
    ("log", "stdout", "stderr"),
    [
        (b"", b"", b""),
        (OUT, b"out\n", b""),
        (OUT + ERROR + OUT, b"out\nout\n", b"err\n"),
        (PART + ERROR + OUT, b"> out\n", b"err\n"),
        (OUT + PART, b"out\n> ", b""),
        (OUT + ERROR + done(), b"out\n", b"err\n"),
        (OUT + ERROR + done("stdout"), b"out", b"err\n"),
        (OUT + ERROR + done("stderr"), b"out\n", b"err"),
        (OUT + PART + done("stdout"), b"out\n> ", b""),
        (OUT + TRUNCATED + done("stdout"), b"out\n", b""),
        (OUT + b"corrupt\n" + OUT, b"out\nout\n", b""),
        (OUT + format_record(1, b"system", b"[]") + OUT[:-1], b"out\n", b""),
        (OUT + format_record(1, b"stdin", b"in"), b"out\n", b""),
        (format_record(1, b"stdout", done("stdout")[:-1]) + OUT, done("stdout") + b"out\n", b""),
    ],
)
def test_stream_is_what_the_agent_printed_to_it(log: bytes, stdout: bytes, stderr: bytes) -> None:
    assert (output(log), output(log, "stderr")) == (stdout, stderr)


def test_what_comes_after_the_end_that_was_seen_is_left_out() -> None:
    for end in range(len(OUT), 2 * len(OUT)):
        assert output(OUT + OUT, end=end) == b"out\n"
    assert output(OUT + OUT, end=len(OUT) - 1) == b""


@given(lines, lines, st.integers(1, 100), st.integers(1, 40), st.booleans())
def test_pump_and_output_are_each_others_inverse(
    out: bytes, errors: bytes, step: int, max_line_bytes: int, is_quiet: bool
) -> None:
    pumps = [(Pump(b"stdout", max_line_bytes), out), (Pump(b"stderr", max_line_bytes), errors)]
    log = b""
    for at in range(0, max(len(out), len(errors)), step):
        for pump, printed in pumps:
            log += pump.feed(printed[at : at + step], 1)
            if is_quiet and pump.is_showable:
                log += pump.show_pending(1)
    log += b"".join(pump.finish(1) for pump, _printed in pumps)
    log += done(*(pump.stream.decode() for pump, _ in pumps if pump.ended_without_newline))
    assert output(log) == out
    assert output(log, "stderr") == errors


def test_long_log_is_read_in_pieces() -> None:
    log = OUT * 100_000
    with open_file(log) as opened:
        pieces = list(read_output(opened, "stdout", len(log)))
    assert b"".join(pieces) == b"out\n" * 100_000
    assert max(map(len, pieces)) < 256 * 1024
