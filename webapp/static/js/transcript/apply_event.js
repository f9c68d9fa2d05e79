/**
 * One event of a stream into a transcript: the reducer.
 *
 * @typedef {import("./transcript.js").Transcript} Transcript
 * @typedef {(transcript: Transcript, data: any) => void} Apply
 */

import { appendText } from "./append_text.js";
import { cut } from "./limits.js";
import { noticeText } from "./notices.js";
import { readable } from "./plain_text.js";
import { pieceOf } from "./text_run.js";
import { answered, asText, inOneLine, toolCallOf, toolResultOf } from "./tool_calls.js";

/**
 * @param {Transcript} transcript
 * @param {import("../stream/sse_parser.js").StreamEvent} event
 */
export function applyEvent(transcript, event) {
  const data = parse(event.data);
  const known = BY_NAME.get(event.name);
  if (known !== undefined) known(transcript, data);
  else addOther(transcript, event.name, data);
}

/** A Map, because an agent may name its event `constructor`. @type {Map<string, Apply>} */
const BY_NAME = new Map([
  ["session", applySession],
  ["message", applyMessage],
  ["tool_call", applyToolCall],
  ["tool_result", applyToolResult],
  ["usage", applyUsage],
  ["stderr", applyStderr],
  ["input", applyInput],
  ["notice", applyNotice],
  ["done", applyDone],
  ["ping", () => {}],
]);

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** @type {Apply} */
function applySession(transcript, data) {
  transcript.add({
    kind: "start",
    agent: String(data?.agent ?? "agent"),
    pid: data?.pid ?? null,
    startedAt: data?.startedAt ?? null,
  });
}

/** @type {Apply} */
function applyMessage(transcript, data) {
  const piece = pieceOf(data);
  if (piece !== null) appendText(transcript, "text", piece);
  else addOther(transcript, typeof data?.type === "string" ? data.type : "message", data);
}

/** @type {Apply} */
function applyStderr(transcript, data) {
  if (typeof data?.message !== "string") return addOther(transcript, "stderr", data);
  const ending = data.partial === true ? "partial" : "line";
  appendText(transcript, "stderr", { content: data.message, ending });
}

/** @type {Apply} */
function applyInput(transcript, data) {
  if (typeof data?.content !== "string") return addOther(transcript, "input", data);
  const said = cut(readable(data.content));
  const [first] = transcript.blocks;
  const isRemembered = first?.kind === "input" && !first.fromLog && first.text === said.text;
  if (isRemembered) first.fromLog = true;
  else transcript.add({ kind: "input", ...said, fromLog: true });
}

/** @type {Apply} */
function applyToolCall(transcript, data) {
  const { name, callId, args } = toolCallOf(data);
  /** @type {import("./blocks.js").ToolBlock} */
  const block = transcript.add({
    kind: "tool",
    name: readable(name),
    callId,
    state: "running",
    summary: readable(inOneLine(args)),
    args: cut(readable(asText(args))),
    result: null,
  });
  transcript.openCalls.push(block);
}

/** @type {Apply} */
function applyToolResult(transcript, data) {
  const found = toolResultOf(data);
  const result = cut(readable(asText(found.result)));
  const state = found.failed ? "failed" : "ok";
  const call = answered(transcript.openCalls, found);

  if (call === undefined) {
    const { name, callId } = found;
    const args = { text: "", omitted: 0 };
    transcript.add({
      kind: "tool",
      name: readable(name ?? "tool"),
      callId,
      state,
      summary: "",
      args,
      result,
    });
    return;
  }
  call.state = state;
  call.result = result;
  transcript.openCalls = transcript.openCalls.filter((open) => open !== call);
  transcript.touch(call);
}

/** @type {Apply} */
function applyUsage(transcript, data) {
  const figures = Object.entries(data ?? {}).filter(([, value]) => typeof value === "number");
  if (figures.length === 0) return addOther(transcript, "usage", data);
  const kept = /** @type {[string, number][]} */ (figures.slice(0, 12));
  transcript.add({ kind: "usage", figures: kept });
}

/** @type {Apply} */
function applyNotice(transcript, data) {
  transcript.add({ kind: "notice", text: readable(noticeText(data)) });
}

/** @type {Apply} */
function applyDone(transcript, data) {
  for (const call of transcript.openCalls) {
    call.state = "unanswered";
    transcript.touch(call);
  }
  transcript.openCalls = [];
  transcript.done = transcript.add({
    kind: "done",
    status: String(data?.status ?? "lost"),
    exitCode: data?.exitCode ?? null,
    signal: data?.signal === undefined || data.signal === null ? null : String(data.signal),
    durationMs: null,
    error: null,
  });
}

/**
 * @param {Transcript} transcript
 * @param {string} name
 * @param {unknown} data
 */
function addOther(transcript, name, data) {
  const summary = readable(inOneLine(withoutType(data)));
  const body = cut(readable(asText(data)));
  transcript.add({ kind: "other", name: readable(name), summary, body });
}

/**
 * The name of a card says it already.
 *
 * @param {unknown} data
 */
function withoutType(data) {
  if (data === null || typeof data !== "object" || Array.isArray(data)) return data;
  const { type: _, ...rest } = /** @type {Record<string, unknown>} */ (data);
  return rest;
}
