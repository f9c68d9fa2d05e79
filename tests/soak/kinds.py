"""The sessions of the soak: what each prints, and how it must end."""

import random
from dataclasses import dataclass
from typing import Any

from tests.bench.programs import program


@dataclass(frozen=True)
class Kind:
    """One kind of session. Its lines are `{"type":"line","n":1}` and so on."""

    agent: str
    least_lines: int
    most_lines: int
    status: str = "succeeded"
    exit_code: int | None = 0
    cancel_after_seconds: float | None = None
    weight: float = 1
    """How often it comes, beside the others."""

    def choose_lines(self) -> int:
        """How many lines the next one prints, unless it is cancelled."""
        return random.randint(self.least_lines, self.most_lines)


KINDS = (
    Kind("brisk", 20, 200, weight=5),
    Kind("steady", 50, 300, weight=4),
    Kind("steady", 600, 1200, weight=0.5),
    Kind("burst", 5000, 5000, weight=0.5),
    Kind("failing", 1, 1, status="failed", exit_code=3),
    Kind("steady", 100_000, 100_000, "cancelled", None, cancel_after_seconds=5),
)


def profiles() -> dict[str, dict[str, Any]]:
    """The agents; the message is the number of lines."""
    ticker = program("ticker")
    agents: dict[str, dict[str, Any]] = {
        name: {"command": [ticker, "numbered", str(rate), "{message}"]}
        for name, rate in (("steady", 10), ("brisk", 100), ("burst", 1_000_000))
    }
    script = """echo '{"type":"line","n":1}'; echo 'it did not work' >&2; exit 3"""
    return agents | {"failing": {"command": ["/bin/sh", "-c", script], "message": "stdin"}}


def choose() -> Kind:
    """What is started next."""
    return random.choices(KINDS, [kind.weight for kind in KINDS])[0]
