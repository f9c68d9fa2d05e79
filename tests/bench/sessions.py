"""Sessions to watch: live ones whose agents cost little, and long ones that have ended."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pysqlite3

from tests.bench.programs import program
from tests.server import HTTP, Server, running_server
from webapp.log.record import format_record
from webapp.sessions.layout import new_session_files
from webapp.store.engine import FILE_NAME
from webapp.store.ids import new_session_id

BLOCK_EVENTS = 100_000
"""How many events of a long log are made at once."""
_START_NS = 1_767_225_600_000_000_000
_STEP_NS = 100_000
_DAY = "2026-01-01T00:00:00.000Z"

QUIET: dict[str, Any] = {"command": ["sleep", "900"], "message": "stdin"}
"""A profile: an agent that never says anything."""


def bench_server(
    folder: Path,
    agents: dict[str, dict[str, Any]] | None = None,
    *,
    workers: int = 2,
    token: str | None = None,
) -> AbstractContextManager[Server]:
    """A server whose caps on sessions and rates are out of a benchmark's way."""
    caps = {"MAX_SESSIONS": 10_000, "MAX_SESSIONS_PER_WORKFLOW": 10_000}
    caps["MAX_CHANGES_PER_MINUTE"] = 10_000_000
    environment: dict[str, Any] = {f"AGENT_STREAM_{key}": str(cap) for key, cap in caps.items()}
    if token is not None:
        environment["AGENT_STREAM_TOKEN"] = token
    return running_server(folder, agents, workers=workers, **environment)


def ticker(rate: float) -> dict[str, Any]:
    """A profile: an agent that prints `rate` lines a second, each with its time."""
    return {"command": [program("ticker"), "lines", str(rate)], "message": "stdin"}


def counter(rate: float, last: int) -> dict[str, Any]:
    """A profile: an agent that prints the numbers from 1 to `last`, `rate` a second."""
    return {"command": [program("ticker"), "numbered", str(rate), str(last)], "message": "stdin"}


def stream_path(session_id: str) -> str:
    """Where a session is watched."""
    return f"/api/agent-stream?sessionId={session_id}"


@contextmanager
def running_session(server: Server, agent: str) -> Iterator[str]:
    """A session of this agent, cancelled in the end; its id."""
    session_id = server.invoke(agent)
    try:
        yield session_id
    finally:
        HTTP.post(f"{server.url}/api/sessions/{session_id}/cancel", json={}, headers=server.login)
        server.wait_until_ended(session_id)


def add_finished(server: Server, blocks: int) -> str:
    """A session of `blocks` times BLOCK_EVENTS events that ended long ago; its id."""
    session_id = new_session_id()
    files = new_session_files(server.var, session_id)
    files.directory.mkdir(parents=True)
    workflow_id = server.create_workflow()
    size = _write_log(files.log, session_id, workflow_id, blocks)

    connection = pysqlite3.connect(server.var / FILE_NAME)
    log_path = str(files.log.relative_to(server.var))
    connection.execute(
        "INSERT INTO sessions (id, workflow_id, stage_index, agent, argv, host, log_path, status,"
        " exit_code, log_bytes, created_at, started_at, ended_at, pid, runner_pid)"
        " VALUES (?, ?, 0, 'ticker', '[\"ticker\"]', 'bench', ?, 'succeeded', 0, ?, ?, ?, ?, 1, 1)",
        (session_id, workflow_id, log_path, size, _DAY, _DAY, _DAY),
    )
    connection.commit()
    connection.close()
    return session_id


def _write_log(path: Path, session_id: str, workflow_id: str, blocks: int) -> int:
    """What such a session's runner would have written; its bytes."""
    session = (
        f'{{"type":"session","sessionId":"{session_id}","workflowId":"{workflow_id}",'
        f'"stageIndex":0,"agent":"ticker","pid":1,"startedAt":"{_DAY}"}}'
    )
    done = b'{"type":"done","exitCode":0,"signal":null,"status":"succeeded"}'
    with open(path, "wb") as log:
        log.write(format_record(_START_NS, b"system", session.encode()))
        for block in range(blocks):
            numbers = range(block * BLOCK_EVENTS, (block + 1) * BLOCK_EVENTS)
            log.write(b"".join(map(_record, numbers)))
        end_ns = _START_NS + blocks * BLOCK_EVENTS * _STEP_NS
        log.write(format_record(end_ns, b"system", done))
        return log.tell()


def _record(number: int) -> bytes:
    """Nine of ten lines are JSON, as agents print it; the tenth is text."""
    text = f"step {number} of the work: reading what is there, then writing it down"
    if number % 10 != 9:
        text = f'{{"type":"message_delta","index":{number},"text":"{text}"}}'
    return format_record(_START_NS + number * _STEP_NS, b"stdout", text.encode())
