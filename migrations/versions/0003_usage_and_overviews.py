"""What a session used, and the views that questions of cost and of history need.

Written as SQL, comments included, because `.schema` in the sqlite3 shell shows this text.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
CREATE TABLE session_usage (  -- what a session used, as its agent told it; no row: it told nothing
    session_id    TEXT NOT NULL PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    input_tokens  INTEGER CHECK (input_tokens >= 0),   -- what was read from a cache included
    output_tokens INTEGER CHECK (output_tokens >= 0),
    cost_usd      REAL    CHECK (cost_usd >= 0),
    duration_ms   INTEGER CHECK (duration_ms >= 0)     -- as the agent counts it
) STRICT, WITHOUT ROWID
""",
    "DROP VIEW live_sessions",
    "DROP VIEW session_overview",
    """
CREATE VIEW session_overview AS  -- one readable line a session, newest first
SELECT
    id AS session,
    status,
    CASE                         -- how it ended, or which process it is
        WHEN exit_signal IS NOT NULL THEN exit_signal
        WHEN exit_code IS NOT NULL THEN 'exit ' || exit_code
        WHEN error IS NOT NULL THEN error
        WHEN status IN ('starting', 'running') THEN 'pid ' || coalesce(pid, '?')
        ELSE ''
    END AS outcome,
    agent,
    strftime('%Y-%m-%d %H:%M:%S', created_at) AS started,
    CASE WHEN started_at IS NULL THEN '' ELSE printf('%.1f s',
        (julianday(coalesce(ended_at, 'now')) - julianday(started_at)) * 86400.0
    ) END AS took,
    CASE
        WHEN log_bytes IS NULL THEN ''
        WHEN log_bytes < 10000 THEN log_bytes || ' B'
        WHEN log_bytes < 10000000 THEN (log_bytes / 1000) || ' kB'
        ELSE (log_bytes / 1000000) || ' MB'
    END AS log_size,
    CASE WHEN cost_usd IS NULL THEN '' ELSE printf('$%.4f', cost_usd) END AS cost,
    workflow_id AS workflow,
    stage_index AS stage,        -- the first one is 0
    log_path AS log
FROM sessions
LEFT JOIN session_usage ON session_id = id
ORDER BY id DESC
""",
    """
CREATE VIEW live_sessions AS  -- what runs now; the lock on the log has the last word
SELECT session, status, outcome, agent, started, took, workflow, stage, log
FROM session_overview
WHERE status IN ('starting', 'running')
""",
    """
CREATE VIEW stage_overview AS  -- one readable line a stage: its gate, its sessions, what they cost
SELECT
    stages.workflow_id AS workflow,
    stages.stage_index AS stage,  -- the first one is 0
    name,
    stages.status,
    gate_type || CASE WHEN gate_satisfied_at IS NULL THEN ', closed' ELSE ', open' END AS gate,
    count(sessions.id) AS sessions,
    coalesce(sum(sessions.status IN ('failed', 'timed_out', 'lost')), 0) AS failed,
    round(sum((julianday(coalesce(ended_at, 'now')) - julianday(started_at)) * 86400.0), 1)
        AS seconds,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(cost_usd) AS cost_usd     -- NULL where no agent told any
FROM stages
LEFT JOIN sessions ON sessions.workflow_id = stages.workflow_id
    AND sessions.stage_index = stages.stage_index
LEFT JOIN session_usage ON session_usage.session_id = sessions.id
GROUP BY stages.workflow_id, stages.stage_index
""",
    """
CREATE VIEW history AS  -- what was said in each workflow, in order
SELECT
    messages.workflow_id AS workflow,
    strftime('%Y-%m-%d %H:%M:%S', messages.created_at) AS at,
    coalesce(CASE role WHEN 'agent' THEN agent END, role) AS who,  -- user, system, or the agent
    content AS said,
    messages.stage_index AS stage,
    session_id AS session         -- the one that it started, or that said it
FROM messages
LEFT JOIN sessions ON sessions.id = session_id
ORDER BY messages.workflow_id, messages.id
""",
)


def upgrade() -> None:
    """Add the table and the views."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement.strip())
