/** What is known of a session, in the order in which people ask for it. */

import { serverNow } from "../clock.js";
import { formatBytes, formatCost, formatDateTime, formatDuration, millisecondsBetween } from "../format.js";
import { lookOf } from "../sessions/status.js";

/**
 * @typedef {{name: string, label: string, value: string, copy: string, isCode: boolean}} Fact
 * @typedef {{var: string, database: string}} Place  where the server keeps its data
 */

/** @param {string} [now]  ISO 8601 @returns {Fact[]}  those that are known */
export function factsOf(session, place, now = new Date(serverNow()).toISOString()) {
  const end = session.endedAt ?? (lookOf(session.status).isOver ? null : now);
  const duration = millisecondsBetween(session.startedAt, end);
  const log = session.logPath === null ? null : `${place.var}/${session.logPath}`;
  return [
    fact("status", "Status", lookOf(session.status).word, session.status),
    fact("damaged", "Damaged", session.damaged?.join(", ") ?? null),
    fact("error", "Error", session.error),
    fact("exit", "Exit code", session.exitCode),
    fact("signal", "Signal", session.exitSignal),
    fact("pid", "Process id", session.pid),
    fact("duration", "Duration", duration === null ? null : formatDuration(duration)),
    fact("started", "Started", formatDateTime(session.startedAt), session.startedAt),
    fact("bytes", "Log size", session.logBytes === null ? null : formatBytes(session.logBytes), session.logBytes),
    fact("cost", "Cost", formatCost(session.costUsd)),
    fact("total", "Cost of the conversation", formatCost(session.workflowCostUsd)),
    fact("agent", "Agent", session.agent),
    fact("model", "Model", session.model ?? null),
    fact("mode", "Mode", session.mode ?? null),
    fact("stage", "Stage", session.stageIndex),
    code("cwd", "Directory", session.cwd ?? null),
    code("conversation", "Conversation", session.conversationId ?? null),
    code("terminal", "Go on in a terminal", session.terminalCommand ?? null),
    code("session", "Session", session.sessionId),
    code("workflow", "Workflow", session.workflowId),
    code("log", "Log file", log),
    code("row", "Its row, in a shell", sqliteLine(session.sessionId, place.database)),
  ].filter((known) => known !== null);
}

/** The line that `agent-stream show` prints. */
function sqliteLine(sessionId, database) {
  return `sqlite3 ${quoted(database)} "select * from session_overview where session = '${sessionId}'"`;
}

/** For a POSIX shell. */
function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

/**
 * @param {string | number | null} value   nothing: not known
 * @param {string | number | null} [copy]  what a program reads rather than the value
 * @returns {Fact | null}
 */
function fact(name, label, value, copy = value) {
  if (value === null || value === "") return null;
  return { name, label, value: String(value), copy: String(copy ?? value), isCode: false };
}

function code(name, label, value) {
  const found = fact(name, label, value);
  return found === null ? null : { ...found, isCode: true };
}
