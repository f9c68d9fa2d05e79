/**
 * What the states of workflows, their stages and gates are called on the page.
 *
 * @typedef {{word: string, icon: string, tone: string}} Look
 * @typedef {import("../api/workflows.js").Stage} Stage
 */

/** @type {Map<string, Look>} */
const LOOKS = new Map([
  ["active", { word: "Active", icon: "dot", tone: "quiet" }],
  ["paused", { word: "Paused", icon: "pause", tone: "warn" }],
  ["completed", { word: "Completed", icon: "ok", tone: "good" }],
  ["cancelled", { word: "Cancelled", icon: "stopped", tone: "quiet" }],
  ["discarded", { word: "Discarded", icon: "failed", tone: "quiet" }],
]);

export function lookOfWorkflow(status) {
  return LOOKS.get(status) ?? { word: status, icon: "dot", tone: "quiet" };
}

/** A status that never changes any more. */
export function isFinal(status) {
  return status === "completed" || status === "cancelled" || status === "discarded";
}

export function currentStage({ stages, currentStage: index }) {
  return stages[index];
}

/** Whether the current stage has such a gate, and nobody has opened it. */
export function hasClosedGate(workflow, type) {
  const gate = currentStage(workflow)?.gate;
  return workflow.status === "active" && gate?.type === type && !gate.satisfied;
}

/** A person has to decide before it can go on. */
export function waitsForApproval(workflow) {
  return hasClosedGate(workflow, "human_approval");
}

/** The current stage's gate is open, and nobody has gone through. */
export function canAdvance(workflow) {
  return workflow.status === "active" && (currentStage(workflow)?.gate.satisfied ?? false);
}

export function isAtEnd({ stages, currentStage: index }) {
  return index === stages.length - 1;
}

/** Where a workflow of several stages stands, in a few words. */
export function progressOf(workflow) {
  const stage = currentStage(workflow);
  if (workflow.stages.length < 2 || stage === undefined) return "";
  return `${stage.name} ${workflow.currentStage + 1}/${workflow.stages.length}`;
}
