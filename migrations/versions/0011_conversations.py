"""Conversations: what a session that talks is doing, its turns, and what people allowed.

Written as SQL, comments included, because `.schema` in the sqlite3 shell shows this text.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# A comment at the end of an added column would hide the parenthesis after it.
STATEMENTS = (
    """
ALTER TABLE sessions ADD COLUMN
    talk /* the protocol of an agent that holds a conversation, such as claude; NULL: it does not */
        TEXT
""",
    """
ALTER TABLE sessions ADD COLUMN
    state /* of a live one that talks; waiting: for a person */
        TEXT CHECK (state IN ('working', 'waiting', 'idle'))
""",
    "ALTER TABLE sessions ADD COLUMN mode /* what it may do unasked, in its agent's words */ TEXT",
    "ALTER TABLE sessions ADD COLUMN model /* as its agent names it */ TEXT",
    """
ALTER TABLE sessions ADD COLUMN
    conversation_id /* its agent's own id of what it remembers; later sessions go on with it */ TEXT
""",
    """
ALTER TABLE sessions ADD COLUMN
    resumed_from /* the session that held this conversation before */ TEXT
""",
    """
ALTER TABLE sessions ADD COLUMN
    open_approvals /* what waits for a person, without secrets; NULL: nothing */
        TEXT CHECK (json_valid(open_approvals))
""",
    """
ALTER TABLE sessions ADD COLUMN
    session_rules /* what a person allowed for as long as the conversation goes on */
        TEXT CHECK (json_valid(session_rules))
""",
    """
CREATE TABLE turns (  -- from a person's message to the agent's rest
    session_id          TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    turn                INTEGER NOT NULL CHECK (turn >= 1),  -- the first one of its session is 1
    outcome             TEXT                                 -- NULL while it goes on
        CHECK (outcome IN ('completed', 'interrupted', 'failed', 'refused')),
    error               TEXT,
    input_tokens        INTEGER CHECK (input_tokens >= 0),   -- what was read from a cache included
    cached_input_tokens INTEGER CHECK (cached_input_tokens >= 0),
    output_tokens       INTEGER CHECK (output_tokens >= 0),
    cost_usd            REAL    CHECK (cost_usd >= 0),       -- of this turn alone
    duration_ms         INTEGER CHECK (duration_ms >= 0),
    denied              INTEGER CHECK (denied >= 0),         -- how many approvals were denied
    started_at          TEXT NOT NULL,
    ended_at            TEXT,
    PRIMARY KEY (session_id, turn)
) STRICT, WITHOUT ROWID
""",
    """
CREATE TABLE approvals (  -- what agents asked people for, and who answered what
    id          TEXT NOT NULL PRIMARY KEY,  -- <session id>.<number>
    session_id  TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    turn        INTEGER,                    -- NULL: outside of any turn
    kind        TEXT NOT NULL
        CHECK (kind IN ('command', 'edit', 'tool', 'plan', 'question', 'permission')),
    tool        TEXT,                       -- its agent's name for what it wants to use
    title       TEXT,                       -- what will be done; the log has all of it
    asked_at    TEXT NOT NULL,
    outcome     TEXT                        -- NULL while it is open
        CHECK (outcome IN ('allowed', 'denied', 'answered', 'withdrawn', 'expired')),
    option      TEXT,                       -- which of those that were offered
    by          TEXT,                       -- who answered; rule: the operator's settings
    message     TEXT,                       -- what the person said to the agent with it
    resolved_at TEXT
) STRICT, WITHOUT ROWID
""",
    "CREATE INDEX approvals_by_session ON approvals (session_id)",
    """
CREATE UNIQUE INDEX live_sessions_by_conversation ON sessions (conversation_id)
    WHERE conversation_id IS NOT NULL AND status IN ('starting', 'running')
""",
    """
CREATE INDEX conversations_by_workflow ON sessions (workflow_id, agent, id)
    WHERE talk IS NOT NULL OR conversation_id IS NOT NULL
""",
    """
CREATE INDEX sessions_that_wait ON sessions (id) WHERE open_approvals IS NOT NULL
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
        WHEN status IN ('starting', 'running') THEN
            'pid ' || coalesce(pid, '?') || coalesce(', ' || state, '')
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
    """
CREATE VIEW approval_overview AS  -- one readable line an approval, newest first: who allowed what
SELECT
    approvals.id AS approval,
    coalesce(outcome, CASE WHEN status IN ('starting', 'running') THEN 'open' ELSE 'withdrawn' END)
        AS outcome,
    by,
    kind,
    tool,
    title,
    option,
    message,
    strftime('%Y-%m-%d %H:%M:%S', asked_at) AS asked,
    CASE WHEN resolved_at IS NULL THEN '' ELSE printf('%.1f s',
        (julianday(resolved_at) - julianday(asked_at)) * 86400.0
    ) END AS waited,
    agent,
    session_id AS session,
    turn,
    workflow_id AS workflow
FROM approvals
JOIN sessions ON sessions.id = session_id
ORDER BY asked_at DESC, approvals.id DESC
""",
    """
CREATE VIEW turn_overview AS  -- one readable line a turn, in order: what it cost
SELECT
    session_id AS session,
    turn,
    coalesce(outcome, CASE WHEN status IN ('starting', 'running') THEN 'goes on' ELSE '' END)
        AS outcome,
    strftime('%Y-%m-%d %H:%M:%S', turns.started_at) AS started,
    CASE WHEN turns.ended_at IS NULL THEN '' ELSE printf('%.1f s',
        (julianday(turns.ended_at) - julianday(turns.started_at)) * 86400.0
    ) END AS took,
    input_tokens,
    cached_input_tokens,
    output_tokens,
    cost_usd,
    (SELECT count(*) FROM approvals
        WHERE approvals.session_id = turns.session_id AND approvals.turn = turns.turn) AS approvals,
    denied,
    agent,
    workflow_id AS workflow,
    stage_index AS stage,        -- the first one is 0
    conversation_id AS conversation
FROM turns
JOIN sessions ON sessions.id = session_id
ORDER BY session_id, turn
""",
)


def upgrade() -> None:
    """Add the columns and the tables, and show them."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement.strip())
