"""Whether a session's agent reads what people send, and which message a client's key has sent.

Written as SQL, comments included, because `.schema` in the sqlite3 shell shows this text.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# A comment at the end of an added column would hide the parenthesis after it.
STATEMENTS = (
    """
ALTER TABLE sessions ADD COLUMN
    takes_input INTEGER /* its agent reads what people send */
        NOT NULL DEFAULT 0 CHECK (takes_input IN (0, 1))
""",
    """
ALTER TABLE messages ADD COLUMN
    idempotency_key /* of the request that sent it, if it had one */ TEXT
""",
    """
CREATE UNIQUE INDEX messages_by_idempotency_key ON messages (idempotency_key)
    WHERE idempotency_key IS NOT NULL
""",
)


def upgrade() -> None:
    """Add the columns."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement.strip())
