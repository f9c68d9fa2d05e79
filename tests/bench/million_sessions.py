"""A table of a million sessions: its lists, one session, an invoke beside an empty table."""

import json
import random
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pysqlite3

from tests.bench.invoke import ONE_LINE, invoke_once
from tests.bench.report import Figure, median
from tests.bench.sessions import bench_server
from tests.server import HTTP, Server
from webapp.search.fill import Filler
from webapp.search.index import FILE_NAME as INDEX_NAME
from webapp.search.index import SearchIndex
from webapp.store.engine import FILE_NAME, REVISION, open_migrated
from webapp.store.migrate import migrate

SESSIONS = 1_000_000
WORKFLOWS = 20_000
STEP_MS = 60_000
START_MS = 1_700_000_000_000
REQUESTS = 20
PART_REQUESTS = 3
PAGE = 50
INVOKES = 60
LS_RUNS = 9

_RARE = (
    "rare words",
    "no such words",
    "words, status and agent",
    "common words and agent that never meet",
    "huge workflow and agent that hardly meet",
)
_HUGE = f"workflow-{START_MS:013d}-{0:012d}"
"""Has three of ten sessions."""
_STATUSES = {"succeeded": 80, "failed": 15, "cancelled": 3, "timed_out": 1.9, "lost": 0.1}
_AGENTS = {"demo": 60, "claude": 30, "codex": 9.99, "rare": 0.01}
_WORDS = [f"{verb} {noun}" for verb in ("fix", "read", "write") for noun in ("tests", "docs", "it")]
_SESSION_SQL = (
    "INSERT INTO sessions (id, workflow_id, stage_index, agent, argv, host, log_path, status,"
    " exit_code, error, log_bytes, created_at, started_at, ended_at, pid, runner_pid)"
    " VALUES (?, ?, 0, ?, '[\"demo\"]', 'bench', ?, ?, ?, ?, ?, ?, ?, ?, 1, 1)"
)
_MESSAGE_SQL = (
    "INSERT INTO messages (workflow_id, stage_index, session_id, role, content, created_at)"
    " VALUES (?, 0, ?, 'user', ?, ?)"
)


def measure(folder: Path, runs: int) -> list[Figure]:
    """Each list and each invoke as a client has it; an empty table beside the full one."""
    full = full_folder()
    with bench_server(full, {"line": ONE_LINE}) as server:
        filters, sorts, texts = (
            _list_all(server, each) for each in (_filters(), _sorts(), _texts())
        )
        mixes = {name: _parts(server, query) for name, query in _mixes().items()}
        get_ms = median(_request_ms(server, _get_path()))
        counts_ms = median(_request_ms(server, "/api/sessions/counts"))
        with bench_server(folder, {"line": ONE_LINE}) as empty:
            ratio = _invoke_ratio(server, empty, runs)
            ls_ms, mixed_ls_ms = _ls_ms(server, empty, _LS), _ls_ms(server, empty, _MIXED_LS)
    group = f"{SESSIONS:,} sessions"
    part_ms = {name: parts.slowest_ms for name, parts in mixes.items()}
    in_parts = [name for name, parts in mixes.items() if parts.requests > 1]
    most = max(mixes, key=lambda name: mixes[name].requests)
    longest = max(mixes, key=lambda name: mixes[name].total_ms)
    return [
        Figure(group, "first page", sorts["newest"], "ms", 50),
        _slowest(group, "one filter, the slowest", filters),
        _slowest(group, "one sort, the slowest", sorts),
        _slowest(group, "one text, the slowest", texts),
        _slowest(group, "a mix, the slowest page or part", part_ms),
        _slowest(
            group,
            "rare words, and filters that hardly meet, the slowest page or part",
            {name: ms for name, ms in (texts | part_ms).items() if name in _RARE},
        ),
        Figure(
            group,
            f"of {len(mixes)} mixes, those found in parts",
            len(in_parts),
            "",
            note=f"{mixes[most].requests} parts: {most}",
        ),
        Figure(group, "a mix, all parts of its page", mixes[longest].total_ms, "ms", note=longest),
        Figure(group, "counts by status", counts_ms, "ms", 50),
        Figure(group, "session.get", get_ms, "ms", 2),
        Figure(group, "agent-stream ls, more than of an empty table", ls_ms, "ms", 50),
        Figure(group, "the same of filters that hardly meet, all parts", mixed_ls_ms, "ms"),
        Figure(group, "invoke, beside an empty table", ratio, "x", 1.2),
    ]


def _slowest(group: str, name: str, measured: dict[str, float]) -> Figure:
    slowest = max(measured, key=lambda one: measured[one])
    return Figure(group, name, measured[slowest], "ms", 50, note=slowest)


