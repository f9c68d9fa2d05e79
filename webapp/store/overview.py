"""Figures for the overview: what happened on each day, by each agent, in each project."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median

from sqlalchemy import text
from sqlalchemy.orm import Session as OrmSession

from webapp.store.costs import MAX_SESSION_DAYS, first_id

MAX_WORDS = 200_000
"""Times to the first word that are looked at, the newest first."""

_SESSIONS = text("""
SELECT substr(created_at, 1, 10), agent, coalesce(project, ''),
    count(*), sum(status = 'succeeded'), sum(status IN ('failed', 'timed_out', 'lost')),
    sum(status = 'cancelled')
FROM sessions WHERE id >= :first_id AND created_at >= :day GROUP BY 1, 2, 3
""")
_COSTS = text("""
SELECT substr(at, 1, 10), agent, coalesce(project, ''), sum(costs.cost_usd),
    sum(costs.input_tokens), sum(costs.output_tokens)
FROM sessions JOIN costs ON costs.session_id = sessions.id
WHERE sessions.id >= :earlier_id AND at >= :day GROUP BY 1, 2, 3
""")
_WORDS = text("""
SELECT substr(turns.ended_at, 1, 10), agent, coalesce(project, ''), first_word_ms
FROM turns INDEXED BY turns_by_end JOIN sessions ON sessions.id = turns.session_id
WHERE turns.ended_at >= :day AND first_word_ms IS NOT NULL
ORDER BY turns.ended_at DESC LIMIT :max_words
""").bindparams(max_words=MAX_WORDS)
_WAITS = text("""
SELECT substr(asked_at, 1, 10), agent, coalesce(project, ''),
    sum(max(0, (julianday(coalesce(resolved_at, 'now')) - julianday(asked_at)) * 86400.0))
FROM approvals JOIN sessions ON sessions.id = session_id
WHERE approvals.id >= :earlier_id AND asked_at >= :day AND by IS NOT 'rule' GROUP BY 1, 2, 3
""")


@dataclass
class Figures:
    """What one agent did on one day in one project; or the sum of several such."""

    sessions: int = 0
    succeeded: int = 0
    failed: int = 0
    cancelled: int = 0
    cost_usd: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    waited_seconds: float = 0.0
    """How long agents waited for a person."""
    words_ms: list[int] = field(default_factory=list)
    """How long each turn took until its agent said something."""

    @property
    def live(self) -> int:
        """How many have not ended."""
        return max(0, self.sessions - self.succeeded - self.failed - self.cancelled)

    @property
    def first_word_seconds(self) -> float | None:
        """The median of the times to the first word."""
        return median(self.words_ms) / 1000 if self.words_ms else None

    def add(self, other: "Figures") -> None:
        """Count what another one counts too."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass(frozen=True)
class Key:
    """What figures are about."""

    day: str
    agent: str
    project: str
    """Empty: none."""


def first_day(days: int) -> str:
    """The first of the last so many days, today being the last one."""
    return (datetime.now(UTC).date() - timedelta(days=days - 1)).isoformat()


def days_since(day: str) -> list[str]:
    """All days from one on, up to today."""
    first, today = datetime.fromisoformat(day).date(), datetime.now(UTC).date()
    return [(first + timedelta(days=n)).isoformat() for n in range((today - first).days + 1)]


def read_figures(orm: OrmSession, since_day: str) -> dict[Key, Figures]:
    """All figures since a day began."""
    start = datetime.fromisoformat(f"{since_day}T00:00:00+00:00")
    earlier = start - timedelta(days=MAX_SESSION_DAYS)
    values = {
        "day": since_day,
        "first_id": first_id(int((start - timedelta(days=1)).timestamp() * 1000)),
        "earlier_id": first_id(int(earlier.timestamp() * 1000)),
    }
    found: dict[Key, Figures] = defaultdict(Figures)
    for *key, sessions, succeeded, failed, cancelled in orm.execute(_SESSIONS, values):
        found[Key(*key)].add(Figures(sessions, succeeded, failed, cancelled))
    for *key, cost, read, written in orm.execute(_COSTS, values):
        found[Key(*key)].add(
            Figures(cost_usd=cost or 0.0, input_tokens=read or 0, output_tokens=written or 0)
        )
    for *key, first_word_ms in orm.execute(_WORDS, values):
        found[Key(*key)].words_ms.append(first_word_ms)
    for *key, seconds in orm.execute(_WAITS, values):
        found[Key(*key)].waited_seconds += seconds or 0.0
    return dict(found)


def grouped(found: dict[Key, Figures], by: str, names: Iterable[str] = ()) -> dict[str, Figures]:
    """The figures by `day`, `agent` or `project`; `names` are those that come first, in order."""
    groups = {name: Figures() for name in names}
    for key, figures in found.items():
        groups.setdefault(getattr(key, by), Figures()).add(figures)
    return groups


def total(found: dict[Key, Figures]) -> Figures:
    """The sum of all."""
    whole = Figures()
    for figures in found.values():
        whole.add(figures)
    return whole
