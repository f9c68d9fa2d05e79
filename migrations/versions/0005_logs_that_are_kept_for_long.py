"""What has become of the log of an ended session: compressed, deleted.

Written as SQL, comments included, because `.schema` in the sqlite3 shell shows this text.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
ALTER TABLE sessions ADD COLUMN log_stored_bytes INTEGER  /* what it takes when compressed */
""",
    """
ALTER TABLE sessions ADD COLUMN log_deleted_at TEXT  /* retention took it; the row stays */
""",
    """
CREATE INDEX ended_sessions_with_a_log ON sessions (  -- for retention: the oldest end first
    ended_at, id, log_bytes, log_stored_bytes
) WHERE ended_at IS NOT NULL AND log_deleted_at IS NULL
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
    CASE WHEN log_deleted_at IS NULL THEN log_path
        ELSE 'deleted ' || strftime('%Y-%m-%d %H:%M:%S', log_deleted_at) END AS log
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
)


def upgrade() -> None:
    """Add the columns, and show them."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement.strip())
