/**
 * One event of a stream into a transcript: the reducer.
 *
 * @typedef {import("./transcript.js").Transcript} Transcript
 * @typedef {(transcript: Transcript, data: any) => void} Apply
 */

import { appendText, endText } from "./append_text.js";
import { MAX_FIELDS, cut } from "./limits.js";
import { noticeText } from "./notices.js";
import { readable } from "./plain_text.js";
import { pieceOf, restOf } from "./text_run.js";
import { answered, asText, fieldsOf, inOneLine, toolCallOf, toolResultOf } from "./tool_calls.js";

export function applyEvent(transcript, event) {
  const data = parse(event.data);
  if (!WITHIN_A_TEXT.has(event.name)) endText(transcript);
  const known = BY_NAME.get(event.name);
  if (known !== undefined) known(transcript, data);
  else addOther(transcript, event.name, data);
}

/** A Map, because an agent may name its event `constructor`. @type {Map<string, Apply>} */
const BY_NAME = new Map([
  ["session", applySession],
  ["message", applyMessage],
  ["message_delta", applyDelta],
  ["reasoning", applyReasoning],
  ["system", applySystem],
  ["error", applyError],
  ["tool_call", applyToolCall],
  ["tool_result", applyToolResult],
  ["usage", applyUsage],
  ["stderr", applyStderr],
  ["input", applyInput],
  ["notice", applyNotice],
  ["done", applyDone],
  ["ping", () => {}],
]);

/** What may come in the middle of a message's pieces. */
const WITHIN_A_TEXT = new Set(["message", "message_delta", "system", "ping"]);

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function applySession(transcript, data) {
  transcript.start = {
    agent: String(data?.agent ?? "agent"),
    pid: data?.pid ?? null,
    startedAt: data?.startedAt ?? null,
  };
}

function applyMessage(transcript, data) {
  const piece = pieceOf(data);
  if (piece === null || data.role === "user") endText(transcript);
  if (piece === null) {
    addOther(transcript, typeof data?.type === "string" ? data.type : "message", data);
    return;
  }
  if (data.role === "user") return applyInput(transcript, data);
  if (piece.ending === "whole") applyWhole(transcript, piece.content);
  else appendText(transcript, piece.kind, piece);
}

function applyDelta(transcript, data) {
  if (typeof data?.content !== "string") return addOther(transcript, "message_delta", data);
  transcript.opening ||= "piece";
  if (transcript.draft === null) {
    endText(transcript);
    transcript.draft = { text: "", id: transcript.endId };
  }
  transcript.draft.text += data.content;
  appendText(transcript, "text", { content: data.content, ending: "piece" });
}

/** A whole message adds what its pieces, which stand there already, lack. */
function applyWhole(transcript, content) {
  const { draft } = transcript;
  transcript.opening ||= "whole";
  transcript.firstWhole ??= content;
  transcript.draft = null;
  const rest = draft === null ? null : restOf(content, draft.text);
  if (rest === null) endText(transcript);
  const ending = transcript.openText === null ? "whole" : "piece";
  appendText(transcript, "text", { content: rest ?? content, ending });
  endText(transcript);
}

function applyReasoning(transcript, data) {
  if (typeof data?.content !== "string") return addOther(transcript, "reasoning", data);
  const summary = readable(inOneLine(data.content));
  transcript.add({ kind: "other", name: "reasoning", summary, body: cut(readable(data.content)) });
}

/** What an agent says about itself: quietly, a run of it as one. */
function applySystem(transcript, data) {
  const summary = readable(typeof data?.subtype === "string" ? data.subtype : "");
  const { last } = transcript;
  const text = asText(data);
  if (last?.kind !== "other" || last.name !== "system") {
    transcript.add({ kind: "other", name: "system", summary, body: cut(text) });
    return;
  }
  if (!last.summary.includes(summary)) last.summary = inOneLine(`${last.summary}, ${summary}`);
  if (last.body.omitted > 0) last.body.omitted += text.length;
  else last.body = cut(`${last.body.text}\n${text}`);
  transcript.touch(last, last.body.omitted > 0 ? 0 : text.length);
}

