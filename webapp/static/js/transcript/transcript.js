/**
 * What the page keeps of one session: blocks without a gap between them, bounded, changed in place,
 * because a session may have 100,000 events. Nothing here knows the DOM.
 *
 * @typedef {import("./blocks.js").ToolBlock & import("./blocks.js").Counted} ToolBlock
 */

import { weightOf } from "./blocks.js";
import { MAX_BLOCKS, MAX_WEIGHT } from "./limits.js";

export class Transcript {
  blocks = [];
  /** Tool calls without a result, oldest first. @type {ToolBlock[]} */
  openCalls = [];
  start = null;
  done = null;
  /** What was said to start it, until the log says so too. @type {string | null} */
  said = null;
  /** The pieces of a message that is still to come whole. @type {{text: string, id: number} | null} */
  draft = null;
  /** The text that the next piece of a message goes on with. @type {import("./blocks.js").TextBlock | null} */
  openText = null;
  /** What its messages begin with. @type {"" | "piece" | "whole"} */
  opening = "";
  /** The first message that came whole. @type {string | null} */
  firstWhole = null;
  /** What is known of the conversation; null: it is not one. @type {import("./apply_talk.js").Talk | null} */
  talk = null;
  /** What people said and the agent has not taken, in their order. @type {Map<string, {id: string, content: string, by: string | null}>} */
  queued = new Map();
  /** The ids of messages that have a block. @type {Set<string>} */
  messageIds = new Set();
  /** What people said in the turn that runs, by id. @type {Map<string, string>} */
  turnMessages = new Map();
  /** Those that were sent and the agent has not confirmed. @type {Set<string>} */
  untaken = new Set();
  /** What the agent itself said that the turn used. @type {Record<string, number> | null} */
  turnUsage = null;
  /** Whether that is the sum of the steps of a turn. */
  hasSteps = false;
  /** How many calls were refused, without anybody being asked. */
  refused = 0;
  /** The calls that subagents work for, by their ids. @type {Map<string, ToolBlock>} */
  parents = new Map();
  /** Cards that wait for a person, by the approval's id. @type {Map<string, ToolBlock>} */
  asking = new Map();
  /** How approvals ended, by their ids. @type {Map<string, any>} */
  resolutions = new Map();
  /** The turn's list of steps. @type {import("./blocks.js").PlanBlock & import("./blocks.js").Counted | null} */
  plan = null;
  /** Calls that are shown as that list. @type {Map<string | null, any>} */
  planCalls = new Map();
  /** What the agent thinks, as it comes. @type {import("./blocks.js").OtherBlock & import("./blocks.js").Counted | null} */
  thought = null;
  /** How many blocks have made room for later ones. */
  dropped = 0;

  #endId = 1;
  #weight = 0;

  get last() {
    return this.blocks.at(-1);
  }

  get weight() {
    return this.#weight;
  }

  /** The id of the oldest block that is left; below 1 where earlier ones were put before the first. */
  get firstId() {
    return this.#endId - this.blocks.length;
  }

  /** The id that the next block will get. */
  get endId() {
    return this.#endId;
  }

  block(id) {
    return this.blocks[id - this.firstId];
  }

  add(content) {
    const block = { ...content, id: this.#endId, version: 0, weight: 0 };
    this.#endId += 1;
    this.blocks.push(block);
    this.touch(block, weightOf(content));
    return block;
  }

  /**
   * Say that a block has changed.
   *
   * @param {number} [grown]  by how much more it weighs
   */
  touch(block, grown = 0) {
    block.version += 1;
    block.weight += grown;
    this.#weight += grown;
    if (this.blocks.length > MAX_BLOCKS || this.#weight > MAX_WEIGHT) this.#dropFirst();
  }

  /** Put blocks of what came earlier before the first. */
  prepend(blocks) {
    const firstId = this.firstId - blocks.length;
    const numbered = blocks.map((block, index) => ({ ...block, id: firstId + index }));
    this.blocks = [...numbered, ...this.blocks];
    for (const block of blocks) this.#weight += block.weight;
    return numbered;
  }

  /** A twentieth more than it must: moving a long list for each event would take long. */
  #dropFirst() {
    let count = 0;
    let weight = this.#weight;
    const most = this.blocks.length - 1;
    const isTooMuch = () =>
      this.blocks.length - count > MAX_BLOCKS * 0.95 || weight > MAX_WEIGHT * 0.95;
    while (count < most && isTooMuch()) {
      weight -= this.blocks[count]?.weight ?? 0;
      count += 1;
    }
    this.blocks.splice(0, count);
    this.#weight = weight;
    this.dropped += count;
    this.openCalls = this.openCalls.filter((call) => call.id >= this.firstId);
  }
}
