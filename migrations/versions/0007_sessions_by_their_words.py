"""Sessions are found by their words, and where filters hardly meet: an inverted index.

Written as SQL, comments included, because `.schema` in the sqlite3 shell shows this text.
The sessions that are there are only put down as not yet indexed, a second's work for a million;
the keeper indexes them in the background, and until then lists are found without the index.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    # No comment after USING: SQLite hands what stands in the parentheses to FTS5 as it is.
    """
CREATE VIRTUAL TABLE session_index  -- where to look for ended sessions: it says when they were made
-- The rowid is that millisecond of Unix time. It holds no text, so that only MATCH finds anything:
-- letters in threes of what started a session, its error and its request id, and a word of three
-- letters for its agent, its status and its workflow, as webapp/store/session_index.py makes them.
USING fts5 (
    words, agent, status, workflow,
    tokenize = 'trigram', content = '', detail = none, columnsize = 0
)
""",
    """
CREATE TABLE unindexed_sessions (  -- not in session_index: those that live, and the last that ended
    session_id TEXT NOT NULL PRIMARY KEY  -- put here by triggers, taken away by the keeper
) STRICT, WITHOUT ROWID
""",
    "INSERT INTO unindexed_sessions SELECT id FROM sessions ORDER BY id",
    """
CREATE TRIGGER a_new_session_is_not_indexed
AFTER INSERT ON sessions
BEGIN
    INSERT INTO unindexed_sessions SELECT NEW.id WHERE NOT EXISTS
        (SELECT 1 FROM unindexed_sessions WHERE session_id = NEW.id);
END
""",
    """
CREATE TRIGGER a_session_that_changes_is_not_indexed
AFTER UPDATE OF status, agent, error, workflow_id ON sessions
WHEN NEW.status IS NOT OLD.status OR NEW.agent IS NOT OLD.agent
    OR NEW.error IS NOT OLD.error OR NEW.workflow_id IS NOT OLD.workflow_id
BEGIN
    INSERT INTO unindexed_sessions SELECT NEW.id WHERE NOT EXISTS
        (SELECT 1 FROM unindexed_sessions WHERE session_id = NEW.id);
END
""",
    """
CREATE TRIGGER a_session_that_was_told_more_is_not_indexed
AFTER INSERT ON messages
WHEN NEW.role = 'user' AND NEW.session_id IS NOT NULL
BEGIN
    INSERT INTO unindexed_sessions SELECT NEW.session_id WHERE NOT EXISTS
        (SELECT 1 FROM unindexed_sessions WHERE session_id = NEW.session_id);
END
""",
    """
CREATE TRIGGER a_session_that_is_gone_waits_for_no_index
AFTER DELETE ON sessions
BEGIN
    DELETE FROM unindexed_sessions WHERE session_id = OLD.id;
END
""",
)


def upgrade() -> None:
    """Make the index, empty, and put down what is to go into it."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement.strip())
