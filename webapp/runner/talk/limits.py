"""When a turn, an idle agent or a handshake has had its time."""

from time import monotonic

HANDSHAKE_SECONDS = 60.0
"""Unless a turn may only take less."""


class Limits:
    """The deadlines of a conversation; who acts on them is the conversation itself."""

    def __init__(self, facts: dict[str, object], grace_seconds: float) -> None:
        self._idle_seconds = seconds_of(facts, "idleSeconds")
        self.turn_seconds = seconds_of(facts, "turnSeconds")
        self.handshake_seconds = min(HANDSHAKE_SECONDS, self.turn_seconds or HANDSHAKE_SECONDS)
        self._grace_seconds = grace_seconds
        self._due: dict[str, float] = {}

    def _set(self, name: str, seconds: float | None) -> None:
        if seconds is not None:
            self._due[name] = monotonic() + seconds

    def await_handshake(self) -> None:
        """The agent has to be ready in time."""
        self._set("handshake", self.handshake_seconds)

    def handshake_done(self) -> None:
        """It is."""
        self._due.pop("handshake", None)

    def turn_began(self) -> None:
        """The turn's time runs."""
        self._set("turn", self.turn_seconds)

    def turn_ended(self) -> None:
        """It is over."""
        for name in ("turn", "stop"):
            self._due.pop(name, None)

    def await_end_of_turn(self) -> None:
        """The turn was interrupted: the agent has the grace to end it."""
        self._due.pop("turn", None)
        if "stop" not in self._due:
            self._set("stop", self._grace_seconds)

    def note_idle(self, *, is_idle: bool) -> None:
        """Whether nothing goes on, nor waits."""
        if not is_idle:
            self._due.pop("idle", None)
        elif "idle" not in self._due:
            self._set("idle", self._idle_seconds)

    def take_due(self, now: float) -> list[str]:
        """What is due: `handshake`, `turn`, `stop` or `idle`; each once."""
        due = [name for name, at in self._due.items() if now >= at]
        for name in due:
            del self._due[name]
        return due

    @property
    def next_time(self) -> float | None:
        """When the first of them is."""
        return min(self._due.values(), default=None)


def seconds_of(facts: dict[str, object], name: str) -> float | None:
    """A limit as the session's facts have it; None: there is none."""
    value = facts.get(name)
    return float(value) if isinstance(value, int | float) else None
