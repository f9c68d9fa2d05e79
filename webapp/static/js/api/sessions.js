/**
 * Sessions, in the shape that webapp/store/shapes.py gives them.
 *
 * @typedef {Record<string, any>} Session
 * @typedef {object} SessionPage
 * @property {Session[]} sessions
 * @property {string | null} nextCursor
 * @property {boolean} [incomplete]              the search goes on at the cursor
 * @property {Record<string, string>} [titles]  how each was begun, if asked for
 */

import { serverPath } from "../root.js";
import { getJson, postJson } from "./requests.js";
import { mutate } from "./trpc.js";

/**
 * Newest first, unless `sort` says otherwise.
 *
 * @param {Record<string, string | number | null | undefined>} query  as /api/sessions has it
 * @returns {Promise<SessionPage>}
 */
export function listSessions(query) {
  const fields = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  return getJson(`/api/sessions?${new URLSearchParams(fields.map(([key, value]) => [key, `${value}`]))}`);
}

/**
 * How many there are, of one agent or of all.
 *
 * @returns {Promise<{total: number, byStatus: Record<string, number>, byAgent: Record<string, number>}>}
 */
export function countSessions(agent = "") {
  return getJson(`/api/sessions/counts${agent === "" ? "" : `?${new URLSearchParams({ agent })}`}`);
}

export function getSession(sessionId) {
  return getJson(`/api/sessions/${encodeURIComponent(sessionId)}`);
}

export function cancelSession(sessionId) {
  return postJson(`/api/sessions/${encodeURIComponent(sessionId)}/cancel`, {});
}

/** Say something to a live agent. The same key again is the same input. */
export function sendInput(sessionId, content, idempotencyKey) {
  return mutate("session.sendInput", { sessionId, content }, { "Idempotency-Key": idempotencyKey });
}

export function streamUrl(sessionId) {
  return serverPath(`/api/agent-stream?${new URLSearchParams({ sessionId })}`);
}

export function logUrl(sessionId) {
  return serverPath(`/api/sessions/${encodeURIComponent(sessionId)}/log`);
}
