-- Questions about sessions and workflows. In the sqlite3 shell:
--     .read "|agent-stream help forensics.sql"
-- or copy one. A question with :workflow or :at needs, for example,
--     .parameter set :workflow workflow-1795467840123-k3v9x0a1b2c3

.print 'What ran last night?'
SELECT * FROM session_overview
WHERE started BETWEEN datetime('now', 'start of day', '-6 hours')
    AND datetime('now', 'start of day', '+8 hours');

.print 'What failed, and what did the agent say last?'
SELECT session, agent, status, outcome, log, (
    SELECT content FROM messages WHERE session_id = session AND role = 'agent'
    ORDER BY id DESC LIMIT 1
) AS answer
FROM session_overview WHERE status IN ('failed', 'timed_out', 'lost') LIMIT 20;

.print 'What runs now?'
SELECT * FROM live_sessions;

.print 'Which session was process 4711, an agent or its runner?'
SELECT id, agent, host, status, started_at, ended_at
FROM sessions WHERE 4711 IN (pid, runner_pid) ORDER BY id DESC;

.print 'What ran at that moment?'
SELECT id, agent, pid, started_at, ended_at FROM sessions
WHERE started_at <= :at AND coalesce(ended_at, '9999') >= :at;

.print 'Which session printed the most?'
SELECT id, agent, log_bytes, log_path FROM sessions ORDER BY log_bytes DESC LIMIT 10;

.print 'What took longest, or still runs?'
SELECT id, agent, status,
    round((julianday(coalesce(ended_at, 'now')) - julianday(started_at)) * 86400) AS seconds
FROM sessions WHERE started_at IS NOT NULL ORDER BY seconds DESC LIMIT 10;

.print 'What had to wait for its start?'
SELECT id, agent, round((julianday(started_at) - julianday(created_at)) * 86400, 3) AS seconds
FROM sessions WHERE started_at IS NOT NULL ORDER BY seconds DESC LIMIT 10;

.print 'What did stage 2 cost? (The first one is 0.)'
SELECT name, sessions, failed, seconds, input_tokens, output_tokens, cost_usd
FROM stage_overview WHERE workflow = :workflow AND stage = 2;

.print 'What did each day cost, by agent?'
SELECT date(created_at) AS day, agent, count(*) AS sessions,
    sum(input_tokens + output_tokens) AS tokens, round(sum(cost_usd), 2) AS usd
FROM sessions LEFT JOIN session_usage ON session_id = id
GROUP BY day, agent ORDER BY day DESC, usd DESC;

.print 'What was lost in the last crash, and what was it asked to do?'
SELECT sessions.id, agent, ended_at, error, content AS message FROM sessions
LEFT JOIN messages ON session_id = sessions.id AND role = 'user'
WHERE status = 'lost' AND julianday(ended_at) > (
    SELECT max(julianday(ended_at)) - 1.0 / 1440 FROM sessions WHERE status = 'lost'
);

.print 'Which sessions did a workflow have, in order?'
SELECT session, stage, agent, started, took, status, outcome, cost
FROM session_overview WHERE workflow = :workflow ORDER BY session;

.print 'What did people and agents say in it?'
SELECT at, who, said FROM history WHERE workflow = :workflow;

.print 'What exactly was run, and where?'
SELECT sessions.id, cwd, value AS argument FROM sessions, json_each(argv)
WHERE workflow_id = :workflow ORDER BY sessions.id, key;

.print 'Which workflows wait for a person?'
SELECT workflow, name AS stage, workflow_overview.sessions, created
FROM workflow_overview JOIN stage_overview USING (workflow)
WHERE workflow_overview.status = 'active' AND stage_overview.status = 'active'
    AND gate = 'human_approval, closed' AND live = 0;

.print 'How often does each agent succeed?'
SELECT agent, count(*) AS ended, round(100.0 * avg(status = 'succeeded'), 1) AS percent
FROM sessions WHERE status NOT IN ('starting', 'running') GROUP BY agent ORDER BY percent;

.print 'What was allowed, and by whom?'
SELECT asked, by, outcome, kind, tool, title, message, session
FROM approval_overview WHERE workflow = :workflow;

.print 'What did each turn cost?'
SELECT session, turn, outcome, took, input_tokens + output_tokens AS tokens, cost_usd, denied
FROM turn_overview WHERE workflow = :workflow;
