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
from typing import Any
from urllib.parse import urlencode

import pysqlite3

from tests.bench.invoke import ONE_LINE, invoke_once
from tests.bench.report import Figure, median
from tests.bench.sessions import bench_server
from tests.server import Server
from webapp.store.engine import FILE_NAME, REVISION, open_migrated
from webapp.store.migrate import migrate
from webapp.store.session_index import index_waiting

SESSIONS = 1_000_000
WORKFLOWS = 20_000
STEP_MS = 60_000
START_MS = 1_700_000_000_000
REQUESTS = 20
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
    " exit_code, log_bytes, created_at, started_at, ended_at, pid, runner_pid)"
    " VALUES (?, ?, 0, ?, '[\"demo\"]', 'bench', ?, ?, ?, ?, ?, ?, ?, 1, 1)"
)
_MESSAGE_SQL = (
    "INSERT INTO messages (workflow_id, stage_index, session_id, role, content, created_at)"
    " VALUES (?, 0, ?, 'user', ?, ?)"
)


def measure(folder: Path, runs: int) -> list[Figure]:
    """Each list and each invoke as a client has it; an empty table beside the full one."""
    full = full_folder()
    with bench_server(full, {"line": ONE_LINE}) as server:
        lists = {name: _list_ms(server, query) for name, query in _queries().items()}
        get_ms = median(_request_ms(server, _get_path()))
        counts_ms = median(_request_ms(server, "/api/sessions/counts"))
        with bench_server(folder, {"line": ONE_LINE}) as empty:
            ratio = _invoke_ratio(server, empty, runs)
            ls_ms = _ls_ms(server, empty)
    slowest = max(lists, key=lambda name: lists[name])
    rarest = max(_RARE, key=lambda name: lists[name])
    group = f"{SESSIONS:,} sessions"
    return [
        Figure(group, "first page", lists["all"], "ms", 50),
        Figure(group, "any filter, the slowest", lists[slowest], "ms", 50, note=slowest),
        Figure(
            group, "rare words, and filters that hardly meet", lists[rarest], "ms", 50, note=rarest
        ),
        Figure(group, "counts by status", counts_ms, "ms", 50),
        Figure(group, "session.get", get_ms, "ms", 2),
        Figure(group, "agent-stream ls, more than of an empty table", ls_ms, "ms", 50),
        Figure(group, "invoke, beside an empty table", ratio, "x", 1.2),
    ]


def _queries() -> dict[str, dict[str, str]]:
    """Lists of each kind, rare matches and none among them; each is to be complete."""
    day = {"from": _iso(START_MS + 9_000 * STEP_MS), "to": _iso(START_MS + 10_440 * STEP_MS)}
    late = {"from": _iso(START_MS + SESSIONS // 2 * STEP_MS)}
    queries: dict[str, dict[str, str]] = {
        "all": {},
        "status": {"status": "lost"},
        "statuses": {"status": "failed,timed_out,lost"},
        "agent": {"agent": "claude"},
        "rare agent": {"agent": "rare"},
        "agent and status": {"agent": "rare", "status": "lost"},
        "workflow": {"workflowId": f"workflow-{START_MS + 77:013d}-{77:012d}"},
        "huge workflow": {"workflowId": _HUGE},
        "huge workflow and status": {"workflowId": _HUGE, "status": "lost"},
        "huge workflow and agent": {"workflowId": _HUGE, "agent": "rare"},
        "day": day,
        "day and status": day | {"status": "lost"},
        "half and agent": late | {"agent": "rare"},
        "common words": {"text": "fix tests"},
        "rare words": {"text": "needle"},
        "no such words": {"text": "never said"},
        "words, status and agent": {"text": "needle", "status": "failed", "agent": "claude"},
        "common words and status": {"text": "fix tests", "status": "failed"},
        "common words and rare status": {"text": "fix tests", "status": "cancelled"},
        "common words, huge workflow": {"text": "fix tests", "workflowId": _HUGE},
        "common words, three facts": {
            "text": "fix tests",
            "status": "failed",
            "agent": "claude",
            "workflowId": _HUGE,
        },
        "common words and agent that never meet": {"text": "write docs", "agent": "codex"},
        "huge workflow and agent that hardly meet": {"workflowId": _HUGE, "agent": "codex"},
        "request id": {"text": "REQ-19999"},
        "beginning of a request id": {"text": "REQ-77"},
        "id": {"text": f"session-{START_MS + 5 * STEP_MS}"},
    }
    orders = ("oldest", "longest", "largest")
    return queries | {
        f"{name}, {sort}": query | {"sort": sort}
        for name, query in queries.items()
        for sort in orders
    }


def _list_ms(server: Server, query: dict[str, str]) -> float:
    path = "/api/sessions?" + urlencode(query | {"include": "titles"})
    return median(_request_ms(server, path))


def _get_path() -> str:
    session_id = _session_id(SESSIONS // 2)
    return "/api/trpc/session.get?" + urlencode({"input": json.dumps({"sessionId": session_id})})


def _request_ms(server: Server, path: str) -> list[float]:
    """From a request to its whole answer, on one connection; the first one warms up."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
    measured = []
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        for _ in range(REQUESTS + 1):
            started = time.perf_counter()
            client.sendall(request)
            answer = b""
            while not _is_whole(answer):
                answer += client.recv(1 << 20)
            measured.append((time.perf_counter() - started) * 1e3)
            assert answer.startswith(b"HTTP/1.1 200"), answer[:400]
            assert b'"incomplete"' not in answer, path
    return measured[1:]


def _is_whole(answer: bytes) -> bool:
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


def _ls_ms(full: Server, empty: Server) -> float:
    """How much more of a processor's time the command takes: nearly all of it is its start."""
    wanted = ["--text", "write docs", "--agent", "codex,rare", "--status", "succeeded,lost"]
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
    database = open_migrated(var)
    for _ in index_waiting(database):
        pass
    database.close()


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
        yield session_id, workflow_id, agent, log_path, status, exit_code, size, *times


def _session_id(at: int) -> str:
    return f"session-{START_MS + at * STEP_MS:013d}-{at:012d}"


def _workflow_id(at: int) -> str:
    return f"workflow-{START_MS + at:013d}-{at:012d}"


def _words(at: int) -> str:
    return "find the needle" if at % 50_000 == 7 else _WORDS[at % len(_WORDS)]


def _iso(unix_ms: int) -> str:
    moment = datetime.fromtimestamp(unix_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
