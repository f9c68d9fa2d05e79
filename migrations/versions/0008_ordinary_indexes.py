"""Lists are found by ordinary indexes, and words by the search index: the other one goes.

Its pages stay in the file and are used again.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATEMENTS = (
    "DROP TRIGGER a_new_session_is_not_indexed",
    "DROP TRIGGER a_session_that_changes_is_not_indexed",
    "DROP TRIGGER a_session_that_was_told_more_is_not_indexed",
    "DROP TRIGGER a_session_that_is_gone_waits_for_no_index",
    "DROP TABLE unindexed_sessions",
    "DROP TABLE session_index",
)


def upgrade() -> None:
    """Remove the index of sessions by hashed words, and what kept it."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)
