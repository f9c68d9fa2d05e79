"""Kill what the agent of a dead runner left behind, if it is proved to be this session's.

A pid may be another's by now, so none that is written down anywhere is trusted. The proof is
the session's id, which nobody can guess, in the environment that a process was started with;
and whoever shares process group and session with one that is proved so: a child may have
been given another environment. A signal goes to the very process that was looked at, by a
descriptor (pidfd_open(2)), and not to its number.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from webapp.store.models import Session

_MOST_ROUNDS = 10
"""Each round kills what the last one's were just starting."""
_EXEC_SECONDS = 0.25
"""How long a process may take from execve(2) to the environment that it was given. In between
it shows none at all, and an agent that had only just been started would not be recognised."""
_YOUNG_SECONDS = 2.0

Group = tuple[int, int]


def kill_leftovers(session: Session) -> dict[int, str]:
    """SIGKILL to all of them; pid and name of each."""
    wanted = f"AGENT_STREAM_SESSION_ID={session.id}".encode()
    groups: set[Group] = set()
    killed: dict[int, str] = {}
    clean_scans = 0
    for _ in range(_MOST_ROUNDS):
        groups |= _proved_groups(wanted)
        # One that was not in the list yet may have been started by one that has died since.
        found = {pid: name for pid in _pids() if (name := _kill(pid, groups)) is not None}
        killed |= found
        clean_scans = 0 if found else clean_scans + 1
        if clean_scans == 2:
            break
    return killed


def _proved_groups(wanted: bytes) -> set[Group]:
    """The groups of all processes that are proved, once all have got their environment."""
    give_up_at = time.monotonic() + _EXEC_SECONDS
    while True:
        groups = {group for pid in _pids() if (group := _proved(pid, wanted)) is not None}
        if time.monotonic() >= give_up_at or not any(map(_is_in_exec, _pids())):
            return groups
        time.sleep(0.002)


def _pids() -> list[int]:
    return [int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit()]


def _proved(pid: int, wanted: bytes) -> Group | None:
    """The group of a process that is proved to be the session's; never our own."""
    if not _has_environment(pid, wanted):
        return None
    group = _group(pid)
    return None if group is None or group[0] == os.getpgrp() else group


def _kill(pid: int, groups: set[Group]) -> str | None:
    """Kill a process if it is in one of these groups; its name, None if it is not."""
    if not groups or _group(pid) not in groups:
        return None
    name = _name(pid)
    with _held(pid) as kill_it:
        if kill_it is not None and _group(pid) in groups:
            kill_it()
    return name


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").removesuffix("\n")
    except OSError:
        return ""


@contextmanager
def _held(pid: int) -> Iterator[Callable[[], None] | None]:
    """A process that cannot become another while it is looked at; None if it is gone."""
    try:
        pid_fd = os.pidfd_open(pid)
    except OSError:
        yield None
        return

    def send_kill() -> None:
        with suppress(ProcessLookupError, PermissionError):
            signal.pidfd_send_signal(pid_fd, signal.SIGKILL)

    try:
        yield send_kill
    finally:
        os.close(pid_fd)


def _has_environment(pid: int, wanted: bytes) -> bool:
    try:
        return wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _is_in_exec(pid: int) -> bool:
    """Whether a process is so young that it may only just be getting its environment."""
    try:
        if Path(f"/proc/{pid}/environ").read_bytes():
            return False
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        seconds_since_boot = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:
        return False
    age_seconds = seconds_since_boot - int(fields[19]) / os.sysconf("SC_CLK_TCK")
    is_kernel_thread = fields[1] in (b"0", b"2")
    return fields[0] not in (b"Z", b"X") and not is_kernel_thread and age_seconds < _YOUNG_SECONDS


def _group(pid: int) -> Group | None:
    """Process group and session of a process that lives: proc_pid_stat(5)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return None if fields[0] in (b"Z", b"X") else (int(fields[2]), int(fields[3]))
