/**
 * A workflow's conversation: what was said, and the sessions that it started, in their order.
 *
 * @typedef {import("../api/sessions.js").Session} Session
 *
 * @typedef {{kind: "session", key: string, at: string, session: Session, said: string | null}
 *     | {kind: "note", key: string, at: string, role: string, text: string}} Entry
 */

/**
 * @param {Iterable<Session>} sessions
 * @param {(sessionId: string) => string | null} remembered  what this tab knows it has said
 * @returns {Entry[]}  oldest first
 */
export function entriesOf(sessions, messages, remembered) {
  const saidTo = new Map();
  for (const { role, sessionId, content } of messages) {
    if (role === "user" && sessionId !== null && !saidTo.has(sessionId)) saidTo.set(sessionId, content);
  }

  const entries = [];
  for (const session of sessions) {
    const said = saidTo.get(session.sessionId) ?? remembered(session.sessionId);
    const key = session.sessionId;
    entries.push({ kind: "session", key, at: session.createdAt, session, said });
  }
  for (const { id, role, content, sessionId, createdAt } of messages) {
    if (sessionId !== null) continue;
    entries.push({ kind: "note", key: `note-${id}`, at: createdAt, role, text: content });
  }
  return entries.sort((one, other) => compare(one.at, other.at) || compare(one.key, other.key));
}

function compare(one, other) {
  return one < other ? -1 : one > other ? 1 : 0;
}
