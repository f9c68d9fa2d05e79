"""Search over a gigabyte of logs, through a real server; and what compression makes of them."""

import json
import random
import secrets
import time
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from tests.bench.agent_output import agent_lines
from tests.bench.report import Figure, median
from tests.log.random_logs import DONE
from tests.search.stored_sessions import NOON_NS, StoredSessions, open_stored
from tests.server import HTTP, Server, running_server
from webapp.keeper.compress import compress_log
from webapp.log.record import format_record

LOG_BYTES = 1_000_000_000
STEPS = 400
QUERIES = {
    "a word in nearly every session": "self",
    "a word that is even more common": "the",
    "two common words": "import self",
    "words in a row": '"def __init__"',
    "words by their beginning": "con*",
    "two of these": "ret* imp*",
    "one without the other": "return NOT self",
    "words that are rarely together": "asyncio greenlet",
    "a word that stands nowhere": "zanzibarbarian",
}
_DEMO_LINES = 40_000


def measure(folder: Path, runs: int) -> list[Figure]:
    """The slowest query is held to the bar."""
    with open_stored(folder) as stored:
        log_bytes = _fill_logs(stored)
        began = time.perf_counter()
        stored.fill()
        fill_seconds = time.perf_counter() - began
        ratios = _ratios(stored)
    index_bytes = (folder / "var" / "search.db").stat().st_size
    group = f"search over {log_bytes / 1e9:.2f} GB of logs"
    with running_server(folder, workers=1, settings={"compress_after_days": 0}) as server:
        figures = [
            Figure(group, name, _milliseconds(server, query, runs), "ms", 200, note=query)
            for name, query in QUERIES.items()
        ]
    figures += [
        Figure(group, "indexing", log_bytes / fill_seconds / 1e6, "MB/s"),
        Figure(group, "index to logs", 100 * index_bytes / log_bytes, "%"),
    ]
    return figures + [
        Figure("compression", name, ratio, ":1", 10, at_least=True)
        for name, ratio in ratios.items()
    ]


def _fill_logs(stored: StoredSessions) -> int:
    size = 0
    while size < LOG_BYTES:
        session_id = stored.add(*agent_lines(stored.count, STEPS), ended_at="2026-09-21T13:00:00Z")
        size += stored.files(session_id).log.stat().st_size
    return size


def _milliseconds(server: Server, query: str, runs: int) -> float:
    """The median of the first page, from asking to having it."""
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        HTTP.get(f"{server.url}/api/search?q={quote(query)}").raise_for_status()
        taken.append((time.perf_counter() - began) * 1000)
    return median(taken)


def _ratios(stored: StoredSessions) -> dict[str, float]:
    """Log bytes to bytes on disk."""
    agents = [_recorded(stored, agent_lines(-number, STEPS)) for number in range(1, 5)]
    demo = (
        json.dumps({"type": "message", "content": f"line {n} of {_DEMO_LINES}\n", "n": n}).encode()
        for n in range(_DEMO_LINES)
    )
    return {
        "a coding agent's log": _ratio(agents),
        "the demo agent's, short lines": _ratio([_recorded(stored, demo)]),
    }


def _recorded(stored: StoredSessions, lines: Iterable[bytes]) -> Path:
    """A log of these lines, some 30 ms apart."""
    path = stored.var / f"{secrets.token_hex(4)}.log"
    clock, time_ns = random.Random(1), NOON_NS
    with path.open("wb") as log:
        for line in lines:
            time_ns += clock.randint(20_000_000, 40_000_000)
            log.write(format_record(time_ns, b"stdout", line))
        log.write(format_record(time_ns, b"system", DONE))
    return path


def _ratio(logs: list[Path]) -> float:
    done = [compress_log(log) for log in logs]
    assert all(done)
    return sum(one.log_bytes for one in done if one) / sum(one.stored_bytes for one in done if one)
