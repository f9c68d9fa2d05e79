/** Tool calls, their results, and the approvals that they wait for. */

import { MAX_FIELDS, cut } from "./limits.js";
import { readable } from "./plain_text.js";
import { answered, asText, fieldsOf, inOneLine, toolCallOf, toolResultOf } from "./tool_calls.js";

/** @typedef {import("./transcript.js").Transcript} Transcript */

/** What an approval's outcome makes of its card; an allowed call goes on. */
const ENDS = new Map([
  ["denied", "denied"], ["answered", "answered"], ["withdrawn", "withdrawn"], ["expired", "expired"],
]);

export function applyToolCall(transcript, data) {
  const { name, callId, args } = toolCallOf(data);
  if (isTodoList(name, args)) {
    transcript.planCalls.add(callId);
    applyPlan(transcript, { steps: args.todos.map(stepOf) });
    return;
  }
  const call = addTool(transcript, { name, callId, args, state: "running" });
  transcript.openCalls.push(call);
}

export function applyToolResult(transcript, data) {
  const found = toolResultOf(data);
  if (found.callId !== null && transcript.planCalls.delete(found.callId)) return;
  const result = { ...cut(withoutErrorTag(asText(found.result))), media: found.media };
  const state = found.failed ? "failed" : "ok";
  const call = answered(transcript.openCalls, found);

  if (call === undefined) {
    const { args } = toolCallOf(data);
    addTool(transcript, { name: found.name ?? "tool", callId: found.callId, args, state, isOrphan: true, result });
    return;
  }
  // What was refused has not failed, though its agent is given an error.
  if (!ENDS.has(call.resolution?.outcome)) call.state = state;
  call.result = result;
  transcript.openCalls.splice(transcript.openCalls.indexOf(call), 1);
  transcript.touch(call, result.text.length);
}

function addTool(transcript, { name, callId, args, state, isOrphan = false, result = null, approval = null }) {
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
  });
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

function isTodoList(name, args) {
  return name === "TodoWrite" && Array.isArray(args?.todos);
}

function stepOf(todo) {
  return { text: todo?.content, status: todo?.status };
}
