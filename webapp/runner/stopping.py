"""How a session is ended before its agent ends by itself: terminate, wait, kill.

An agent in the middle of a turn is interrupted first: some end cleanly then.
"""

import signal
from time import monotonic

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
        self._requested: str | None = None
        self._requested_at: float | None = None
        self._interrupts = False
        self._terminate_at: float | None = None
        self._kill_at: float | None = None

    def start(self, now: float) -> None:
        """The agent has been started: its time runs."""
        if self._spec.maxSeconds is not None:
            self._give_up_at = now + self._spec.maxSeconds

    def request(self, status: str, *, after_grace: bool = False, interrupts: bool = False) -> None:
        """Terminate the agent as soon as the loop comes to it, or if it still lives after the
        grace; or interrupt it, and terminate it after the grace. The session ends with `status`."""
        if self._requested is None:
            self._requested = status
            self._interrupts = interrupts
            self._requested_at = monotonic() + (self._spec.graceSeconds if after_grace else 0)

    @property
    def is_requested(self) -> bool:
        """Whether the session is on its way to its end."""
        return self.should_cancel or self.status is not None or self._requested is not None

    def next_signal(self, now: float) -> int | None:
        """The signal that is due now: the agent was cancelled, or ran out of time or of grace."""
        if self.status is None:
            if self.should_cancel:
                return self.terminate("cancelled", now)
            if self._give_up_at is not None and now >= self._give_up_at:
                return self.terminate("timed_out", now, maxSeconds=self._spec.maxSeconds)
            if self._requested_at is not None and now >= self._requested_at:
                return self.terminate(self._requested or "failed", now)
        if self._terminate_at is not None and (self.should_cancel or now >= self._terminate_at):
            return self._go_on(now)
        if self._kill_at is not None and (self.should_kill or now >= self._kill_at):
            self._kill_at = None
            return signal.SIGKILL
        return None

    def terminate(self, status: str, now: float, **facts: object) -> int:
        """Begin the end, and say so in the log with `facts`; the signal to send."""
        self.status = status
        self._give_up_at = self._requested_at = None
        grace = self._spec.graceSeconds
        self._log.append_system(
            {"type": "terminating", "status": status, **facts, "graceSeconds": grace}
        )
        if self._interrupts and not self.should_cancel:
            self._terminate_at = now + grace
            return signal.SIGINT
        return self._go_on(now)

    def _go_on(self, now: float) -> int:
        """Terminate, and set the time of the kill."""
        self._terminate_at = None
        self._kill_at = now if self.should_kill else now + self._spec.graceSeconds
        return signal.SIGTERM

    def finish(self) -> None:
        """The agent has ended: nothing is due any more."""
        self._give_up_at = self._requested_at = self._terminate_at = self._kill_at = None

    @property
    def times(self) -> tuple[float | None, ...]:
        """When something is due."""
        return self._give_up_at, self._requested_at, self._terminate_at, self._kill_at
