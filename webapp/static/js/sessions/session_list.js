/**
 * The list of sessions, newest first, as pages of it come in.
 *
 * @typedef {import("../api/sessions.js").SessionPage} SessionPage
 */

/** @type {Readonly<SessionPage>} */
export const EMPTY_LIST = { sessions: [], nextCursor: null };

/**
 * The first page, asked for again: what stood behind it stays, unless so much is new that the two
 * no longer meet.
 *
 * @param {Readonly<SessionPage>} list
 * @param {SessionPage} first
 * @returns {SessionPage}
 */
export function withNewest(list, first) {
  const last = first.sessions.at(-1);
  const meeting = list.sessions.findIndex((session) => session.sessionId === last?.sessionId);
  const behind = meeting === -1 ? [] : list.sessions.slice(meeting + 1);
  if (behind.length === 0 || first.nextCursor === null) return first;
  return { sessions: [...first.sessions, ...behind], nextCursor: list.nextCursor };
}

/**
 * @param {Readonly<SessionPage>} list
 * @param {SessionPage} older
 * @returns {SessionPage}
 */
export function withOlder(list, older) {
  const known = new Set(list.sessions.map((session) => session.sessionId));
  const added = older.sessions.filter((session) => !known.has(session.sessionId));
  return { sessions: [...list.sessions, ...added], nextCursor: older.nextCursor };
}
