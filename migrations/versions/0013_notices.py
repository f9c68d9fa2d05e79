"""What concerns a person: made once for each event, and what is sent about it.

Triggers make the notices, in the transaction that writes the event itself: it makes no difference
whether the runner writes it or whoever finds that the runner is gone. Rows that are inserted as
ended, by a rebuild or an import, are no events.

Written as SQL, comments included, because `.schema` in the sqlite3 shell shows this text.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# In a trigger SQLite ignores OR IGNORE where the statement outside is an upsert.
_TURN_NOTICE = """
CREATE TRIGGER {}
AFTER {} ON turns
WHEN NEW.ended_at IS NOT NULL AND (NEW.outcome <> 'interrupted' OR NEW.error IS NOT NULL)
BEGIN
    INSERT INTO notices
        (key, kind, agent, session_id, workflow_id, turn, text, made_at)
    SELECT NEW.session_id || '/' || NEW.turn,
        CASE NEW.outcome WHEN 'completed' THEN 'turn_ended' ELSE 'failed' END,
        agent, id, workflow_id, NEW.turn, substr(NEW.error, 1, 500), NEW.ended_at
    FROM sessions WHERE id = NEW.session_id AND status IN ('starting', 'running')
        AND NOT EXISTS (SELECT 1 FROM notices WHERE key = NEW.session_id || '/' || NEW.turn);
END
"""
STATEMENTS = (
    """
CREATE TABLE notices (  -- what concerns a person; triggers make these, one for each event
    id          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    key         TEXT NOT NULL UNIQUE,     -- of the event: an event that is written again makes none
    kind        TEXT NOT NULL
        CHECK (kind IN ('approval', 'question', 'turn_ended', 'failed', 'lost', 'budget')),
    agent       TEXT NOT NULL,
    session_id  TEXT REFERENCES sessions (id) ON DELETE CASCADE,  -- NULL: about the agent
    workflow_id TEXT,
    turn        INTEGER,
    approval_id TEXT,
    text        TEXT,                     -- what is asked for, or what went wrong
    made_at     TEXT NOT NULL,
    is_past     INTEGER NOT NULL DEFAULT 0 CHECK (is_past IN (0, 1)),  -- made again from a log
    heard_at    TEXT,                     -- somebody was looking: no device need call
    done_at     TEXT                      -- it was answered, or somebody has looked since
) STRICT
""",
    "CREATE INDEX notices_by_session ON notices (session_id)",
    "CREATE INDEX open_notices ON notices (id) WHERE done_at IS NULL",
    "CREATE INDEX open_notices_by_workflow ON notices (workflow_id) WHERE done_at IS NULL",
    """
CREATE TABLE webhooks (  -- the webhooks of the settings, and how far their notices were queued
    name        TEXT NOT NULL PRIMARY KEY,
    last_notice INTEGER NOT NULL
) STRICT, WITHOUT ROWID
""",
    """
CREATE TABLE deliveries (  -- notices on their way to a webhook
    webhook      TEXT NOT NULL,
    notice_id    INTEGER NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
    attempts     INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_at      TEXT,                    -- of the next attempt; NULL: there is none
    delivered_at TEXT,                    -- NULL and no next attempt: given up, a dead letter
    error        TEXT,                    -- of the last attempt
    PRIMARY KEY (webhook, notice_id)
) STRICT, WITHOUT ROWID
""",
    "CREATE INDEX deliveries_by_notice ON deliveries (notice_id)",
    """
CREATE INDEX deliveries_to_make ON deliveries (webhook, next_at) WHERE next_at IS NOT NULL
""",
    """
CREATE TRIGGER an_approval_that_is_asked_for_makes_a_notice
AFTER INSERT ON approvals
WHEN NEW.outcome IS NULL
BEGIN
    INSERT INTO notices
        (key, kind, agent, session_id, workflow_id, turn, approval_id, text, made_at)
    SELECT NEW.id, CASE NEW.kind WHEN 'question' THEN 'question' ELSE 'approval' END,
        agent, id, workflow_id, NEW.turn, NEW.id,
        substr(coalesce(NEW.title, NEW.tool, NEW.kind), 1, 500), NEW.asked_at
    FROM sessions WHERE id = NEW.session_id AND status IN ('starting', 'running')
        AND NOT EXISTS (SELECT 1 FROM notices WHERE key = NEW.id);
END
""",
    """
CREATE TRIGGER an_approval_that_is_resolved_ends_its_notice
AFTER UPDATE OF outcome ON approvals
WHEN NEW.outcome IS NOT NULL AND OLD.outcome IS NULL
BEGIN
    UPDATE notices SET done_at = coalesce(NEW.resolved_at, made_at)
    WHERE key = NEW.id AND done_at IS NULL;
END
""",
    _TURN_NOTICE.format("a_turn_that_is_written_once_makes_a_notice", "INSERT"),
    _TURN_NOTICE.format("a_turn_that_ends_makes_a_notice", "UPDATE OF ended_at"),
    # The turn that failed with its session has made a notice already.
    """
CREATE TRIGGER a_session_that_ends_makes_a_notice
AFTER UPDATE OF status ON sessions
WHEN OLD.status IN ('starting', 'running')
    AND (NEW.status IN ('failed', 'timed_out', 'lost')
        OR (NEW.status = 'succeeded' AND NEW.talk IS NULL))
BEGIN
    INSERT INTO notices
        (key, kind, agent, session_id, workflow_id, text, made_at)
    SELECT NEW.id || '/end',
        CASE NEW.status WHEN 'succeeded' THEN 'turn_ended' WHEN 'lost' THEN 'lost'
            ELSE 'failed' END,
        NEW.agent, NEW.id, NEW.workflow_id,
        substr(coalesce(NEW.error, NEW.exit_signal, 'exit code ' || nullif(NEW.exit_code, 0)),
            1, 500),
        NEW.ended_at
    WHERE NOT EXISTS (SELECT 1 FROM notices WHERE key = NEW.id || '/end')
        AND (NEW.status = 'lost' OR NOT EXISTS (
            SELECT 1 FROM turns WHERE session_id = NEW.id AND outcome IN ('failed', 'refused')
                AND turn = (SELECT max(turn) FROM turns WHERE session_id = NEW.id)
        ));
END
""",
    """
CREATE TRIGGER a_message_of_a_person_ends_notices
AFTER INSERT ON messages
WHEN NEW.role = 'user'
BEGIN
    UPDATE notices SET done_at = NEW.created_at
    WHERE workflow_id = NEW.workflow_id AND done_at IS NULL AND approval_id IS NULL
        AND made_at <= NEW.created_at;
END
""",
    """
ALTER TABLE turns ADD COLUMN
    first_word_ms /* from its start until its agent said something */
        INTEGER CHECK (first_word_ms >= 0)
""",
    """
CREATE VIEW costs AS  -- what agents cost, turn by turn where they have turns
SELECT turns.session_id, turn, turns.ended_at AS at, turns.cost_usd,
    turns.input_tokens, turns.output_tokens
FROM turns WHERE turns.ended_at IS NOT NULL
UNION ALL
SELECT session_usage.session_id, NULL, sessions.ended_at, session_usage.cost_usd,
    session_usage.input_tokens, session_usage.output_tokens
FROM session_usage JOIN sessions ON sessions.id = session_usage.session_id
WHERE sessions.talk IS NULL AND sessions.ended_at IS NOT NULL
""",
    "CREATE INDEX turns_by_end ON turns (ended_at) WHERE ended_at IS NOT NULL",
)


def upgrade() -> None:
    """Add the tables, and the triggers that fill the first of them."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement.strip())
