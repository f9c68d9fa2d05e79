/**
 * Sessions over plain JSON.
 *
 * @typedef {object} Session
 * @property {string} sessionId
 * @property {string} workflowId
 * @property {number} stageIndex
 * @property {string} agent            the profile's name
 * @property {string} status           see sessions/status.js
 * @property {number | null} pid
 * @property {number | null} exitCode
 * @property {number | string | null} exitSignal
 * @property {string | null} error
 * @property {string | null} logPath   relative to the server's var/
 * @property {number | null} logBytes
 * @property {string} createdAt        ISO 8601, UTC
 * @property {string | null} startedAt
 * @property {string | null} endedAt
 *
 * @typedef {{sessions: Session[], nextCursor: string | null}} SessionPage
 */

import { getJson, postJson } from "./requests.js";

/**
 * Newest first.
 *
 * @param {{limit: number, cursor?: string | null, workflowId?: string}} query
 * @returns {Promise<SessionPage>}
 */
export function listSessions({ limit, cursor, workflowId }) {
  const query = new URLSearchParams({ limit: String(limit) });
  if (cursor) query.set("cursor", cursor);
  if (workflowId) query.set("workflowId", workflowId);
  return getJson(`/api/sessions?${query}`);
}

/**
 * @param {string} sessionId
 * @returns {Promise<Session>}
 */
export function getSession(sessionId) {
  return getJson(`/api/sessions/${encodeURIComponent(sessionId)}`);
}

/**
 * @param {string} sessionId
 * @returns {Promise<Session>}
 */
export function cancelSession(sessionId) {
  return postJson(`/api/sessions/${encodeURIComponent(sessionId)}/cancel`, {});
}

/** @param {string} sessionId */
export function streamUrl(sessionId) {
  return `/api/agent-stream?${new URLSearchParams({ sessionId })}`;
}

/** @param {string} sessionId */
export function logUrl(sessionId) {
  return `/api/sessions/${encodeURIComponent(sessionId)}/log`;
}
