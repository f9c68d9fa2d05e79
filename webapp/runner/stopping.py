"""How a session is ended before its agent ends by itself: terminate, wait, kill."""

import signal

from webapp.runner.logfile import LogFile
from webapp.runner.spec import Spec


class Stopping:
    """What was asked for, what has been done of it, and when the next step is due."""

    def __init__(self, spec: Spec, log: LogFile) -> None:
        self._spec = spec
        self._log = log
        self.should_cancel = False
        self.should_kill = False
        self.status: str | None = None
        """The session's status, once it is being ended."""
        self._give_up_at: float | None = None
        self._kill_at: float | None = None

    def start(self, now: float) -> None:
        """The agent has been started: its time runs."""
        if self._spec.maxSeconds is not None:
            self._give_up_at = now + self._spec.maxSeconds

    def next_signal(self, now: float) -> int | None:
        """The signal that is due now: the agent was cancelled, or ran out of time or of grace."""
        if self.status is None:
            if self.should_cancel:
                return self.terminate("cancelled", now)
            if self._give_up_at is not None and now >= self._give_up_at:
                return self.terminate("timed_out", now, maxSeconds=self._spec.maxSeconds)
        if self._kill_at is not None and (self.should_kill or now >= self._kill_at):
            self._kill_at = None
            return signal.SIGKILL
        return None

    def terminate(self, status: str, now: float, **facts: object) -> int:
        """Begin the end, and say so in the log with `facts`; the signal to send."""
        self.status = status
        self._give_up_at = None
        self._kill_at = now + self._spec.graceSeconds
        grace = self._spec.graceSeconds
        self._log.append_system(
            {"type": "terminating", "status": status, **facts, "graceSeconds": grace}
        )
        return signal.SIGTERM

    def finish(self) -> None:
        """The agent has ended: nothing is due any more."""
        self._give_up_at = self._kill_at = None

    @property
    def times(self) -> tuple[float | None, float | None]:
        """When something is due."""
        return self._give_up_at, self._kill_at
