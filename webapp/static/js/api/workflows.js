/** Workflows over tRPC's plain HTTP form: https://trpc.io/docs/rpc */

import { postJson } from "./requests.js";

/** @returns {Promise<{id: string}>} */
export async function createWorkflow() {
  return (await postJson("/api/trpc/workflow.create", {})).result.data;
}

/**
 * Start a session. The same key again gives the session that the first request started.
 *
 * @param {{workflowId: string, message: string, agent: string}} input
 * @param {string} idempotencyKey
 * @returns {Promise<{sessionId: string, workflowId: string, stageIndex: number, status: string}>}
 */
export async function invokeAgent(input, idempotencyKey) {
  const headers = { "Idempotency-Key": idempotencyKey };
  return (await postJson("/api/trpc/workflow.invokeAgent", input, headers)).result.data;
}