Queries = dict[str, dict[str, str]]
_FIRST_ID = f"session-{START_MS + 5 * STEP_MS}"
_DAY_OF = {"from": 9_000, "to": 10_440}


def _sorts() -> Queries:
    return {sort: {"sort": sort} for sort in ("newest", "oldest", "longest", "largest")}


def _filters() -> Queries:
    """Each filter alone, rare matches and none among them; each page is to be whole."""
    day = {name: _iso(START_MS + at * STEP_MS) for name, at in _DAY_OF.items()}
    return {
        **{f"status {status}": {"status": status} for status in (*_STATUSES, "running")},
        **{f"agent {agent}": {"agent": agent} for agent in (*_AGENTS, "nobody")},
        "statuses": {"status": "failed,timed_out,lost"},
        "agents": {"agent": "codex,rare"},
        "workflow": {"workflowId": _workflow_id(77)},
        "huge workflow": {"workflowId": _HUGE},
        "no such workflow": {"workflowId": "workflow-1"},
        "day": day,
        "from": {"from": day["from"]},
        "to": {"to": day["to"]},
        "half": {"from": _iso(START_MS + SESSIONS // 2 * STEP_MS)},
    }


def _texts() -> Queries:
    """Each kind of text alone; each page is to be whole."""
    texts = {
        "common words": "fix tests",
        "rare words": "needle",
        "no such words": "never said",
        "error": "it broke at step",
        "one error": "at step 990003",
        "request id": "REQ-19999",
        "beginning of a request id": "REQ-77",
        "id": _session_id(5),
        "beginning of an id": _FIRST_ID,
        "workflow id": _workflow_id(77),
        "huge workflow's id": _HUGE,
        "common letters": "it",
        "digits that are in many ids": "9919",
        "long text": "fix tests " * 25,
    }
    return {name: {"text": text} for name, text in texts.items()}


def _mixes() -> Queries:
    """Filters of all kinds together, in each order; and texts that are found in parts."""
    filters = _filters()
    day, late = filters["day"], filters["half"]
    facts = {"status": "failed", "agent": "claude", "workflowId": _HUGE}
    queries: Queries = {
        "agent and status": {"agent": "rare", "status": "lost"},
        "huge workflow and status": {"workflowId": _HUGE, "status": "lost"},
        "huge workflow and agent": {"workflowId": _HUGE, "agent": "rare"},
        "day and status": day | {"status": "lost"},
        "half and agent": late | {"agent": "rare"},
        "words, status and agent": {"text": "needle", "status": "failed", "agent": "claude"},
        "common words and status": {"text": "fix tests", "status": "failed"},
        "common words and rare status": {"text": "fix tests", "status": "cancelled"},
        "common words, huge workflow": {"text": "fix tests", "workflowId": _HUGE},
        "common words, three facts": {"text": "fix tests"} | facts,
        "common words and agent that never meet": {"text": "write docs", "agent": "codex"},
        "huge workflow and agent that hardly meet": {"workflowId": _HUGE, "agent": "codex"},
        "rare letters": {"text": "zq"},
    }
    sorts = _sorts()
    sorted_ones = (_filters() | _texts() | queries).items()
    return queries | {
        f"{name}, {sort}": query | sorts[sort]
        for name, query in sorted_ones
        for sort in ("oldest", "longest", "largest")
    }


def _list_all(server: Server, queries: Queries) -> dict[str, float]:
    return {
        name: median(_request_ms(server, _list_path(query), is_whole=True))
        for name, query in queries.items()
    }


def _list_path(query: dict[str, str]) -> str:
    return "/api/sessions?" + urlencode(query | {"include": "titles"})


class _Parts(NamedTuple):
    """How a page came together."""

    requests: int
    slowest_ms: float
    total_ms: float


def _parts(server: Server, query: dict[str, str]) -> _Parts:
    """Ask for the rest of a page as long as it is incomplete, as the web page does."""
    found = 0
    times: list[float] = []
    cursor: dict[str, str] = {}
    while found < PAGE:
        path = _list_path(query | cursor)
        runs = REQUESTS if not times else PART_REQUESTS
        times.append(median(_request_ms(server, path, runs=runs)))
        page = HTTP.get(server.url + path).json()
        found += len(page["sessions"])
        if not page.get("incomplete"):
            break
        cursor = {"cursor": page["nextCursor"]}
    return _Parts(len(times), max(times), sum(times))


def _get_path() -> str:
    session_id = _session_id(SESSIONS // 2)
    return "/api/trpc/session.get?" + urlencode({"input": json.dumps({"sessionId": session_id})})


def _request_ms(
    server: Server, path: str, *, is_whole: bool = False, runs: int = REQUESTS
) -> list[float]:
    """From a request to its last byte, on one connection; the first one warms up."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
    measured = []
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        for _ in range(runs + 1):
            started = time.perf_counter()
            client.sendall(request)
            answer = b""
            while not _has_ended(answer):
                answer += client.recv(1 << 20)
            measured.append((time.perf_counter() - started) * 1e3)
            assert answer.startswith(b"HTTP/1.1 200"), answer[:400]
            assert not (is_whole and b'"incomplete"' in answer), path
    return measured[1:]


def _has_ended(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    _, found, length = head.lower().partition(b"content-length: ")
    return bool(found) and len(body) >= int(length.split(b"\r\n")[0])


def _invoke_ratio(full: Server, empty: Server, runs: int) -> float:
    """In turn, so that what else the machine does meanwhile falls on both."""
    measured: dict[Server, list[float]] = {full: [], empty: []}
    workflows = {server: server.create_workflow() for server in (full, empty)}
    for server in (full, empty) * (INVOKES * runs):
        measured[server].append(invoke_once(server, workflows[server]))
    return median(measured[full]) / median(measured[empty])


_LS = ["--text", "needle"]
_MIXED_LS = ["--text", "write docs", "--agent", "codex,rare", "--status", "succeeded,lost"]


def _ls_ms(full: Server, empty: Server, wanted: list[str]) -> float:
    """How much more of a processor's time the command takes: nearly all of it is its start."""
    command = [sys.executable, "-m", "webapp.cli", "ls", *wanted]
    measured: dict[Server, list[float]] = {full: [], empty: []}
    for server in (full, empty) * LS_RUNS:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            command, cwd=server.folder, env=server.environment, check=True, capture_output=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        measured[server].append(used * 1e3)
    return median(measured[full]) - median(measured[empty])


# --- the table ------------------------------------------------------------------------


def full_folder() -> Path:
    """A folder whose `var` has the table; made once, and found again by later runs."""
    folder = Path(tempfile.gettempdir()) / f"agent-stream-bench-million-{REVISION}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="bench-") as unfinished:
            _fill(Path(unfinished) / "made" / "var")
            (Path(unfinished) / "made").rename(folder)
    return folder


def _fill(var: Path) -> None:
    migrate(var)
    connection = pysqlite3.connect(var / FILE_NAME, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO workflows VALUES (?, ?, 'chat', 'active', 0, ?, ?)",
        (
            (_workflow_id(at), f"REQ-{at}", _iso(START_MS + at), _iso(START_MS + at))
            for at in range(WORKFLOWS)
        ),
    )
    connection.executemany(_SESSION_SQL, _sessions())
    connection.executemany(
        _MESSAGE_SQL,
        (
            (_HUGE, _session_id(at), _words(at), _iso(START_MS + at * STEP_MS))
            for at in range(SESSIONS)
        ),
    )
    connection.execute("COMMIT")
    connection.close()
    database, index = open_migrated(var), SearchIndex(var)
    for _ in Filler(database, var, index).learn():
        pass
    index.close()
    database.close()
    connection = pysqlite3.connect(var / INDEX_NAME, isolation_level=None)
    connection.execute("UPDATE sessions SET is_done = 1")  # they have no logs
    connection.close()


def _sessions() -> Iterator[tuple[Any, ...]]:
    chance = random.Random(1)
    statuses = chance.choices(list(_STATUSES), list(_STATUSES.values()), k=SESSIONS)
    agents = chance.choices(list(_AGENTS), list(_AGENTS.values()), k=SESSIONS)
    for at, (status, agent) in enumerate(zip(statuses, agents, strict=True)):
        session_id, made_ms = _session_id(at), START_MS + at * STEP_MS
        if agent == "codex" and _words(at) == "write docs":
            agent = "demo"
        is_in_huge = chance.random() < 0.3 and (agent != "codex" or at % 1_000 == 0)
        workflow_id = _HUGE if is_in_huge else _workflow_id(at % WORKFLOWS)
        log_path = f"sessions/2026-01-01/{session_id}/output.log"
        exit_code = 0 if status == "succeeded" else 1
        ran_ms, size = int(chance.expovariate(1 / 60_000)), int(chance.expovariate(1 / 50_000))
        times = (_iso(made_ms), _iso(made_ms + 5), _iso(made_ms + 5 + ran_ms))
        error = f"it broke at step {at}" if at % 10_000 == 3 else None
        yield session_id, workflow_id, agent, log_path, status, exit_code, error, size, *times


def _session_id(at: int) -> str:
    return f"session-{START_MS + at * STEP_MS:013d}-{at:012d}"


def _workflow_id(at: int) -> str:
    return f"workflow-{START_MS + at:013d}-{at:012d}"


def _words(at: int) -> str:
    return "find the needle" if at % 50_000 == 7 else _WORDS[at % len(_WORDS)]


def _iso(unix_ms: int) -> str:
    moment = datetime.fromtimestamp(unix_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
