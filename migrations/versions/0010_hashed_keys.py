"""Clients' idempotency keys are stored as hashes: a client may have put a secret into one.

A column's new name tells what it holds, also in the sqlite3 shell.
"""

import hashlib

from alembic import op

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None

STATEMENTS = (
    "PRAGMA secure_delete = ON",  # the keys that were there must not stay in free pages
    "ALTER TABLE idempotency_keys RENAME COLUMN key TO key_hash",
    "UPDATE idempotency_keys SET key_hash = sha256_hex(key_hash)",
    "ALTER TABLE messages RENAME COLUMN idempotency_key TO key_hash",
    "UPDATE messages SET key_hash = sha256_hex(key_hash) WHERE key_hash IS NOT NULL",
)


def upgrade() -> None:
    """Rename the columns, and hash what they hold."""
    connection = op.get_bind()
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.create_function("sha256_hex", 1, _sha256_hex, deterministic=True)
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)


def _sha256_hex(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
