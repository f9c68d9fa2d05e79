"""What an agent started beside itself: ended with it, or left to live on, and said in the log."""

import signal
from collections.abc import Callable, Container
from time import monotonic, sleep

from webapp.runner import descendants
from webapp.runner.agent import signal_group, signal_name

LAST_MOMENT_SECONDS = 0.1
"""After the agent's end, and that of its pipes, its children may end by themselves so long."""
MAX_NAMED_PROCESSES = 50
_LOOK_SECONDS = 0.005

Own = Container[int | None]


class Background:
    """The processes below the runner, but the agent. `own` are children of the runner itself."""

    def __init__(self, agent_pid: int, redact: Callable[[str], str], *, may_live_on: bool) -> None:
        self._agent_pid = agent_pid
        self._redact = redact
        self._may_live_on = may_live_on
        self._ended: dict[int, tuple[str, int]] = {}

    def signal(self, number: int, own: Own) -> None:
        """Signal the agent's group, and what is in another one unless that may live on."""
        if not self._may_live_on:
            elsewhere = descendants.find(own, outside_group=self._agent_pid)
            for pid, name in elsewhere.items():
                if descendants.send(pid, number):
                    self._ended[pid] = (name, number)
        signal_group(self._agent_pid, number)

    def end(self, own: Own) -> None:
        """Once the agent has ended: kill what still lives, unless it may live on."""
        if self._may_live_on:
            return
        give_up_at = monotonic() + LAST_MOMENT_SECONDS
        while descendants.find(own) and monotonic() < give_up_at:
            sleep(_LOOK_SECONDS)
        for pid, name in descendants.kill_all(own).items():
            self._ended[pid] = (name, signal.SIGKILL)
        signal_group(self._agent_pid, signal.SIGKILL)  # where the kernel does not show the tree

    def notices(self, own: Own) -> list[dict[str, object]]:
        """For the log: what was ended, and what lives on."""
        left = descendants.find(own)
        ended = [
            {"pid": pid, "name": self._redact(name), "signal": signal_name(number)}
            for pid, (name, number) in self._ended.items()
            if pid not in left
        ]
        lives_on = [{"pid": pid, "name": self._redact(name)} for pid, name in left.items()]
        return [
            {"type": kind, "count": len(processes), "processes": processes[:MAX_NAMED_PROCESSES]}
            for kind, processes in (("processes_ended", ended), ("processes_left", lives_on))
            if processes
        ]
