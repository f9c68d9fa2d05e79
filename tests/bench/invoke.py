"""How long an invoke takes on a full table, and how soon its first event is there."""

import json
import socket
import time
from pathlib import Path

import pysqlite3

from tests.bench.report import Figure, median, percentile
from tests.bench.sessions import bench_server
from tests.server import Server
from webapp.store.engine import FILE_NAME
from webapp.store.migrate import migrate

FINISHED_SESSIONS = 100_000
INVOKES_A_RUN = 40
ONE_LINE = {"command": ["/bin/echo", "hello"], "message": "stdin"}


def fill_table(var: Path, count: int = FINISHED_SESSIONS) -> None:
    """Rows of sessions that ended long ago, their messages too."""
    migrate(var)
    connection = pysqlite3.connect(var / FILE_NAME)
    day = "2026-01-01T00:00:00.000Z"
    connection.execute(
        "INSERT INTO workflows VALUES ('workflow-1767225600000-benchbenchbe', NULL, 'chat',"
        " 'active', 0, ?, ?)",
        (day, day),
    )
    ids = [f"session-{1767225600000 + n}-{n:012d}" for n in range(count)]
    connection.executemany(
        "INSERT INTO sessions (id, workflow_id, stage_index, agent, argv, host, log_path, status,"
        " exit_code, log_bytes, created_at, started_at, ended_at, pid, runner_pid)"
        " VALUES (?, 'workflow-1767225600000-benchbenchbe', 0, 'demo', '[\"demo\"]', 'bench',"
        " ?, 'succeeded', 0, 4711, ?, ?, ?, 1000, 1001)",
        ((i, f"sessions/2026-01-01/{i}/output.log", day, day, day) for i in ids),
    )
    connection.executemany(
        "INSERT INTO messages (workflow_id, stage_index, session_id, role, content, created_at)"
        " VALUES ('workflow-1767225600000-benchbenchbe', 0, ?, 'user', 'hello', ?)",
        ((i, day) for i in ids),
    )
    connection.commit()
    connection.close()


def measure(folder: Path, runs: int) -> list[Figure]:
    """One client; each session is watched to its end before the next one is invoked."""
    fill_table(folder / "var")
    with bench_server(folder, {"line": ONE_LINE}) as server:
        _run(server, 20)
        measured = [_run(server, INVOKES_A_RUN) for _ in range(runs)]
    invokes = [[invoke for invoke, _first in run] for run in measured]
    firsts = [[first for _invoke, first in run] for run in measured]
    group = f"invoke, {FINISHED_SESSIONS:,} sessions"
    return [
        Figure(group, "invoke p50", median([percentile(run, 0.5) for run in invokes]), "ms", 4),
        Figure(group, "invoke p95", median([percentile(run, 0.95) for run in invokes]), "ms"),
        Figure(group, "first event p50", median([percentile(r, 0.5) for r in firsts]), "ms", 30),
        Figure(group, "first event p95", median([percentile(r, 0.95) for r in firsts]), "ms"),
    ]


def _run(server: Server, count: int) -> list[tuple[float, float]]:
    """Milliseconds from request to answer, and from there to the first event."""
    workflow_id = server.create_workflow()
    body = json.dumps({"workflowId": workflow_id, "agent": "line", "message": "hello"})
    post = _request(server, "POST /api/trpc/workflow.invokeAgent", body)
    client = socket.create_connection(("127.0.0.1", server.port))
    measured = []
    for _ in range(count):
        started = time.perf_counter()
        client.sendall(post)
        answer = b""
        while not answer.endswith(b"}}"):
            answer += client.recv(65536)
        answered = time.perf_counter()
        head, _, content = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), answer
        session_id = json.loads(content)["result"]["data"]["sessionId"]

        get = _request(server, f"GET /api/agent-stream?sessionId={session_id}")
        with socket.create_connection(("127.0.0.1", server.port)) as viewer:
            viewer.sendall(get)
            received = b""
            while b"\nevent:" not in received:
                received += viewer.recv(65536)
            first = time.perf_counter()
            while b"\nevent: done" not in received:
                received += viewer.recv(65536)
        measured.append(((answered - started) * 1e3, (first - answered) * 1e3))
    client.close()
    return measured


def invoke_once(server: Server, workflow_id: str, agent: str = "line") -> float:
    """Milliseconds from the request to its answer; returns when the session has ended."""
    body = json.dumps({"workflowId": workflow_id, "agent": agent, "message": "hello"})
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        started = time.perf_counter()
        client.sendall(_request(server, "POST /api/trpc/workflow.invokeAgent", body))
        answer = b""
        while not answer.endswith(b"}}"):
            answer += client.recv(65536)
        took_ms = (time.perf_counter() - started) * 1e3
    session_id = json.loads(answer.partition(b"\r\n\r\n")[2])["result"]["data"]["sessionId"]
    server.wait_until_ended(session_id)
    return took_ms


def _request(server: Server, target: str, body: str = "") -> bytes:
    """A request as its bytes: a client that takes no time of its own."""
    return (
        f"{target} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
