"""The first tables: workflows, stages, sessions, messages, and views for people.

Written as SQL, comments included, because `.schema` in the sqlite3 shell shows this text.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """
CREATE TABLE workflows (  -- a piece of work for agents, in stages
    id            TEXT NOT NULL PRIMARY KEY,  -- workflow-<epoch ms>-<12 base36>
    request_id    TEXT,                       -- what the client calls this work, if anything
    template      TEXT NOT NULL,              -- which stages it was made with
    status        TEXT NOT NULL
        CHECK (status IN ('active', 'paused', 'completed', 'cancelled', 'discarded')),
    current_stage INTEGER NOT NULL CHECK (current_stage >= 0),  -- a stage_index
    created_at    TEXT NOT NULL,              -- every time is ISO 8601 in UTC
    updated_at    TEXT NOT NULL
) STRICT
""",
    """
CREATE TABLE stages (  -- the steps of a workflow, each with the gate that leads to the next
    workflow_id       TEXT NOT NULL REFERENCES workflows (id) ON DELETE CASCADE,
    stage_index       INTEGER NOT NULL CHECK (stage_index >= 0),  -- the first one is 0
    name              TEXT NOT NULL,
    type              TEXT NOT NULL,          -- what kind of work it is, such as design
    status            TEXT NOT NULL CHECK (status IN ('pending', 'active', 'completed')),
    gate_type         TEXT NOT NULL CHECK (gate_type IN ('auto', 'human_approval', 'agent')),
    gate_satisfied_at TEXT,                   -- NULL while the gate is closed
    PRIMARY KEY (workflow_id, stage_index)
) STRICT, WITHOUT ROWID
""",
    """
CREATE TABLE sessions (  -- one run of an agent; what it printed is in the log at log_path
    id          TEXT NOT NULL PRIMARY KEY,    -- session-<epoch ms>-<12 base36>: sorts by time
    workflow_id TEXT NOT NULL REFERENCES workflows (id),
    stage_index INTEGER NOT NULL CHECK (stage_index >= 0),
    agent       TEXT NOT NULL,                -- name of the profile
    argv        TEXT NOT NULL CHECK (json_valid(argv)),  -- the command, a JSON array
    cwd         TEXT,                         -- where it ran
    pid         INTEGER,                      -- the agent's; NULL if it could not be started
    runner_pid  INTEGER,                      -- its runner's
    host        TEXT NOT NULL,
    log_path    TEXT NOT NULL,                -- relative to the var folder
    status      TEXT NOT NULL CHECK (status IN (
        'starting', 'running',                                  -- live
        'succeeded', 'failed', 'cancelled', 'timed_out', 'lost' -- ended, never changes again
    )),
    exit_code   INTEGER,                      -- NULL: none, or ended by exit_signal
    exit_signal TEXT,                         -- such as SIGKILL
    error       TEXT,                         -- why it failed, where that is not its exit code
    log_bytes   INTEGER,                      -- size of the log when it ended
    created_at  TEXT NOT NULL,
    started_at  TEXT,
    ended_at    TEXT,
    CHECK (status IN ('starting', 'running') OR ended_at IS NOT NULL)
) STRICT
""",
    """
CREATE TABLE messages (  -- what was said in a workflow: its history
    id          INTEGER PRIMARY KEY,
    workflow_id TEXT NOT NULL REFERENCES workflows (id) ON DELETE CASCADE,
    stage_index INTEGER NOT NULL,
    session_id  TEXT REFERENCES sessions (id),  -- the one that it started, or that said it
    role        TEXT NOT NULL CHECK (role IN ('user', 'agent', 'system')),
    content     TEXT NOT NULL,
    created_at  TEXT NOT NULL
) STRICT
""",
    """
CREATE TABLE idempotency_keys (  -- keeps a request that comes twice from starting two sessions
    key          TEXT NOT NULL PRIMARY KEY,   -- the Idempotency-Key header of an invoke
    request_hash TEXT NOT NULL,               -- the same key with other input is refused
    session_id   TEXT NOT NULL REFERENCES sessions (id),
    created_at   TEXT NOT NULL
) STRICT, WITHOUT ROWID
""",
    "CREATE INDEX sessions_by_workflow ON sessions (workflow_id, id)",
    "CREATE INDEX sessions_by_status ON sessions (status, id)",
    """
CREATE INDEX live_sessions_by_workflow ON sessions (workflow_id, id)
    WHERE status IN ('starting', 'running')
""",
    "CREATE INDEX workflows_by_status ON workflows (status, id)",
    "CREATE INDEX messages_by_workflow ON messages (workflow_id, id)",
    "CREATE INDEX messages_by_session ON messages (session_id) WHERE session_id IS NOT NULL",
    "CREATE INDEX idempotency_keys_by_session ON idempotency_keys (session_id)",
    """
CREATE TRIGGER an_ended_session_never_changes
BEFORE UPDATE OF status ON sessions
WHEN OLD.status NOT IN ('starting', 'running') AND NEW.status IS NOT OLD.status
BEGIN
    SELECT raise(ABORT, 'an ended session never changes its status');
END
""",
    """
CREATE VIEW session_overview AS  -- one readable line a session, newest first
SELECT
    id AS session,
    status,
    CASE
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
    workflow_id AS workflow,
    stage_index AS stage,
    log_path AS log
FROM sessions
ORDER BY id DESC
""",
    """
CREATE VIEW live_sessions AS  -- what runs now; the lock on the log has the last word
SELECT session, status, outcome, agent, started, took, workflow, stage, log
FROM session_overview
WHERE status IN ('starting', 'running')
""",
    """
CREATE VIEW workflow_overview AS  -- one readable line a workflow, newest first
SELECT
    workflows.id AS workflow,
    workflows.status,
    template,
    stages.name || ' (' || (current_stage + 1) || ' of '
        || (SELECT count(*) FROM stages WHERE stages.workflow_id = workflows.id) || ')' AS stage,
    (SELECT count(*) FROM sessions WHERE sessions.workflow_id = workflows.id) AS sessions,
    (SELECT count(*) FROM sessions WHERE sessions.workflow_id = workflows.id
        AND sessions.status IN ('starting', 'running')) AS live,
    strftime('%Y-%m-%d %H:%M:%S', workflows.created_at) AS created,
    request_id AS request
FROM workflows
LEFT JOIN stages ON stages.workflow_id = workflows.id AND stages.stage_index = current_stage
ORDER BY workflows.id DESC
""",
)


def upgrade() -> None:
    """Create all of it."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement.strip())
