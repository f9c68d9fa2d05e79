"""The processes that an agent started, wherever they went: the tree below the runner.

The runner adopts those whose parent ends (`prctl.adopt_orphans`), so that none leaves the
tree, whatever group or session it is in. A runner in it belongs to a session of its own, which
the agent has started: neither it nor anything below it is the agent's.

A signal goes by a descriptor (pidfd_open(2)) to a process that was found in the tree after
the descriptor was opened: its number may be another's by then.
"""

import os
import signal
from collections.abc import Container
from time import monotonic, sleep

_RUNNER = b"webapp/runner/__main__.py\0"
_KILL_SECONDS = 1.0
_LOOK_SECONDS = 0.005


def find(others: Container[int | None] = (), *, outside_group: int = 0) -> dict[int, str]:
    """Pid and name of each that lives, but of those in one process group.

    `others` are children that the runner has itself.
    """
    found: dict[int, _Facts] = {}
    waiting = [pid for pid in _children(os.getpid()) if pid not in others]
    while waiting:
        pid = waiting.pop()
        if pid in found or _is_runner(pid):
            continue
        facts = _facts(pid)
        if facts is not None:
            found[pid] = facts
            waiting += _children(pid)
    return {pid: facts.name for pid, facts in found.items() if facts.group != outside_group}


def send(pid: int, number: int) -> bool:
    """Signal a process if it is still in the tree; whether it was, and may be signalled."""
    try:
        pid_fd = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if not _is_below_us(pid):
            return False
        signal.pidfd_send_signal(pid_fd, number)
    except OSError:
        return False
    finally:
        os.close(pid_fd)
    return True


def kill_all(others: Container[int | None] = ()) -> dict[int, str]:
    """Kill them, and what they are just starting, until none is left; those that were killed."""
    killed: dict[int, str] = {}
    give_up_at = monotonic() + _KILL_SECONDS
    while (found := find(others)) and monotonic() < give_up_at:
        killed.update((pid, name) for pid, name in found.items() if send(pid, signal.SIGKILL))
        sleep(_LOOK_SECONDS)
    return killed


def _children(pid: int) -> list[int]:
    """Of all its threads: proc_tid_children(5). Empty where the kernel does not say."""
    children: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            children += map(int, _read(f"/proc/{pid}/task/{thread}/children").split())
    except OSError:
        pass  # it has ended meanwhile
    return children


def _is_runner(pid: int) -> bool:
    try:
        return _RUNNER in _read(f"/proc/{pid}/cmdline")
    except OSError:
        return False


def _is_below_us(pid: int) -> bool:
    ours = os.getpid()
    while pid > 1:
        facts = _facts(pid)
        if facts is None:
            return False
        pid = facts.parent
        if pid == ours:
            return True
    return False


class _Facts:
    __slots__ = ("group", "name", "parent")

    def __init__(self, name: str, parent: int, group: int) -> None:
        self.name = name
        self.parent = parent
        self.group = group


def _facts(pid: int) -> _Facts | None:
    """A process that lives: proc_pid_stat(5)."""
    try:
        before, _parenthesis, after = _read(f"/proc/{pid}/stat").rpartition(b")")
    except OSError:
        return None
    state, parent, group = after.split(maxsplit=3)[:3]
    if state in b"ZX":
        return None
    name = before.partition(b"(")[2].decode("utf-8", "replace")
    return _Facts(name, int(parent), int(group))


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()
