"""What a process uses, from /proc: proc(5)."""

import os
from collections.abc import Iterable
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident_bytes(pids: Iterable[int]) -> int:
    """Memory that these processes hold, the pages that they share counted for each."""
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids]
    return sum(pages) * _PAGE_BYTES


def cpu_seconds(pids: Iterable[int]) -> float:
    """Time that these processes have computed so far, in user space and in the kernel."""
    return sum(_cpu_ticks(pid) for pid in pids) / _TICKS_A_SECOND


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def threads(pid: int) -> int:
    """The threads of a process."""
    return len(os.listdir(f"/proc/{pid}/task"))


def descriptors(pid: int) -> int:
    """The open descriptors of a process."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def inotify_watches(pid: int) -> list[int]:
    """Watches of each inotify instance of a process."""
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            if os.readlink(f"/proc/{pid}/fd/{fd}") == "anon_inode:inotify":
                lines = Path(f"/proc/{pid}/fdinfo/{fd}").read_text().splitlines()
                found.append(sum(line.startswith("inotify wd:") for line in lines))
        except FileNotFoundError:
            continue  # closed in between
    return found
