"""Lists of a million sessions stay quick: counts that are kept, and an index for each order.

Written as SQL, comments included, because `.schema` in the sqlite3 shell shows this text.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
CREATE TABLE session_counts (  -- how many sessions there are; triggers on sessions keep it
    agent  TEXT NOT NULL,
    status TEXT NOT NULL,
    count  INTEGER NOT NULL CHECK (count >= 0),
    PRIMARY KEY (agent, status)
) STRICT, WITHOUT ROWID
""",
    """
CREATE TRIGGER a_new_session_is_counted
AFTER INSERT ON sessions
BEGIN
    INSERT INTO session_counts SELECT NEW.agent, NEW.status, 0 WHERE NOT EXISTS
        (SELECT 1 FROM session_counts WHERE agent = NEW.agent AND status = NEW.status);
    UPDATE session_counts SET count = count + 1 WHERE agent = NEW.agent AND status = NEW.status;
END
""",
    """
CREATE TRIGGER a_session_is_counted_by_its_status
AFTER UPDATE OF status, agent ON sessions
WHEN NEW.status IS NOT OLD.status OR NEW.agent IS NOT OLD.agent
BEGIN
    UPDATE session_counts SET count = count - 1 WHERE agent = OLD.agent AND status = OLD.status;
    INSERT INTO session_counts SELECT NEW.agent, NEW.status, 0 WHERE NOT EXISTS
        (SELECT 1 FROM session_counts WHERE agent = NEW.agent AND status = NEW.status);
    UPDATE session_counts SET count = count + 1 WHERE agent = NEW.agent AND status = NEW.status;
END
""",
    """
CREATE TRIGGER a_session_that_is_gone_is_not_counted
AFTER DELETE ON sessions
BEGIN
    UPDATE session_counts SET count = count - 1 WHERE agent = OLD.agent AND status = OLD.status;
END
""",
    """
INSERT INTO session_counts SELECT agent, status, count(*) FROM sessions GROUP BY agent, status
""",
    "CREATE INDEX sessions_by_agent ON sessions (agent, status, id)",
    # Word for word as store/session_list.py asks for it, else SQLite does not know it again.
    """
CREATE INDEX ended_sessions_by_duration ON sessions (
    max(0, CAST(round((julianday(ended_at) - julianday(coalesce(started_at, ended_at)))
        * 86400000.0) AS INTEGER)),  -- in milliseconds
    id
) WHERE ended_at IS NOT NULL
""",
    """
CREATE INDEX ended_sessions_by_log_bytes ON sessions (coalesce(log_bytes, 0), id)
    WHERE ended_at IS NOT NULL
""",
)


def upgrade() -> None:
    """Count what there is, and keep it counted."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement.strip())
