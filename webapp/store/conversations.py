"""Rows of conversations: which session goes on with one, its turns, what waits for a person."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session as OrmSession

from webapp.log.conversation import (
    OUTCOMES_OF_APPROVALS,
    OUTCOMES_OF_TURNS,
    Approval,
    Conversation,
    Turn,
    amount_of,
    text_of,
    whole_of,
    word_of,
)
from webapp.log.usage import UsageRow
from webapp.store.models import Session
from webapp.store.sessions import SELECT_SESSION_COLUMNS, session_of

_LIVE = f"""
SELECT {SELECT_SESSION_COLUMNS} FROM sessions INDEXED BY live_sessions_by_workflow
WHERE status IN ('starting', 'running') AND workflow_id = :workflow_id AND agent = :agent
    AND talk IS NOT NULL AND coalesce(:stage_index, stage_index) = stage_index
ORDER BY id DESC LIMIT 1
"""  # noqa: S608 - our own names
_LAST = f"""
SELECT {SELECT_SESSION_COLUMNS} FROM sessions INDEXED BY conversations_by_workflow
WHERE workflow_id = :workflow_id AND agent = :agent
    AND (talk IS NOT NULL OR conversation_id IS NOT NULL)
    AND coalesce(:stage_index, stage_index) = stage_index
ORDER BY id DESC LIMIT 1
"""  # noqa: S608 - our own names
_HOLDER = """
SELECT id FROM sessions INDEXED BY live_sessions_by_conversation
WHERE conversation_id = ? AND conversation_id IS NOT NULL AND status IN ('starting', 'running')
"""
_WAITING = """
SELECT id, workflow_id, open_approvals FROM sessions INDEXED BY sessions_that_wait
WHERE open_approvals IS NOT NULL AND status IN ('starting', 'running') ORDER BY id
"""
_INSERT_MESSAGE = """
INSERT INTO messages (workflow_id, stage_index, session_id, role, content, created_at)
VALUES (?, ?, ?, 'user', ?, ?)
"""
_UPSERT_TURN = """
INSERT INTO turns (
    session_id, turn, outcome, error, input_tokens, cached_input_tokens, output_tokens, cost_usd,
    duration_ms, first_word_ms, denied, started_at, ended_at
) SELECT id, :turn, :outcome, :error, :input_tokens, :cached_input_tokens, :output_tokens,
    :cost_usd, :duration_ms, :first_word_ms, :denied, :started_at, :ended_at
FROM sessions WHERE id = :session_id
ON CONFLICT (session_id, turn) DO UPDATE SET
    outcome = excluded.outcome, error = excluded.error, input_tokens = excluded.input_tokens,
    cached_input_tokens = excluded.cached_input_tokens, output_tokens = excluded.output_tokens,
    cost_usd = excluded.cost_usd, duration_ms = excluded.duration_ms,
    first_word_ms = excluded.first_word_ms, denied = excluded.denied,
    ended_at = excluded.ended_at
"""
_UPSERT_APPROVAL = """
INSERT INTO approvals (
    id, session_id, turn, kind, tool, title, asked_at, outcome, option, by, message, resolved_at
) SELECT :id, id, :turn, :kind, :tool, :title, :asked_at, :outcome, :option, :by, :message,
    :resolved_at
FROM sessions WHERE id = :session_id
ON CONFLICT (id) DO UPDATE SET
    outcome = excluded.outcome, option = excluded.option, by = excluded.by,
    message = excluded.message, resolved_at = excluded.resolved_at
WHERE approvals.session_id = excluded.session_id
"""


class ConversationScope(NamedTuple):
    """How far a conversation reaches: an agent's in one stage, or in all of a workflow."""

    workflow_id: str
    stage_index: int | None
    """None: all stages share it."""
    agent: str


def find_live(connection: Any, scope: ConversationScope) -> Session | None:
    """The live session that holds a conversation. For `Database.read_sql` and `write_sql`."""
    return session_of(connection.execute(_LIVE, scope._asdict()).fetchone())


def find_last(connection: Any, scope: ConversationScope) -> Session | None:
    """The newest session of a conversation, live or not. For `Database.read_sql`."""
    return session_of(connection.execute(_LAST, scope._asdict()).fetchone())


