"""What the runner writes to the database: the session's start, its conversation with turns and
approvals, an open gate, the end.

What comes while the agent prints is written by a forked child, so that the runner never
waits for the database. The end is written by the runner itself, when the log is complete;
it tries until it can, and holds all that a child may not have written yet.

The driver is the one that the web uses (the `pysqlite3` wheel): SQLite before 3.51.3 can
corrupt a file that several processes write (https://sqlite.org/wal.html#walresetbug).
"""

import os
import signal
from time import gmtime, sleep, strftime

from pysqlite3 import dbapi2 as sqlite

from webapp.log.usage import UsageRow
from webapp.runner.spec import Spec

_RETRY_SECONDS = 0.1
_START_SQL = """
UPDATE sessions SET status = 'running', pid = :pid, runner_pid = :runner_pid,
    started_at = :started_at
WHERE id = :id AND status = 'starting'
"""
_END_SQL = """
UPDATE sessions SET status = :status, exit_code = :exit_code, exit_signal = :exit_signal,
    error = :error, log_bytes = :log_bytes, ended_at = :ended_at,
    pid = :pid, runner_pid = :runner_pid, started_at = :started_at
WHERE id = :id AND status IN ('starting', 'running')
"""
_GATE_SQL = """
UPDATE stages SET gate_satisfied_at = :at
WHERE workflow_id = :workflow_id AND stage_index = :stage_index
    AND gate_type = 'agent' AND gate_satisfied_at IS NULL
    AND EXISTS (
        SELECT 1 FROM workflows WHERE id = :workflow_id AND current_stage = :stage_index
            AND status IN ('active', 'paused')
    )
"""
_GATE_MESSAGE_SQL = """
INSERT INTO messages (workflow_id, stage_index, session_id, role, content, created_at)
SELECT workflow_id, stage_index, :id, 'system',
    printf('The gate of stage %s is open: its agent says so.', quote(name)), :at
FROM stages WHERE workflow_id = :workflow_id AND stage_index = :stage_index
"""
_WORKFLOW_SQL = "UPDATE workflows SET updated_at = :at WHERE id = :workflow_id"
_ANSWER_SQL = """
INSERT INTO messages (workflow_id, stage_index, session_id, role, content, created_at)
VALUES (:workflow_id, :stage_index, :id, 'agent', :answer, :ended_at)
"""
_TALK_SQL = """
UPDATE sessions SET state = :state, mode = coalesce(:mode, mode), model = coalesce(:model, model),
    session_rules = coalesce(:session_rules, session_rules), open_approvals = :open_approvals
WHERE id = :id
"""
_CONVERSATION_SQL = """
UPDATE OR IGNORE sessions SET conversation_id = :conversation_id WHERE id = :id
"""  # where another live session has the same conversation, its row keeps it
_TALK_COLUMNS = ("state", "mode", "model", "conversation_id", "open_approvals", "session_rules")
_TURN_SQL = """
INSERT OR IGNORE INTO turns (session_id, turn, outcome, error, input_tokens, cached_input_tokens,
    output_tokens, cost_usd, duration_ms, first_word_ms, denied, started_at, ended_at)
VALUES (:id, :turn, :outcome, :error, :input_tokens, :cached_input_tokens,
    :output_tokens, :cost_usd, :duration_ms, :first_word_ms, :denied, :started_at, :ended_at)
ON CONFLICT (session_id, turn) DO UPDATE SET outcome = excluded.outcome, error = excluded.error,
    input_tokens = excluded.input_tokens, cached_input_tokens = excluded.cached_input_tokens,
    output_tokens = excluded.output_tokens, cost_usd = excluded.cost_usd,
    duration_ms = excluded.duration_ms, first_word_ms = excluded.first_word_ms,
    denied = excluded.denied, ended_at = excluded.ended_at
"""
_APPROVAL_SQL = """
INSERT OR IGNORE INTO approvals (id, session_id, turn, kind, tool, title, asked_at,
    outcome, option, by, message, resolved_at)
VALUES (:approval_id, :id, :turn, :kind, :tool, :title, :asked_at,
    :outcome, :option, :by, :message, :resolved_at)
ON CONFLICT (id) DO UPDATE SET outcome = excluded.outcome, option = excluded.option,
    by = excluded.by, message = excluded.message, resolved_at = excluded.resolved_at
"""
_TURN_COLUMNS = (
    *("turn", "outcome", "error", "input_tokens", "cached_input_tokens", "output_tokens"),
    *("cost_usd", "duration_ms", "first_word_ms", "denied", "started_at", "ended_at"),
)
_APPROVAL_COLUMNS = (
    *("turn", "kind", "tool", "title", "asked_at"),
    *("outcome", "option", "by", "message", "resolved_at"),
)
_USAGE_SQL = """
INSERT OR IGNORE INTO session_usage (
    session_id, input_tokens, output_tokens, cost_usd, duration_ms
) VALUES (:id, :input_tokens, :output_tokens, :cost_usd, :duration_ms)
"""


