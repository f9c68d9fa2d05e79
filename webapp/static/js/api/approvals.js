/**
 * What waits for a person.
 *
 * @typedef {Record<string, any>} Approval  the record, with its `sessionId` and `workflowId`
 * @typedef {{key: string, kind: string, agent: string, workflowId: string | null, sessionId: string | null,
 *     approvalId: string | null, text: string | null, title: string | null, heard: boolean}} Notice
 * @typedef {{approvals: Approval[], notices: Notice[]}} Waiting  oldest session first, and newest first
 */

import { serverPath } from "../root.js";
import { getJson } from "./requests.js";
import { mutate } from "./trpc.js";

/** @returns {Promise<Waiting>}  over all sessions */
export function listApprovals() {
  return getJson("/api/approvals");
}

/** The subscription of those lists: all of them at each change. */
export const CHANGES_URL = serverPath("/api/trpc/approval.onChange?input=%7B%7D");

/**
 * The first answer counts; a later one is refused, and the message says how it was resolved.
 *
 * @param {{sessionId: string, approvalId: string, option: string, message?: string,
 *     input?: Record<string, string>, answers?: Record<string, string[]>}} answer
 */
export function answerApproval(answer) {
  return mutate("session.answer", answer);
}

/** End the turn; messages that had waited are cancelled. @returns {Promise<{interrupted: boolean, cancelled: string[]}>} */
export function interruptSession(sessionId) {
  return mutate("session.interrupt", { sessionId });
}

/** @returns {Promise<{cancelled: boolean}>}  false: the agent has it already */
export function cancelMessage(sessionId, messageId) {
  return mutate("session.cancelMessage", { sessionId, messageId });
}

export function setMode(sessionId, mode) {
  return mutate("session.setMode", { sessionId, mode });
}

export function setModel(sessionId, model) {
  return mutate("session.setModel", { sessionId, model });
}
