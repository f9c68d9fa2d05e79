"""What the database knows of a conversation, by the records of its log."""

import json
from collections.abc import Callable
from time import time_ns

from webapp.runner.row import ConversationUpdate, format_row_time
from webapp.runner.talk.redacted import shortened

_FIGURES = {
    "inputTokens": "input_tokens",
    "cachedInputTokens": "cached_input_tokens",
    "outputTokens": "output_tokens",
    "costUsd": "cost_usd",
    "durationMs": "duration_ms",
    "firstWordMs": "first_word_ms",
    "denied": "denied",
}


class ConversationRow:
    """Follows the records; the row's writer takes what has changed since it wrote last."""

    def __init__(self, schedule: Callable[[], None]) -> None:
        """`schedule`: have the row written soon."""
        self._schedule = schedule
        self._columns: dict[str, object] = {}
        self._open: dict[str, object] = {}
        self._turns: dict[object, dict[str, object]] = {}
        self._approvals: dict[object, dict[str, object]] = {}
        self._turns_before: dict[object, dict[str, object]] = {}
        self._approvals_before: dict[object, dict[str, object]] = {}

    def note(self, record: dict[str, object]) -> None:
        """A record has been written to the log."""
        kind, now = record["type"], format_row_time(time_ns())
        if kind in ("turn_started", "turn_ended"):
            self._note_turn(record, now)
        elif kind in ("approval", "approval_resolved"):
            self._note_approval(record, now)
        elif kind == "conversation":
            self._columns["conversation_id"] = record["conversationId"]
            self._columns |= {name: record[name] for name in ("mode", "model") if name in record}
        elif kind in ("state", "mode", "model"):
            self._columns[str(kind)] = record[str(kind)]
        else:
            return
        self._schedule()

    def _note_turn(self, record: dict[str, object], now: str) -> None:
        turn = self._turns.setdefault(record["turn"], {"turn": record["turn"]})
        if record["type"] == "turn_started":
            turn["started_at"] = now
            return
        turn |= {"ended_at": now, "outcome": record["outcome"], "error": record.get("error")}
        turn |= {column: record.get(field) for field, column in _FIGURES.items()}

    def _note_approval(self, record: dict[str, object], now: str) -> None:
        approval = self._approvals.setdefault(record["id"], {"id": record["id"]})
        if record["type"] == "approval":
            approval |= {name: record.get(name) for name in ("turn", "kind", "tool", "title")}
            approval["asked_at"] = now
            self._open[str(record["id"])] = shortened(record)
        else:
            approval |= {name: record.get(name) for name in ("outcome", "option", "by", "message")}
            approval["resolved_at"] = now
            self._open.pop(str(record["id"]), None)
        self._columns["open_approvals"] = (
            json.dumps(list(self._open.values())) if self._open else None
        )

    def end(self) -> None:
        """The session ends: it has no state any more."""
        self._columns |= {"state": None, "open_approvals": None}

    def note_rules(self, rules: list[str]) -> None:
        """What a person has allowed for the session by now."""
        self._columns["session_rules"] = json.dumps(rules)
        self._schedule()

    def take(self) -> ConversationUpdate:
        """What has changed since the last but one was taken: the writer of the last may have
        been killed, and all is written once more then."""
        turns, approvals = (
            self._turns_before | self._turns,
            self._approvals_before | self._approvals,
        )
        self._turns_before, self._approvals_before = self._turns, self._approvals
        self._turns = _unfinished(self._turns)
        self._approvals = _unfinished(self._approvals)
        return ConversationUpdate(
            dict(self._columns), list(turns.values()), list(approvals.values())
        )


def _unfinished(rows: dict[object, dict[str, object]]) -> dict[object, dict[str, object]]:
    return {key: columns for key, columns in rows.items() if "outcome" not in columns}
