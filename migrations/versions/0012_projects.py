"""Projects: where a conversation works, the worktree that it has for itself, and its marks.

Written as SQL, comments included, because `.schema` in the sqlite3 shell shows this text.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# A comment at the end of an added column would hide the parenthesis after it.
STATEMENTS = (
    """
ALTER TABLE workflows ADD COLUMN
    project /* its name in the settings, or its path below one of their roots; NULL: none */ TEXT
""",
    """
ALTER TABLE workflows ADD COLUMN
    worktree /* the path of the git worktree that its agents work in; NULL: none */ TEXT
""",
    "ALTER TABLE workflows ADD COLUMN branch /* what that worktree has checked out */ TEXT",
    """
ALTER TABLE workflows ADD COLUMN
    base_branch /* the branch that it began from, and is merged into */ TEXT
""",
    """
ALTER TABLE workflows ADD COLUMN
    worktree_outcome /* NULL while the worktree is there */
        TEXT CHECK (worktree_outcome IN ('merged', 'kept', 'discarded'))
""",
    """
ALTER TABLE workflows ADD COLUMN
    title /* what a person called it; NULL: it is known by its first message */ TEXT
""",
    "ALTER TABLE workflows ADD COLUMN pinned_at TEXT",
    "ALTER TABLE workflows ADD COLUMN archived_at TEXT",
    "ALTER TABLE sessions ADD COLUMN project /* as its workflow had it */ TEXT",
    """
CREATE INDEX workflows_by_project ON workflows (project, id) WHERE project IS NOT NULL
""",
    """
CREATE INDEX workflows_with_worktree ON workflows (id)
    WHERE worktree IS NOT NULL AND worktree_outcome IS NULL
""",
    """
CREATE INDEX sessions_by_project ON sessions (project, id) WHERE project IS NOT NULL
""",
)


def upgrade() -> None:
    """Add the columns, and the indexes of what is listed by them."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement.strip())
