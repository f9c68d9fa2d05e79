"""What an agent sees of the server's processes when both run as the same user."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.surroundings import needs_root
from tests.security.unprivileged import processes_of_user, unprivileged_server
from tests.server import HTTP, Server, wait_for

pytestmark = needs_root

TOKEN = "s3cret-token-of-the-server"
PARTS = ("gunicorn", "webapp.keeper", "webapp/runner/__main__.py")

SPY = """
for process in /proc/[0-9]*; do
    if grep -q AGENT_STREAM_SESSION_ID= $process/environ; then echo agent $process; fi
    if grep -q -e AGENT_STREAM_TOKEN= -e OTHER_API_KEY= $process/environ; then
        echo secrets $process
    fi
    if true 9<$process/mem; then echo memory $process; fi
    if ls $process/fd/ >/dev/null && [ -e $process/fd/1 ]; then echo files $process; fi
done 2>/dev/null
"""
AGENTS: dict[str, dict[str, Any]] = {
    "spy": {"command": ["/bin/sh", "-c", SPY], "message": "stdin"},
    "other": {"command": ["/bin/sleep", "600"], "env": ["OTHER_API_KEY"]},
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with unprivileged_server(
        AGENTS, AGENT_STREAM_TOKEN=TOKEN, OTHER_API_KEY="another-agent-its-key"
    ) as started:
        yield started


def family() -> dict[int, str]:
    """Master, workers, keeper, fork servers and runners."""
    return {
        pid: command
        for pid, command in processes_of_user().items()
        if any(part in command for part in PARTS)
    }


def spied(server: Server) -> set[tuple[str, int]]:
    """What a spy among the agents could open."""
    session_id = server.invoke("spy")
    server.wait_until_ended(session_id)
    url = f"{server.url}/api/sessions/{session_id}/log?stream=stdout"
    lines = HTTP.get(url, headers=server.login).raise_for_status().text.splitlines()
    found = [line.split(" /proc/") for line in lines]
    return {(what, int(pid)) for what, pid in found}


def test_agent_reads_neither_environment_nor_memory_of_the_server(server: Server) -> None:
    server.invoke("other")
    wait_for(lambda: all(any(part in c for c in family().values()) for part in PARTS))
    found = spied(server)
    assert {what for what, _pid in found} >= {"agent", "memory", "files"}  # its own, that is
    assert {pid for what, pid in found if what in ("memory", "files")} & set(family()) == set()
    # Agents of one user see each other: only `run_as` parts them.
    (other,) = (pid for pid, command in processes_of_user().items() if "sleep" in command)
    assert {pid for what, pid in found if what == "secrets"} <= {other}


def test_processes_beside_the_workers_are_started_without_secrets(server: Server) -> None:
    server.invoke("other")
    wait_for(lambda: all(any(part in c for c in family().values()) for part in PARTS))
    for pid, command in family().items():
        if "gunicorn" not in command:
            environment = Path(f"/proc/{pid}/environ").read_text()
            assert "OTHER_API_KEY" not in environment, command
            assert TOKEN not in environment, command


def test_server_works_all_the_same(server: Server) -> None:
    session_id = server.invoke("other")
    wait_for(lambda: server.session(session_id)["status"] == "running")
    runner = server.session(session_id)["pid"]
    assert runner
    server.call("session.cancel", {"sessionId": session_id}).raise_for_status()
    assert server.wait_until_ended(session_id)["status"] == "cancelled"
