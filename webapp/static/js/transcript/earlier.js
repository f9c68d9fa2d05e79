/** Events from before a transcript's first, put where they belong. */

import { applyEvent } from "./apply_event.js";
import { leave, settle } from "./apply_tools.js";
import { weightOfArgs } from "./blocks.js";
import { MAX_BLOCK_TEXT } from "./limits.js";
import { goesOn } from "./text_run.js";
import { Transcript } from "./transcript.js";

/** @param {import("../stream/sse_parser.js").StreamEvent[]} events  in the order of the log */
export function prependEvents(transcript, events) {
  const earlier = new Transcript();
  earlier.said = transcript.said;
  for (const event of withoutInner(transcript, events)) applyEvent(earlier, event);
  transcript.said = earlier.said;
  transcript.start ??= earlier.start;

  const open = new Set(earlier.openCalls);
  const answered = answerOrphans(transcript, earlier);
  if (transcript.opening === "whole") dropDraft(transcript.firstWhole, earlier);
  if (earlier.firstWhole === null) transcript.opening ||= earlier.opening;
  else transcript.opening = earlier.opening;
  transcript.firstWhole = earlier.firstWhole ?? transcript.firstWhole;
  joinTalks(transcript, earlier);
  joinUsage(transcript, earlier);
  const blocks = earlier.blocks.filter((block) => !answered.has(block));
  if (joinTexts(transcript, blocks)) blocks.pop();
  const wasEmpty = transcript.blocks.length === 0;
  const isPast = transcript.done !== null || transcript.blocks.some(({ kind }) => kind === "turn");
  const kept = transcript.prepend(blocks);
  if (wasEmpty && earlier.openText !== null) {
    transcript.openText = kept[blocks.indexOf(earlier.openText)] ?? null;
    transcript.draft = earlier.draft;
  }
  const stillOpen = kept.filter((_, index) => open.has(blocks[index]));
  if (isPast) for (const call of stillOpen) leave(transcript, call);
  else transcript.openCalls.unshift(...stillOpen);
  for (const block of kept) if (block.state === "asks") resolve(transcript, block);
}

/** The events that no subagent of a known call has made; those of one are put before its first. */
function withoutInner(transcript, events) {
  if (transcript.parents.size === 0) return events;
  /** @type {Map<any, typeof events>} */
  const inner = new Map();
  const others = events.filter((event) => {
    const parent = event.data.includes('"parentId"') ? holderOf(transcript, JSON.parse(event.data).parentId) : null;
    if (parent !== null) inner.set(parent, [...(inner.get(parent) ?? []), event]);
    return parent === null;
  });
  for (const [{ callId, inner: theirs }, made] of inner) {
    prependEvents(theirs, made.map((event) => {
      const { parentId, ...data } = JSON.parse(event.data);
      return { ...event, data: JSON.stringify(parentId === callId ? data : { parentId, ...data }) };
    }));
  }
  return others;
}

/** The call of a transcript in which a subagent's events belong, at whatever depth; null: it has none. */
function holderOf(transcript, callId) {
  const own = transcript.parents.get(callId);
  if (own !== undefined) return own;
  return [...transcript.parents.values()].find(({ inner }) => inner !== null && holderOf(inner, callId) !== null) ?? null;
}

/**
 * Results whose calls have come now: each card shows both, where the result stood.
 *
 * @param {Transcript} earlier
 */
function answerOrphans(transcript, earlier) {
  const answered = new Set();
  if (earlier.openCalls.length === 0) return answered;
  const open = new Map(earlier.openCalls.map((call) => [call.callId, call]));
  for (const block of transcript.blocks) {
    if (block.kind !== "tool" || !block.isOrphan || block.callId === null) continue;
    const call = open.get(block.callId);
    if (call === undefined) continue;
    block.name = call.name;
    block.summary = call.summary;
    block.args = call.args;
    block.input = call.input;
    block.isOrphan = false;
    block.approval ??= call.approval;
    block.inner ??= call.inner;
    resolve(transcript, block, call.resolution);
    transcript.touch(block, weightOfArgs(call.args));
    answered.add(call);
  }
  return answered;
}

/** A card whose approval was answered after the page began to read, or has still to be. */
function resolve(transcript, block, known = null) {
  if (block.approval === null || block.resolution !== null) return;
  const { id } = block.approval;
  const resolution = known ?? transcript.resolutions.get(id);
  if (resolution !== undefined) settle(transcript, block, resolution);
  else if (transcript.done !== null) block.state = "withdrawn";
  else transcript.asking.set(id, block);
}

/** Figures of steps add up, whatever the order in which they come. */
function joinUsage(transcript, { turnUsage, refused }) {
  transcript.refused += refused;
  if (turnUsage === null || transcript.talk !== null) return;
  if (transcript.turnUsage === null) transcript.turnUsage = turnUsage;
  else if (transcript.hasSteps) {
    for (const [name, value] of Object.entries(turnUsage)) transcript.turnUsage[name] = value + (transcript.turnUsage[name] ?? 0);
  }
}

/** What an earlier part knows of the conversation, and messages whose fate this part has. */
function joinTalks(transcript, earlier) {
  if (earlier.talk !== null) transcript.talk = { ...earlier.talk, ...transcript.talk };
  const turns = transcript.blocks.filter((block) => block.kind === "turn");
  if (turns[0]?.said === "") turns[0].said = [...earlier.turnMessages.values()].join("\n\n");
  else if (turns.length === 0) transcript.turnMessages = new Map([...earlier.turnMessages, ...transcript.turnMessages]);
  for (const id of earlier.untaken) if (!transcript.messageIds.has(id)) transcript.untaken.add(id);
  const waiting = new Map(earlier.queued);
  for (const block of transcript.blocks) {
    const message = block.kind === "input" ? waiting.get(block.messageId ?? "") : undefined;
    if (message === undefined || block.kind !== "input") continue;
    block.text = message.content;
    block.by = message.by;
    waiting.delete(message.id);
    transcript.touch(block, message.content.length);
  }
  for (const id of earlier.messageIds) transcript.messageIds.add(id);
  if (transcript.done === null) transcript.queued = new Map([...waiting, ...transcript.queued]);
}

/** Deltas of a message that the page already has whole. @param {Transcript} earlier */
function dropDraft(whole, { draft, blocks }) {
  if (draft === null || !(whole.includes(draft.text) || draft.text.endsWith(whole))) return;
  for (let at = blocks.length - 1; at >= 0 && (blocks[at]?.id ?? 0) >= draft.id; at -= 1) {
    if (blocks[at]?.kind === "text") blocks.splice(at, 1);
  }
}

/**
 * A text that was cut in two by where the page began to read.
 *
 * @param {import("./blocks.js").Block[]} earlier
 * @returns {boolean} whether the first block has taken in the last of the earlier ones
 */
function joinTexts(transcript, earlier) {
  const last = earlier.at(-1);
  const [first] = transcript.blocks;
  if (last === undefined || first === undefined) return false;
  if (last.kind !== first.kind || !("ending" in last) || !("ending" in first)) return false;
  if (!goesOn(last.ending, { ending: first.begins })) return false;
  if (last.text.length + first.text.length > MAX_BLOCK_TEXT) {
    first.continued = true;
    transcript.touch(first);
    return false;
  }
  const between = last.text !== "" && last.ending === "line" ? "\n" : "";
  first.text = last.text + between + first.lead + first.text;
  first.lead = last.lead;
  first.continued = last.continued;
  first.begins = last.begins;
  first.opening = last.opening;
  transcript.touch(first, last.weight);
  return true;
}
