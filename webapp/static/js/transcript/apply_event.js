/**
 * One event of a stream into a transcript: the reducer.
 *
 * @typedef {import("./transcript.js").Transcript} Transcript
 * @typedef {(transcript: Transcript, data: any) => void} Apply
 */

import { appendText, endText } from "./append_text.js";
import {
  applyConversation, applyConversationLost, applyMode, applyModel, applyState, applyTurnEnded,
  applyTurnStarted, applyUserMessage, applyUserMessageState,
} from "./apply_talk.js";
import {
  applyApproval, applyApprovalResolved, applyPlan, applyToolCall, applyToolResult, leave, parentOf,
} from "./apply_tools.js";
import { cut } from "./limits.js";
import { noticeText, retryText } from "./notices.js";
import { readable } from "./plain_text.js";
import { messageIn, pieceOf, restOf, textIn } from "./text_run.js";
import { asText, inOneLine } from "./tool_calls.js";
import { Transcript as Inner } from "./transcript.js";

export function applyEvent(transcript, event) {
  const data = parse(event.data);
  if (typeof data?.parentId === "string") applyInner(transcript, event.name, data);
  else applyData(transcript, event.name, data);
}

/** What a subagent does belongs to the call that started it, at whatever depth. */
function applyInner(transcript, name, { parentId, ...data }) {
  const isInner = [...transcript.parents.values()].find(({ inner }) => inner !== null && knows(inner, parentId));
  const parent = isInner ?? parentOf(transcript, parentId);
  parent.inner ??= new Inner();
  const before = parent.inner.weight;
  if (isInner === undefined) applyData(parent.inner, name, data);
  else applyInner(parent.inner, name, { parentId, ...data });
  transcript.touch(parent, parent.inner.weight - before);
}

function knows(transcript, callId) {
  if (transcript.parents.has(callId) || transcript.openCalls.some((call) => call.callId === callId)) return true;
  return [...transcript.parents.values()].some(({ inner }) => inner !== null && knows(inner, callId));
}

function applyData(transcript, name, data) {
  const known = BY_NAME.get(name);
  const message = known === undefined ? messageIn(name, data) : null;
  if (message === null && !WITHIN_A_TEXT.has(name)) endText(transcript);
  if (known !== undefined) known(transcript, data);
  else if (message !== null) applyMessage(transcript, message);
  else addOther(transcript, name, data);
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
  ["conversation", applyConversation],
  ["conversation_lost", applyConversationLost],
  ["user_message", applyUserMessage],
  ["user_message_state", applyUserMessageState],
  ["turn_started", applyTurnStarted],
  ["turn_ended", applyTurnEnded],
  ["approval", applyApproval],
  ["approval_resolved", applyApprovalResolved],
  ["plan", (transcript, data) => applyPlan(transcript, data) || addOther(transcript, "plan", data)],
  ["mode", applyMode],
  ["model", applyModel],
  ["state", applyState],
  ["done", applyDone],
  ["ping", () => {}],
]);

/** What may come in the middle of a message's pieces. */
const WITHIN_A_TEXT = new Set([
  "message", "message_delta", "system", "ping", "user_message", "user_message_state", "conversation", "mode", "model",
  "state",
]);

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
  const message = piece === null && data?.type === "message" ? messageIn("message", data) : null;
  if (message !== null) return applyMessage(transcript, message);
  if (piece === null || data.role === "user") endText(transcript);
  if (piece === null) {
    addOther(transcript, typeof data?.type === "string" ? data.type : "message", data);
    return;
  }
  if (data.role === "user") return transcript.talk === null ? applyInput(transcript, data) : undefined;
  if (piece.ending === "whole") applyWhole(transcript, piece.content);
  else appendText(transcript, piece.kind, piece);
}

function applyDelta(transcript, data) {
  const content = textIn(data);
  if (content === null) return addOther(transcript, "message_delta", data);
  transcript.opening ||= "piece";
  if (transcript.draft === null) {
    endText(transcript);
    transcript.draft = { text: "", id: transcript.endId };
  }
  transcript.draft.text += content;
  appendText(transcript, "text", { content, ending: "piece" });
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
  const content = textIn(data);
  if (content === null) return addOther(transcript, "reasoning", data);
  const { thought } = transcript;
  // Of an agent that thinks in pieces all there is, of another one a text that comes whole.
  if (data.partial === true) return growThought(transcript, content);
  transcript.thought = null;
  const text = readable(content);
  if (thought === null) transcript.add({ kind: "other", name: "reasoning", summary: inOneLine(text), body: cut(text) });
  else rewrite(transcript, thought, text);
}

/** A piece of what the agent thinks: its whole comes later, or never. */
function growThought(transcript, content) {
  const { last, thought } = transcript;
  if (thought === null || last !== thought) {
    transcript.thought = transcript.add({ kind: "other", name: "reasoning", summary: "", body: cut("") });
  }
  rewrite(transcript, transcript.thought, transcript.thought.body.text + readable(content));
}

function rewrite(transcript, block, text) {
  const body = cut(text);
  const grown = body.text.length - block.body.text.length;
  block.summary = inOneLine(body.text);
  block.body = body;
  transcript.touch(block, grown);
}

/** What an agent says about itself is its protocol's noise, but for that it has to wait. */
function applySystem(transcript, data) {
  if (data?.subtype === "reasoning_delta" && typeof data.content === "string") return growThought(transcript, data.content);
  const text = retryText(data);
  if (text === null) return;
  endText(transcript);
  const { last } = transcript;
  if (last?.topic !== "retry") return void transcript.add({ kind: "notice", text, topic: "retry" });
  last.text = text;
  transcript.touch(last);
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

/** Of a turn, or of one step of it, which adds up. */
function applyUsage(transcript, data) {
  const figures = Object.entries(data ?? {}).filter(([, value]) => typeof value === "number");
  if (figures.length === 0) return addOther(transcript, "usage", data);
  transcript.hasSteps = data.partial === true;
  const before = transcript.hasSteps ? (transcript.turnUsage ?? {}) : {};
  const added = figures.slice(0, 12).map(([name, value]) => [name, value + (before[name] ?? 0)]);
  transcript.turnUsage = { ...before, ...Object.fromEntries(added) };
}

function applyNotice(transcript, data) {
  if (data?.type === "part") return; // of a long line, which comes whole
  transcript.add({ kind: "notice", text: readable(noticeText(data)) });
}

function applyDone(transcript, data) {
  for (const call of transcript.asking.values()) call.state = "withdrawn";
  for (const call of new Set([...transcript.openCalls, ...transcript.asking.values()])) leave(transcript, call);
  transcript.openCalls = [];
  transcript.asking.clear();
  if (transcript.talk !== null) Object.assign(transcript.talk, { state: "", turn: null });
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
