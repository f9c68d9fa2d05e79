/**
 * Sessions, in the shape that webapp/store/shapes.py gives them.
 *
 * @typedef {Record<string, any>} Session
 * @typedef {{sessions: Session[], nextCursor: string | null}} SessionPage
 */

import { getJson, postJson } from "./requests.js";
import { mutate } from "./trpc.js";

/**
 * Newest first.
 *
 * @param {{limit: number, cursor?: string | null, workflowId?: string, status?: string}} query
 * @returns {Promise<SessionPage>}
 */
export function listSessions(query) {
  const fields = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  return getJson(`/api/sessions?${new URLSearchParams(fields.map(([key, value]) => [key, `${value}`]))}`);
}

/** @returns {Promise<Session>} */
export function getSession(sessionId) {
  return getJson(`/api/sessions/${encodeURIComponent(sessionId)}`);
}

/** @returns {Promise<Session>} */
export function cancelSession(sessionId) {
  return postJson(`/api/sessions/${encodeURIComponent(sessionId)}/cancel`, {});
}

/** Say something to a live agent. The same key again is the same input. */
export function sendInput(sessionId, content, idempotencyKey) {
  return mutate("session.sendInput", { sessionId, content }, { "Idempotency-Key": idempotencyKey });
}

export function streamUrl(sessionId) {
  return `/api/agent-stream?${new URLSearchParams({ sessionId })}`;
}

export function logUrl(sessionId) {
  return `/api/sessions/${encodeURIComponent(sessionId)}/log`;
}
