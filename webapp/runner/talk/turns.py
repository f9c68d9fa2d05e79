"""Turns: from a person's message to the agent's rest."""

from collections.abc import Callable
from time import monotonic

MAX_FIGURE = 1 << 53


def figure(value: object) -> int | None:
    """A count that an agent gives, if it makes sense."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and 0 <= value < MAX_FIGURE else None  # type: ignore[operator,return-value]


class Turns:
    """The turn that goes on, and its number."""

    def __init__(self, append: Callable[[dict[str, object]], None]) -> None:
        self._append = append
        self._count = 0
        self._began_at = 0.0
        self._first_word_ms: int | None = None
        self.is_active = False
        self.message_ids: list[str] = []
        """Those that it was begun for."""

    @property
    def number(self) -> int | None:
        """That of the turn which goes on."""
        return self._count if self.is_active else None

    @property
    def ended(self) -> int:
        """How many have ended."""
        return self._count - self.is_active

    @property
    def awaits_word(self) -> bool:
        """Whether the agent has said nothing yet in this turn."""
        return self.is_active and self._first_word_ms is None

    def note_word(self) -> None:
        """The agent says something for the first time in this turn."""
        self._first_word_ms = self._elapsed_ms()

    def _elapsed_ms(self) -> int:
        return int((monotonic() - self._began_at) * 1000)

    def begin(self, message_ids: list[str]) -> None:
        """Record its begin."""
        self._count += 1
        self._began_at = monotonic()
        self._first_word_ms = None
        self.is_active = True
        self.message_ids = message_ids
        record: dict[str, object] = {"type": "turn_started", "turn": self._count}
        self._append(record | ({"messageIds": message_ids} if message_ids else {}))

    def end(self, outcome: str, error: str | None, **figures: object) -> None:
        """Record its end, with what it took as far as the agent says so."""
        self.is_active = False
        record: dict[str, object] = {
            "type": "turn_ended",
            "turn": self._count,
            "outcome": outcome,
            "error": error,
            "durationMs": self._elapsed_ms(),
            "firstWordMs": self._first_word_ms,
            **figures,
        }
        self._append({name: value for name, value in record.items() if value is not None})