function applyError(transcript, data) {
  if (typeof data?.message !== "string") return addOther(transcript, "error", data);
  const { last } = transcript;
  const text = readable(data.message);
  // Agents that try again and again say the same each time.
  if (last?.kind === "notice" && last.text === text) return;
  transcript.add({ kind: "notice", text });
}

function applyStderr(transcript, data) {
  if (typeof data?.message !== "string") return addOther(transcript, "stderr", data);
  const ending = data.partial === true ? "partial" : "line";
  appendText(transcript, "stderr", { content: data.message, ending });
}

function applyInput(transcript, data) {
  if (typeof data?.content !== "string") return addOther(transcript, "input", data);
  if (wasSaid(transcript, data.content)) return;
  const { last } = transcript;
  // What a person wrote in several lines comes line by line.
  if (last?.kind === "input") {
    const said = `\n${readable(data.content)}`;
    last.text = cut(last.text + said).text;
    transcript.touch(last, said.length);
    return;
  }
  transcript.add({ kind: "input", ...cut(readable(data.content)) });
}

/** Whether this is the message that started the turn, which is shown above it. */
function wasSaid(transcript, line) {
  const said = transcript.said?.trimEnd() ?? null;
  const isAll = said === line.trimEnd();
  const isPart = said?.startsWith(`${line}\n`) ?? false;
  transcript.said = isPart && said !== null ? said.slice(line.length + 1) : null;
  return isAll || isPart;
}

function applyToolCall(transcript, data) {
  const { name, callId, args } = toolCallOf(data);
  const call = transcript.add({
    kind: "tool",
    name: readable(name),
    callId,
    state: "running",
    isOrphan: false,
    summary: readable(inOneLine(args)),
    args: argsOf(args),
    result: null,
  });
  transcript.openCalls.push(call);
}

function argsOf(args) {
  const fields = fieldsOf(args).slice(0, MAX_FIELDS);
  return fields.map(([name, text]) => ({ name: readable(name), ...cut(text) }));
}

function applyToolResult(transcript, data) {
  const found = toolResultOf(data);
  const result = cut(asText(found.result));
  const state = found.failed ? "failed" : "ok";
  const call = answered(transcript.openCalls, found);

  if (call === undefined) {
    const { args } = toolCallOf(data);
    transcript.add({
      kind: "tool",
      name: readable(found.name ?? "tool"),
      callId: found.callId,
      state,
      isOrphan: true,
      summary: readable(inOneLine(args)),
      args: argsOf(args),
      result,
    });
    return;
  }
  call.state = state;
  call.result = result;
  transcript.openCalls.splice(transcript.openCalls.indexOf(call), 1);
  transcript.touch(call, result.text.length);
}

function applyUsage(transcript, data) {
  const figures = Object.entries(data ?? {}).filter(([, value]) => typeof value === "number");
  if (figures.length === 0) return addOther(transcript, "usage", data);
  const kept = figures.slice(0, 12);
  transcript.add({ kind: "usage", figures: kept });
}

function applyNotice(transcript, data) {
  transcript.add({ kind: "notice", text: readable(noticeText(data)) });
}

function applyDone(transcript, data) {
  for (const call of transcript.openCalls) {
    call.state = "unanswered";
    transcript.touch(call);
  }
  transcript.openCalls = [];
  transcript.done = {
    status: String(data?.status ?? "lost"),
    exitCode: data?.exitCode ?? null,
    signal: data?.signal === undefined || data.signal === null ? null : String(data.signal),
  };
}

function addOther(transcript, name, data) {
  const summary = readable(inOneLine(withoutType(data)));
  const body = cut(asText(data));
  transcript.add({ kind: "other", name: readable(name), summary, body });
}

/** The name of a card says it already. */
function withoutType(data) {
  if (data === null || typeof data !== "object" || Array.isArray(data)) return data;
  const { type: _, ...rest } = data;
  return rest;
}