def find_holder(connection: Any, conversation_id: str) -> str | None:
    """The live session that holds this very conversation. For `Database.write_sql`."""
    found = connection.execute(_HOLDER, (conversation_id,)).fetchone()
    return None if found is None else str(found[0])


def find_session_of(connection: Any, conversation_id: str) -> str | None:
    """The newest session of a conversation. For `Database.read_sql`; it reads all rows."""
    found = connection.execute(
        "SELECT id FROM sessions WHERE conversation_id = ? ORDER BY id DESC LIMIT 1",
        (conversation_id,),
    ).fetchone()
    return None if found is None else str(found[0])


def add_sent_message(connection: Any, session: Session, content: str, sent_at: str) -> None:
    """Add what a person sent to a live conversation to the history. For `Database.write_sql`."""
    about = session.workflow_id, session.stage_index, session.id
    connection.execute(_INSERT_MESSAGE, (*about, content, sent_at))


class Waiting(NamedTuple):
    """A live session that waits for a person."""

    session_id: str
    workflow_id: str
    open_approvals: str
    """JSON: a list of records."""


def find_waiting(orm: OrmSession) -> list[Waiting]:
    """All live sessions that wait for a person, oldest first."""
    return [Waiting(*row) for row in orm.execute(text(_WAITING))]


# --- rows from a log ----------------------------------------------------------------------


def facts_of(found: Conversation, *, is_live: bool) -> dict[str, object]:
    """The columns of a session that its log tells; what waits only of one that is live."""
    waiting = found.open_approvals if is_live else []
    return {
        "state": found.state if is_live else None,
        "mode": found.mode,
        "model": found.model,
        "conversation_id": found.conversation_id,
        "open_approvals": json.dumps(waiting, ensure_ascii=False) if waiting else None,
        "session_rules": json.dumps(found.rules, ensure_ascii=False) if found.rules else None,
    }


def usage_of(found: Conversation) -> UsageRow | None:
    """What a session used: the sum over its turns. None where none says anything."""
    total: UsageRow = {}
    for turn in found.turns.values():
        row = _turn_row(turn)
        for name in ("input_tokens", "output_tokens", "cost_usd", "duration_ms"):
            value, before = row[name], total.get(name)
            total[name] = value if before is None else before + (value or 0)
    return total if any(value is not None for value in total.values()) else None


def add_turns_and_approvals(
    execute: Callable[[str, dict[str, Any]], object], session_id: str, found: Conversation
) -> None:
    """Insert what a log tells, or bring it up to date; rows of other sessions stay."""
    for turn in found.turns.values():
        execute(_UPSERT_TURN, {"session_id": session_id, **_turn_row(turn)})
    for approval_id, approval in found.approvals.items():
        row = _approval_row(approval)
        execute(_UPSERT_APPROVAL, {"id": approval_id, "session_id": session_id, **row})


def _turn_row(turn: Turn) -> dict[str, Any]:
    facts = turn.facts
    return {
        "turn": turn.number,
        "outcome": word_of(facts, "outcome", OUTCOMES_OF_TURNS),
        "error": text_of(facts, "error"),
        "input_tokens": whole_of(facts, "inputTokens"),
        "cached_input_tokens": whole_of(facts, "cachedInputTokens"),
        "output_tokens": whole_of(facts, "outputTokens"),
        "cost_usd": amount_of(facts, "costUsd"),
        "duration_ms": whole_of(facts, "durationMs"),
        "first_word_ms": whole_of(facts, "firstWordMs"),
        "denied": whole_of(facts, "denied"),
        "started_at": _row_time(turn.started_at),
        "ended_at": _row_time(turn.ended_at),
    }


def _approval_row(approval: Approval) -> dict[str, Any]:
    asked, answer = approval.record, approval.resolution or {}
    return {
        "turn": approval.turn,
        "kind": asked["kind"],
        "tool": text_of(asked, "tool"),
        "title": text_of(asked, "title"),
        "asked_at": _row_time(approval.asked_at),
        "outcome": word_of(answer, "outcome", OUTCOMES_OF_APPROVALS),
        "option": text_of(answer, "option"),
        "by": text_of(answer, "by"),
        "message": text_of(answer, "message"),
        "resolved_at": _row_time(approval.resolved_at),
    }


def _row_time(record_time: str | None) -> str | None:
    """A record's time as the rows have it."""
    return None if record_time is None else f"{record_time[:23]}Z"
