"""What the server and its sessions hold at a moment, from /proc: proc(5)."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.processes import cpu_seconds, descriptors, resident_bytes, threads
from tests.server import Server
from tests.sessions.machine import processes_of
from tests.soak.life import Life

SETTLE_SECONDS = 10.0
"""A runner and its agent must be gone so long after their session's end."""
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """One process of the server."""

    pid: int
    age_seconds: float
    resident_bytes: int
    proportional_bytes: int
    """Pages that it shares count for their part only."""
    descriptors: int
    threads: int
    cpu_seconds: float


@dataclass(frozen=True)
class Sample:
    """The whole server."""

    minute: float
    """Since the soak began; the start and the end are sampled when nothing is going on."""
    master: Process
    workers: list[Process]
    """Oldest first. All but the first are replaced again and again."""
    runners: int
    runner_bytes: int
    """The proportional memory of all runners."""
    leftovers: int
    """Runners, agents and their children whose session has ended."""
    zombies: int
    database_bytes: int
    wal_bytes: int
    log_bytes: int
    sessions: int
    """Started so far."""
    viewers: int

    @property
    def oldest_worker(self) -> Process:
        """The one that is never killed."""
        return self.workers[0]


def take(server: Server, life: Life, began_at: float) -> Sample:
    """What there is now."""
    assert server.process is not None
    workers = sorted(_processes(server.worker_pids()), key=lambda process: -process.age_seconds)
    master = look_at(server.process.pid)
    runners = _runners(life)
    long_ended = [
        run.session_id
        for run in life.runs
        if run.ended_at is not None and time.monotonic() - run.ended_at > SETTLE_SECONDS
    ]
    names = {_runner_name(session_id) for session_id in long_ended}
    leftovers = len(processes_of(long_ended)) + sum(name in names for name in runners.values())
    logs = server.var.glob("sessions/*/*/output.log")
    return Sample(
        minute=round((time.monotonic() - began_at) / 60, 1),
        master=master,
        workers=workers,
        runners=len(runners),
        runner_bytes=sum(_or_zero(proportional_bytes, pid) for pid in runners),
        leftovers=leftovers,
        zombies=_zombies({master.pid, *(worker.pid for worker in workers)}),
        database_bytes=_file_bytes(server.var / "agent-stream.db"),
        wal_bytes=_file_bytes(server.var / "agent-stream.db-wal"),
        log_bytes=sum(_file_bytes(log) for log in logs),
        sessions=len(life.runs),
        viewers=life.viewers,
    )


def look_at(pid: int) -> Process:
    """One process. OSError if it is gone."""
    return Process(
        pid=pid,
        age_seconds=age_seconds(pid),
        resident_bytes=resident_bytes([pid]),
        proportional_bytes=proportional_bytes(pid),
        descriptors=descriptors(pid),
        threads=threads(pid),
        cpu_seconds=cpu_seconds([pid]),
    )


def _processes(pids: set[int]) -> list[Process]:
    found = []
    for pid in pids:
        try:
            found.append(look_at(pid))
        except OSError:
            continue  # it has just ended
    return found


def age_seconds(pid: int) -> float:
    """How long a process has been there."""
    started_ticks = int(_stat_fields(pid)[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started_ticks / _TICKS_A_SECOND


def proportional_bytes(pid: int) -> int:
    """Memory of a process, shared pages for their part."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    (kilobytes,) = (line.split()[1] for line in text.splitlines() if line.startswith("Pss:"))
    return int(kilobytes) * 1024


def _stat_fields(pid: int) -> list[str]:
    """From the third on: the state is the first of them."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _runner_name(session_id: str) -> str:
    """How ps(1) shows a runner: see webapp/runner/forkserver.py."""
    return "run-" + session_id[-11:]


def _runners(life: Life) -> dict[int, str]:
    """The runners of these sessions, pid and name."""
    names = {_runner_name(run.session_id) for run in life.runs}
    found = {}
    for pid in _all_pids():
        try:
            name = Path(f"/proc/{pid}/comm").read_text().rstrip("\n")
        except OSError:
            continue
        if name in names:
            found[pid] = name
    return found


def _zombies(parents: set[int]) -> int:
    """Ended processes for which nobody has waited: children of these, or of their children."""
    states: dict[int, tuple[str, int]] = {}
    for pid in _all_pids():
        try:
            fields = _stat_fields(pid)
        except OSError:
            continue
        states[pid] = fields[0], int(fields[1])
    family = parents | {pid for pid, (_state, parent) in states.items() if parent in parents}
    return sum(state == "Z" and parent in family for state, parent in states.values())


def _all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _file_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _or_zero(measure: Callable[[int], int], pid: int) -> int:
    try:
        return measure(pid)
    except OSError:
        return 0