class ConversationUpdate:
    """What the database is to know of a conversation: see `talk/conversation_row.py`."""

    def __init__(
        self,
        columns: dict[str, object],
        turns: list[dict[str, object]],
        approvals: list[dict[str, object]],
    ) -> None:
        self.columns = columns
        self.turns = turns
        self.approvals = approvals


def format_row_time(time_ns: int) -> str:
    """Unix time in nanoseconds as a row holds it: `2026-11-23T21:04:00.123Z`."""
    second, nanosecond = divmod(time_ns, 1_000_000_000)
    return f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(second))}.{nanosecond // 1_000_000:03d}Z"


def fork_writer(
    spec: Spec,
    start: dict[str, object],
    gate_satisfied_at: str | None,
    talk: ConversationUpdate | None,
) -> int:
    """Write what is known by now in a child process; its pid, for the caller to reap."""
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.set_wakeup_fd(-1)  # a signal would write into whatever gets that number next
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # above all the log, and with it the lock

        def write(connection: sqlite.Connection) -> None:
            connection.execute(_START_SQL, {**_keys(spec), **start})
            _open_gate(connection, spec, gate_satisfied_at)
            _write_talk(connection, spec, talk)

        _write(spec, write)
    finally:
        os._exit(0)


def write_end(
    spec: Spec,
    end: dict[str, object],
    gate_satisfied_at: str | None,
    answer: str | None,
    usage: UsageRow | None,
    talk: ConversationUpdate | None,
) -> None:
    """Write the end, what the agent said last and what it used; returns when that is done."""

    def write(connection: sqlite.Connection) -> None:
        _open_gate(connection, spec, gate_satisfied_at)
        values = {**_keys(spec), **end, "answer": answer}
        _write_talk(connection, spec, talk)
        has_ended_now = connection.execute(_END_SQL, values).rowcount
        if has_ended_now and answer is not None:
            connection.execute(_ANSWER_SQL, values)
        if has_ended_now and usage is not None:
            connection.execute(_USAGE_SQL, {**_keys(spec), **usage})

    _write(spec, write)


def _write_talk(connection: sqlite.Connection, spec: Spec, talk: ConversationUpdate | None) -> None:
    if talk is None:
        return
    columns = dict.fromkeys(_TALK_COLUMNS) | talk.columns | {"id": spec.sessionId}
    connection.execute(_TALK_SQL, columns)
    if columns["conversation_id"] is not None:
        connection.execute(_CONVERSATION_SQL, columns)
    for turn in talk.turns:
        values = dict.fromkeys(_TURN_COLUMNS) | turn
        connection.execute(_TURN_SQL, {**values, "id": spec.sessionId})
    for approval in talk.approvals:
        values = dict.fromkeys(_APPROVAL_COLUMNS) | approval
        connection.execute(
            _APPROVAL_SQL, {**values, "approval_id": approval["id"], "id": spec.sessionId}
        )


def _keys(spec: Spec) -> dict[str, object]:
    return {
        "id": spec.sessionId,
        "workflow_id": spec.workflowId,
        "stage_index": spec.stageIndex,
    }


def _open_gate(connection: sqlite.Connection, spec: Spec, satisfied_at: str | None) -> None:
    """Open the gate of the session's stage, if that is the current one and its gate is closed."""
    if satisfied_at is None:
        return
    values = {**_keys(spec), "at": satisfied_at}
    if connection.execute(_GATE_SQL, values).rowcount:
        connection.execute(_GATE_MESSAGE_SQL, values)
        connection.execute(_WORKFLOW_SQL, values)


def _write(spec: Spec, work: object) -> None:
    """Run `work` in a transaction; returns when it is committed, or never can be."""
    while os.path.exists(spec.database):
        try:
            connection = sqlite.connect(spec.database, timeout=0.2, isolation_level=None)
            try:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("BEGIN IMMEDIATE")
                work(connection)  # type: ignore[operator]
                connection.execute("COMMIT")
            finally:
                connection.close()
            return
        except sqlite.OperationalError as error:
            if "no such table" in str(error):
                return  # another database stands in its place: it will never have the row
            # Locked, or its disk is full: somebody else's trouble, and it will pass.
            sleep(_RETRY_SECONDS)
