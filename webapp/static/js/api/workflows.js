/**
 * Workflows and what is said in them, in the shapes that webapp/store/shapes.py gives them.
 *
 * @typedef {Record<string, any>} Workflow
 * @typedef {Record<string, any>} Message
 * @typedef {{workflows: Workflow[], nextCursor: string | null}} WorkflowPage
 * @typedef {{messages: Message[], nextCursor: number | null}} History
 */

import { dataOf, mutate, query } from "./trpc.js";

/**
 * @param {{template?: string, project?: string, worktree?: boolean}} [input]
 * @returns {Promise<Workflow>}
 */
export function createWorkflow(input = {}) {
  return mutate("workflow.create", input);
}

/**
 * Start a session. The same key again gives the session that the first request started.
 *
 * @param {{workflowId: string, message?: string, agent: string, stageIndex?: number, mode?: string, model?: string}} input
 * @returns {Promise<{sessionId: string, workflowId: string, stageIndex: number, status: string}>}
 */
export function invokeAgent(input, idempotencyKey) {
  return mutate("workflow.invokeAgent", input, { "Idempotency-Key": idempotencyKey });
}

/**
 * Several lists, each newest first.
 *
 * @param {{limit: number, cursor?: string, text?: string, project?: string, pinned?: boolean, archived?: boolean}[]} inputs
 * @returns {Promise<WorkflowPage[]>}
 */
export async function listsOfWorkflows(inputs) {
  return (await query(inputs.map((input) => ["workflow.list", input]))).map(dataOf);
}

/**
 * A workflow, and what was said in it: the newest messages, in their order.
 *
 * @returns {Promise<{workflow: Workflow, history: History}>}
 */
export async function getWorkflow(workflowId, limit) {
  const [workflow, history] = await query([
    ["workflow.get", workflowId],
    ["workflow.getHistory", { workflowId, limit }],
  ]);
  return { workflow: dataOf(workflow), history: dataOf(history) };
}

/** @param {{limit: number, cursor?: number}} page @returns {Promise<History>} */
export async function getHistory(workflowId, page) {
  return dataOf((await query([["workflow.getHistory", { workflowId, ...page }]]))[0]);
}

export function satisfyGate(workflowId, stageIndex) {
  return mutate("workflow.satisfyGate", { workflowId, stageIndex });
}

/**
 * Leave a stage for the next one.
 *
 * @returns {Promise<Workflow>}
 */
export function advance(workflowId, stageIndex) {
  return mutate("workflow.advance", { workflowId, stageIndex });
}

/** @param {"rename" | "pin" | "archive" | "delete"} verb */
export function changeListed(verb, workflowId, fields = {}) {
  return mutate(`workflow.${verb}`, { workflowId, ...fields });
}

/** @param {"pause" | "resume" | "cancel" | "discard"} verb @returns {Promise<Workflow>} */
export function changeWorkflow(verb, workflowId) {
  return mutate(`workflow.${verb}`, { workflowId });
}
