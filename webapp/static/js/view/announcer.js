/**
 * What a screen reader says. The list of blocks is no live region: its rows come and go as one
 * scrolls, and an agent's words come one by one. This says whole things, once.
 */

import { lookOf } from "../sessions/status.js";
import { find } from "./dom.js";

const SETTLED_MS = 1_200;
const MAX_LETTERS = 400;
/** History is not announced: early events of a connection happened before. */
const HISTORY_MS = 700;

export function announce(text) {
  const region = find(document, "announcer", HTMLElement);
  // The same text again is said again only if it is another node.
  region.replaceChildren(document.createTextNode(text));
}

/** What a person must do something about: it interrupts what is being said, and is not cut off by it. */
export function announceUrgently(text) {
  find(document, "urgent", HTMLElement).replaceChildren(document.createTextNode(text));
}

/** Speaks of one turn. */
export class TurnSpeaker {
  #turn;
  #timer = 0;
  #changedAt = 0;
  #isHistory = true;
  /** Up to here all has been said: a block, and letters of it. */
  #id = 0;
  #letters = 0;
  #hasEnded = false;

  constructor(turn) {
    this.#turn = turn;
    window.setTimeout(() => this.#begin(), HISTORY_MS);
  }

  /** Something in the turn has changed. */
  hear() {
    if (this.#isHistory) return;
    this.#changedAt = performance.now();
    this.#timer ||= window.setTimeout(() => this.#speak(), SETTLED_MS);
  }

  #begin() {
    const { transcript, isLive, row } = this.#turn;
    this.#isHistory = false;
    this.#hasEnded = !isLive;
    if (isLive) announce(`${row.agent} is working`);
    else this.#id = transcript.endId;
  }

  /** Blocks that are complete, and the last one when it has stopped growing. */
  #speak() {
    this.#timer = 0;
    const { transcript, isLive, status, row } = this.#turn;
    const isSettled = !isLive || performance.now() - this.#changedAt >= SETTLED_MS;
    const parts = [];
    for (let id = Math.max(this.#id, transcript.firstId); id < transcript.endId; id += 1) {
      const isLast = id === transcript.endId - 1;
      const block = transcript.block(id);
      if (block === undefined || (isLast && !isSettled)) break;
      parts.push(spoken(block, id === this.#id ? this.#letters : 0));
      const grows = isLast && "ending" in block;
      this.#id = grows ? id : id + 1;
      this.#letters = grows ? block.text.length : 0;
    }
    const words = short(parts.join(" "));
    const isRest = this.#turn.isTalk && status === "succeeded";
    const end = isLive || this.#hasEnded || isRest ? "" : `${row.agent}: ${lookOf(status).word}.`;
    if (!isLive) this.#hasEnded = true;
    if (words + end !== "") announce([words, end].filter(Boolean).join(" "));
    if (!isSettled) this.#timer = window.setTimeout(() => this.#speak(), SETTLED_MS);
  }
}

/** @param {number} from  letters that have been said */
function spoken(block, from) {
  if (block.kind === "turn") return block.outcome === "interrupted" ? "Stopped." : block.error;
  // What a person wrote themself, and what they are asked elsewhere.
  if (block.messageId !== undefined || block.approval) return "";
  if ("text" in block) return block.text.slice(from);
  return block.kind === "tool" ? `Tool ${block.name}.` : "";
}

function short(text) {
  const plain = text.replace(/[#*`|>_~-]+/g, " ").replace(/\s+/g, " ").trim();
  return plain.length > MAX_LETTERS ? `${plain.slice(0, MAX_LETTERS)}…` : plain;
}
