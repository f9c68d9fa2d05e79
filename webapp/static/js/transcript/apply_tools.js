/** Tool calls, their results, and the approvals that they wait for. */

import { MAX_FIELDS, cut } from "./limits.js";
import { readable } from "./plain_text.js";
import { createdStep, isPlanCall, stepsAfter } from "./plans.js";
import { answered, asText, fieldsOf, inOneLine, toolCallOf, toolResultOf } from "./tool_calls.js";

/** @typedef {import("./transcript.js").Transcript} Transcript */

/** What an approval's outcome makes of its card; an allowed call goes on. */
const ENDS = new Map([
  ["denied", "denied"], ["answered", "answered"], ["withdrawn", "withdrawn"], ["expired", "expired"],
]);

export function applyToolCall(transcript, data) {
  const { name, callId, args } = toolCallOf(data);
  if (isPlanCall(name, args)) {
    transcript.planCalls.set(callId, args);
    const steps = stepsAfter(transcript.plan?.steps ?? [], args);
    if (steps !== null) applyPlan(transcript, { steps });
    return;
  }
  const call = addTool(transcript, { name, callId, args, state: "running" });
  transcript.openCalls.push(call);
}

export function applyToolResult(transcript, data) {
  const found = toolResultOf(data);
  const planned = found.callId === null ? undefined : transcript.planCalls.get(found.callId);
  if (planned !== undefined) {
    transcript.planCalls.delete(found.callId);
    const step = createdStep(planned, asText(found.result));
    if (step !== null) applyPlan(transcript, { steps: [...(transcript.plan?.steps ?? []), step] });
    return;
  }
  const result = { ...cut(withoutErrorTag(asText(found.result))), media: found.media };
  const state = found.refused ? "denied" : found.failed ? "failed" : "ok";
  const { exitCode } = found;
  const call = answered(transcript.openCalls, found) ?? transcript.parents.get(found.callId ?? "");

  if (call === undefined) {
    const { args } = toolCallOf(data);
    if (found.refused) transcript.refused += 1;
    addTool(transcript, { name: found.name ?? "tool", callId: found.callId, args, state, isOrphan: true, result, exitCode });
    return;
  }
  // What was refused has not failed, though its agent is given an error.
  if (!ENDS.has(call.resolution?.outcome)) {
    call.state = state;
    if (found.refused && call.resolution === null) transcript.refused += 1;
  }
  call.result = result;
  call.exitCode = exitCode;
  transcript.openCalls = transcript.openCalls.filter((open) => open !== call);
  transcript.touch(call, result.text.length);
}

function addTool(transcript, { name, callId, args, state, isOrphan = false, result = null, approval = null, exitCode = null }) {
  return transcript.add({
    kind: "tool",
    name: readable(name),
    callId,
    state,
    isOrphan,
    summary: readable(inOneLine(args)),
    args: argsOf(args),
    input: args,
    result,
    approval,
    resolution: null,
    exitCode,
    inner: null,
  });
}

/** The call that a subagent works for; one of its own where the call has not been seen. */
export function parentOf(transcript, callId) {
  let found = transcript.parents.get(callId) ?? transcript.openCalls.find((call) => call.callId === callId);
  found ??= addTool(transcript, { name: "Subagent", callId, args: undefined, state: "running", isOrphan: true });
  transcript.parents.set(callId, found);
  return found;
}

/** @returns {import("./blocks.js").ToolBlock["args"]} */
export function argsOf(args) {
  const fields = fieldsOf(args).slice(0, MAX_FIELDS);
  return fields.map(([name, text]) => ({ name: readable(name), ...cut(text) }));
}

/** Claude Code wraps what went wrong in a tag of its own. */
function withoutErrorTag(text) {
  const [, inner] = /^<tool_use_error>([^]*)<\/tool_use_error>$/.exec(text) ?? [];
  return inner ?? text;
}

/** On the card of the call that it is about, or on one of its own. */
export function applyApproval(transcript, data) {
  if (typeof data?.id !== "string") return;
  const callId = typeof data.callId === "string" ? data.callId : null;
  const name = typeof data.tool === "string" ? data.tool : "tool";
  let block = callId === null ? undefined : transcript.openCalls.find((call) => call.callId === callId);
  if (block === undefined) {
    block = addTool(transcript, { name, callId, args: data.input, state: "asks", isOrphan: true, approval: data });
    if (callId !== null) transcript.openCalls.push(block);
  }
  else if (block.args.length === 0) Object.assign(block, { args: argsOf(data.input), input: data.input, summary: readable(inOneLine(data.input)) });
  block.approval = data;
  block.state = "asks";
  transcript.touch(block);
  transcript.asking.set(data.id, block);
}

export function applyApprovalResolved(transcript, data) {
  if (typeof data?.id !== "string") return;
  const block = transcript.asking.get(data.id);
  transcript.asking.delete(data.id);
  if (block !== undefined) settle(transcript, block, data);
  transcript.resolutions.set(data.id, data);
}

/** @param {import("./blocks.js").ToolBlock & import("./blocks.js").Counted} block */
export function settle(transcript, block, resolution) {
  block.resolution = resolution;
  const goesOn = block.isOrphan ? "allowed" : "running";
  block.state = ENDS.get(resolution.outcome) ?? (block.result === null ? goesOn : block.state);
  transcript.touch(block);
}

/** Nothing more comes of a call. */
export function leave(transcript, call) {
  if (call.state === "running") call.state = "unanswered";
  transcript.touch(call);
}

/** An agent's list of steps: the newest state of it, where it stands in the turn. */
export function applyPlan(transcript, data) {
  if (!Array.isArray(data?.steps)) return false;
  const steps = data.steps.slice(0, 200).map((step) => ({
    text: readable(typeof step === "string" ? step : String(step?.text ?? "")).slice(0, 1_000),
    status: String(step?.status ?? "pending"),
    ...(step?.id === undefined ? {} : { id: step.id }),
  }));
  const { plan } = transcript;
  if (plan === null || plan.id < transcript.firstId) {
    transcript.plan = transcript.add({ kind: "plan", steps });
    return true;
  }
  plan.steps = steps;
  transcript.touch(plan);
  return true;
}
