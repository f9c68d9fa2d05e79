/**
 * What belongs to a conversation with a living agent: what people say, turns, and the agent's state.
 *
 * @typedef {import("./transcript.js").Transcript} Transcript
 *
 * @typedef {object} Talk  what is known of the conversation by now
 * @property {string} [conversationId]
 * @property {string | null} [model]
 * @property {string | null} [mode]
 * @property {any[]} [modes]
 * @property {any[]} [models]
 * @property {string} [state]   working, waiting, idle
 * @property {number | null} [turn]   the one that runs
 * @property {number} [endedTurn]  the last that has ended
 * @property {string} [lost]    why the agent no longer knows it
 */

import { endText } from "./append_text.js";
import { leave } from "./apply_tools.js";
import { cut } from "./limits.js";
import { readable } from "./plain_text.js";

/** @returns {Talk} */
function talkOf(transcript) {
  transcript.talk ??= {};
  return transcript.talk;
}

export function applyConversation(transcript, data) {
  const talk = talkOf(transcript);
  for (const name of ["conversationId", "model", "mode", "modes", "models"]) {
    if (data?.[name] !== undefined && data[name] !== null) talk[name] = data[name];
  }
}

export function applyConversationLost(transcript, data) {
  const error = readable(String(data?.error ?? "")).trim();
  talkOf(transcript).lost = error;
  transcript.add({ kind: "lost", text: error === "" || error.endsWith(".") ? error : `${error}.` });
}

export function applyMode(transcript, data) {
  talkOf(transcript).mode = String(data?.mode ?? "");
}

export function applyModel(transcript, data) {
  talkOf(transcript).model = String(data?.model ?? "");
}

export function applyState(transcript, data) {
  talkOf(transcript).state = String(data?.state ?? "");
}

export function applyUserMessage(transcript, data) {
  talkOf(transcript);
  if (typeof data?.id !== "string") return;
  const message = { id: data.id, content: textOf(data.content), by: data.by ?? null };
  if (data.state === "queued") transcript.queued.set(data.id, message);
  else {
    transcript.untaken.add(data.id);
    addSaid(transcript, message, "sent");
  }
}

export function applyUserMessageState(transcript, data) {
  talkOf(transcript);
  const { id, state } = data ?? {};
  const message = transcript.queued.get(id);
  if (state === "taken" || state === "cancelled") transcript.untaken.delete(id);
  if (message === undefined && transcript.messageIds.has(id)) return;
  transcript.queued.delete(id);
  if (state !== "taken" && state !== "cancelled") return;
  // Its text comes with what was recorded earlier: see earlier.js.
  addSaid(transcript, message ?? { id, content: "", by: null }, state === "taken" ? "sent" : "cancelled");
}

/** @param {"sent" | "cancelled"} state */
function addSaid(transcript, { id, content, by }, state) {
  endText(transcript);
  transcript.messageIds.add(id);
  // The page has shown it above the session until the log had it.
  if (transcript.said?.trimEnd() === content.trimEnd()) transcript.said = null;
  if (state === "sent") transcript.turnMessages.set(id, content);
  transcript.add({ kind: "input", ...cut(readable(content)), messageId: id, by, state });
}

function textOf(content) {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part) => (typeof part?.text === "string" ? part.text : "")).join("\n").trim();
}

export function applyTurnStarted(transcript, data) {
  const talk = talkOf(transcript);
  talk.turn = Number(data?.turn ?? 0);
  transcript.plan = null;
  transcript.turnUsage = null;
}

export function applyTurnEnded(transcript, data) {
  const talk = talkOf(transcript);
  talk.turn = null;
  talk.endedTurn = Number(data?.turn ?? 0);
  const used = transcript.turnUsage ?? {};
  for (const call of transcript.openCalls) leave(transcript, call);
  transcript.openCalls = transcript.openCalls.filter((call) => call.state === "asks");
  transcript.add({
    kind: "turn",
    turn: Number(data?.turn ?? 0),
    outcome: String(data?.outcome ?? "completed"),
    error: typeof data?.error === "string" ? readable(data.error) : "",
    // The cost in an agent's own lines may be that of its whole process.
    usage: { ...used, costUsd: undefined, ...figuresIn(data) },
    denied: Number(data?.denied ?? 0),
    ...begunWith(transcript),
  });
  transcript.turnMessages = new Map();
}

/** What its agent has not taken is sent again by itself. */
function begunWith({ turnMessages, untaken }) {
  const taken = [...turnMessages].filter(([id]) => !untaken.has(id));
  const isWaiting = taken.length === 0 && turnMessages.size > 0;
  return { isWaiting, said: (isWaiting ? [...turnMessages] : taken).map(([, content]) => content).join("\n\n") };
}

function figuresIn(data) {
  const names = ["durationMs", "costUsd", "inputTokens", "cachedInputTokens", "outputTokens"];
  return Object.fromEntries(names.filter((name) => typeof data?.[name] === "number").map((name) => [name, data[name]]));
}
