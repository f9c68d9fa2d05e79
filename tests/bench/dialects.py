"""Lines of real agents as frames: read in their dialect, and as they were printed."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.bench.report import Figure, median
from tests.log.dialects.recordings import RECORDINGS, dialect_of, lines_of
from webapp.log.dialects import DIALECTS
from webapp.log.dialects.translate import LOG_DIALECTS
from webapp.log.reader import STEP_BYTES
from webapp.log.record import format_record
from webapp.stream.encode import Encoded, encode_dialect, encode_records

LOG_BYTES = 100_000_000
MINIMUM_SHARE = 100 / 3

Encode = Callable[[bytes, int], Encoded]


def measure(_folder: Path, runs: int) -> list[Figure]:
    """Each dialect's recordings, repeated to LOG_BYTES, in both ways in turn."""
    figures = []
    for name in DIALECTS:
        chunks = _chunks(name)
        translate = LOG_DIALECTS[name].translate
        assert translate is not None
        plain, dialect = [], []
        for _ in range(runs):
            plain.append(_rate(chunks, partial(encode_records, goes_on=False)))
            dialect.append(_rate(chunks, partial(encode_dialect, dialect=translate, goes_on=False)))
        share = 100 * median(dialect) / median(plain)
        group = f"{LOG_BYTES // 1_000_000} MB of {name}'s lines"
        figures += [
            Figure(group, "events a second, as printed", median(plain), "/s"),
            Figure(group, "events a second, in the dialect", median(dialect), "/s"),
            Figure(group, "dialect to plain", share, "%", MINIMUM_SHARE, at_least=True),
        ]
    return figures


def _chunks(dialect: str) -> list[bytes]:
    """The log in the steps in which it is read."""
    recordings = [name for name in RECORDINGS if dialect_of(name) == dialect]
    lines = [line for name in recordings for line in lines_of(name)]
    once = b"".join(format_record(1, b"stdout", line) for line in lines)
    log = once * (LOG_BYTES // len(once))
    chunks, start = [], 0
    while start < len(log):
        end = log.rfind(b"\n", start, start + STEP_BYTES) + 1
        chunks.append(log[start:end])
        start = end
    return chunks


def _rate(chunks: list[bytes], encode: Encode) -> float:
    """Events a second of processor time: nothing here waits."""
    started = time.process_time()
    events = sum(encode(chunk, 0).events for chunk in chunks)
    return events / (time.process_time() - started)
