"""The tables. The migrations create them, with the comments that the sqlite3 shell shows."""

from datetime import UTC, datetime
from typing import ClassVar

from sqlalchemy import REAL, ForeignKey, func, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedSQLExpression,
    column_property,
    mapped_column,
    relationship,
)

LIVE = ("starting", "running")
ENDED = ("succeeded", "failed", "cancelled", "timed_out", "lost")
STATUSES = LIVE + ENDED
"""`starting → running → one of the ended`; an ended status never changes."""

WORKFLOW_STATUSES = ("active", "paused", "completed", "cancelled", "discarded")
WORKFLOW_OVER = ("completed", "cancelled", "discarded")
"""A workflow that is over never changes again."""


def now() -> str:
    """This moment as the rows hold it: ISO 8601 UTC with milliseconds and a Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Base(DeclarativeBase):
    """The root of the models."""


class Workflow(Base):
    """A piece of work for agents, in stages."""

    __tablename__ = "workflows"

    id: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[str | None]
    template: Mapped[str]
    status: Mapped[str]
    current_stage: Mapped[int]
    created_at: Mapped[str]
    updated_at: Mapped[str]
    project: Mapped[str | None]
    worktree: Mapped[str | None]
    branch: Mapped[str | None]
    base_branch: Mapped[str | None]
    worktree_outcome: Mapped[str | None]
    given_title: Mapped[str | None] = mapped_column("title")
    pinned_at: Mapped[str | None]
    archived_at: Mapped[str | None]

    stages: Mapped[list["Stage"]] = relationship(order_by="Stage.stage_index", lazy="selectin")
    title: ClassVar[MappedSQLExpression[str | None]]  # mapped below, for it reads Message

    @property
    def is_over(self) -> bool:
        """Whether it can never change again."""
        return self.status in WORKFLOW_OVER


class Stage(Base):
    """One step of a workflow, with the gate that must open before the next."""

    __tablename__ = "stages"

    workflow_id: Mapped[str] = mapped_column(ForeignKey("workflows.id"), primary_key=True)
    stage_index: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    type: Mapped[str]
    status: Mapped[str]
    gate_type: Mapped[str]
    gate_satisfied_at: Mapped[str | None]


class Session(Base):
    """One run of an agent. What it printed is in the log at `log_path`."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(primary_key=True)
    workflow_id: Mapped[str] = mapped_column(ForeignKey("workflows.id"))
    stage_index: Mapped[int]
    agent: Mapped[str]
    argv: Mapped[str]
    cwd: Mapped[str | None]
    pid: Mapped[int | None]
    runner_pid: Mapped[int | None]
    host: Mapped[str]
    log_path: Mapped[str]
    status: Mapped[str]
    exit_code: Mapped[int | None]
    exit_signal: Mapped[str | None]
    error: Mapped[str | None]
    log_bytes: Mapped[int | None]
    created_at: Mapped[str]
    started_at: Mapped[str | None]
    ended_at: Mapped[str | None]
    log_stored_bytes: Mapped[int | None]
    log_deleted_at: Mapped[str | None]
    takes_input: Mapped[int]
    talk: Mapped[str | None]
    state: Mapped[str | None]
    mode: Mapped[str | None]
    model: Mapped[str | None]
    conversation_id: Mapped[str | None]
    resumed_from: Mapped[str | None]
    open_approvals: Mapped[str | None]
    session_rules: Mapped[str | None]
    project: Mapped[str | None]

    @property
    def is_live(self) -> bool:
        """Whether the row says that the agent may still print. The lock says if it is true."""
        return self.status in LIVE


class SessionUsage(Base):
    """What a session used, as its agent reported at its end."""

    __tablename__ = "session_usage"

    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id"), primary_key=True)
    input_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    cost_usd: Mapped[float | None] = mapped_column(REAL)
    duration_ms: Mapped[int | None]


class Turn(Base):
    """From a person's message to the agent's rest."""

    __tablename__ = "turns"

    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id"), primary_key=True)
    turn: Mapped[int] = mapped_column(primary_key=True)
    outcome: Mapped[str | None]
    error: Mapped[str | None]
    input_tokens: Mapped[int | None]
    cached_input_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    cost_usd: Mapped[float | None] = mapped_column(REAL)
    duration_ms: Mapped[int | None]
    denied: Mapped[int | None]
    started_at: Mapped[str]
    ended_at: Mapped[str | None]
    first_word_ms: Mapped[int | None]


class Approval(Base):
    """What an agent asked a person for, and who answered what."""

    __tablename__ = "approvals"

    id: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id"))
    turn: Mapped[int | None]
    kind: Mapped[str]
    tool: Mapped[str | None]
    title: Mapped[str | None]
    asked_at: Mapped[str]
    outcome: Mapped[str | None]
    option: Mapped[str | None]
    by: Mapped[str | None]
    message: Mapped[str | None]
    resolved_at: Mapped[str | None]


class Notice(Base):
    """What concerns a person. Triggers make these, one for each event."""

    __tablename__ = "notices"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]
    kind: Mapped[str]
    agent: Mapped[str]
    session_id: Mapped[str | None] = mapped_column(ForeignKey("sessions.id"))
    workflow_id: Mapped[str | None]
    turn: Mapped[int | None]
    approval_id: Mapped[str | None]
    text: Mapped[str | None]
    made_at: Mapped[str]
    is_past: Mapped[int]
    heard_at: Mapped[str | None]
    done_at: Mapped[str | None]


class Webhook(Base):
    """A webhook of the settings, and the last notice that was queued for it."""

    __tablename__ = "webhooks"

    name: Mapped[str] = mapped_column(primary_key=True)
    last_notice: Mapped[int]


class Delivery(Base):
    """A notice on its way to a webhook."""

    __tablename__ = "deliveries"

    webhook: Mapped[str] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"), primary_key=True)
    attempts: Mapped[int]
    next_at: Mapped[str | None]
    delivered_at: Mapped[str | None]
    error: Mapped[str | None]


class SessionCount(Base):
    """How many sessions of an agent have a status; triggers on the table of sessions keep it."""

    __tablename__ = "session_counts"

    agent: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]


class Message(Base):
    """What a person or an agent said in a workflow."""

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    workflow_id: Mapped[str] = mapped_column(ForeignKey("workflows.id"))
    stage_index: Mapped[int]
    session_id: Mapped[str | None] = mapped_column(ForeignKey("sessions.id"))
    role: Mapped[str]
    content: Mapped[str]
    created_at: Mapped[str]
    key_hash: Mapped[str | None]


class IdempotencyKey(Base):
    """A client's key for an invoke, and the session that the first request started."""

    __tablename__ = "idempotency_keys"

    key_hash: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id"))
    created_at: Mapped[str]


TITLE_LETTERS = 120

Workflow.title = column_property(
    func.coalesce(
        Workflow.given_title,
        select(func.substr(Message.content, 1, TITLE_LETTERS))
        .where(Message.workflow_id == Workflow.id, Message.role == "user")
        .order_by(Message.id)
        .limit(1)
        .correlate_except(Message)
        .scalar_subquery(),
    )
)
"""What a person called it, or how what was first said in it begins: what people know a workflow
by. None while it is empty."""
