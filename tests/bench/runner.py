"""What a runner costs and how much it takes; and what 1,000 sessions leave behind."""

import json
import os
import time
from pathlib import Path

from tests.bench.report import Figure, median, percentile
from tests.bench.sessions import bench_server
from tests.server import Server, wait_for

FLOOD_BYTES = 400_000_000
SESSIONS = 1000
LINE = "x" * 99
FLOOD = {"command": ["sh", "-c", f"yes {LINE} | head -c {FLOOD_BYTES}"], "message": "stdin"}
QUIET = {"command": ["sh", "-c", "echo ready; sleep 600"], "message": "stdin"}
SHORT = {"command": ["/bin/echo", "hello"], "message": "stdin"}


def measure(folder: Path, runs: int) -> list[Figure]:
    """Memory of an idle and of a flooded runner, its throughput, and leaks."""
    agents = {"flood": FLOOD, "quiet": QUIET, "short": SHORT}
    with bench_server(folder, agents, workers=2) as server:
        return [*_memory(server), *_throughput(server, runs), *_leaks(server)]


def _memory(server: Server) -> list[Figure]:
    runner = _runner_pid(server, server.invoke("quiet"))
    idle = private_bytes(runner)
    session_id = server.invoke("flood")
    flooded = _runner_pid(server, session_id)
    samples = []
    while os.path.exists(f"/proc/{flooded}/smaps_rollup"):
        samples.append(private_bytes(flooded))
        time.sleep(0.02)
    used = [sample for sample in samples if sample]
    return [
        Figure("runner", "private memory, quiet", idle / 1e6, "MB", 5),
        Figure("runner", "private memory, flooded (p50)", percentile(used, 0.5) / 1e6, "MB", 5),
        Figure("runner", "private memory, flooded (max)", max(used) / 1e6, "MB", 5),
    ]


def _throughput(server: Server, runs: int) -> list[Figure]:
    """Agent output a second, from the first record's time to the last's."""
    rates = []
    for _ in range(runs):
        session_id = server.invoke("flood")
        started = time.perf_counter()
        wait_for(lambda s=session_id: _is_done(server, s), 120)  # type: ignore[misc]
        rates.append(FLOOD_BYTES / (time.perf_counter() - started) / 1e6)
        server.log_path(session_id).unlink()
    return [Figure("runner", "lines of 100 bytes", median(rates), "MB/s", 200, at_least=True)]


def _leaks(server: Server) -> list[Figure]:
    before = {pid: _descriptors(pid) for pid in server.worker_pids()}
    workflow_id = server.create_workflow()
    last = ""
    started = time.perf_counter()
    for _ in range(SESSIONS):
        last = server.invoke("short", workflow_id=workflow_id)
    server.wait_until_ended(last)
    took = time.perf_counter() - started
    wait_for(lambda: all(_descriptors(pid) <= before[pid] + 2 for pid in before))
    after = {pid: _descriptors(pid) for pid in before}
    workers = server.worker_pids()
    assert workers == set(before), "a worker was replaced"
    zombies = sum(_zombie_children(pid) for pid in workers)
    leaked = sum(max(0, after[pid] - before[pid] - 2) for pid in before)
    group = f"after {SESSIONS:,} sessions"
    return [
        Figure(group, "zombies", zombies, "", 0),
        Figure(group, "leaked descriptors", leaked, "", 0, note="2 a worker: its fork server's"),
        Figure(group, "sessions a second, one client", SESSIONS / took, "/s"),
    ]


def private_bytes(pid: int) -> int:
    """Memory that is this process's alone; 0 for one that is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private"))


def _runner_pid(server: Server, session_id: str) -> int:
    """From the log's first record."""
    log = server.log_path(session_id)
    first = wait_for(lambda: log.read_bytes().partition(b"\n")[0])
    return int(json.loads(first[40:])["runnerPid"])


def _is_done(server: Server, session_id: str) -> bool:
    return bool(server.session(session_id)["status"] == "succeeded")


def _descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def _zombie_children(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    states = [Path(f"/proc/{child}/stat").read_text().rpartition(")")[2] for child in children]
    return sum(state.split()[0] == "Z" for state in states)
