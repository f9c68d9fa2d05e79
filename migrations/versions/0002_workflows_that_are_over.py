"""A workflow that is over never changes its status or its stage again.

Written as SQL, comments included, because `.schema` in the sqlite3 shell shows this text.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
CREATE TRIGGER a_workflow_that_is_over_never_changes
BEFORE UPDATE OF status, current_stage ON workflows
WHEN OLD.status IN ('completed', 'cancelled', 'discarded')
    AND (NEW.status IS NOT OLD.status OR NEW.current_stage IS NOT OLD.current_stage)
BEGIN
    SELECT raise(ABORT, 'a workflow that is over never changes again');
END
""",
    # An auto gate is open from the start; workflows made before this did not say so.
    """
UPDATE stages SET gate_satisfied_at =
    (SELECT created_at FROM workflows WHERE workflows.id = stages.workflow_id)
WHERE gate_type = 'auto' AND gate_satisfied_at IS NULL
""",
)


def upgrade() -> None:
    """Add the rule."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement.strip())
