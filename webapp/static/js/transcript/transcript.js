/**
 * The part of a session that the page keeps: a bounded list of blocks.
 *
 * It is changed in place, because a session may have 100,000 events; `changed` says which blocks a
 * view has to write again. Nothing here knows the DOM.
 *
 * @typedef {import("./blocks.js").Block} Block
 * @typedef {import("./blocks.js").TextBlock} TextBlock
 * @typedef {import("./blocks.js").ToolBlock} ToolBlock
 * @typedef {import("./blocks.js").DoneBlock} DoneBlock
 */

import { weightOf } from "./blocks.js";
import { MAX_BLOCKS, MAX_TEXT } from "./limits.js";

export class Transcript {
  /** @type {Block[]} */
  blocks = [];
  /** Ids of blocks that are new or not what they were. @type {Set<number>} */
  changed = new Set();
  /** Tool calls without a result, oldest first. @type {ToolBlock[]} */
  openCalls = [];
  /** @type {DoneBlock | null} */
  done = null;
  /** How many blocks have made room for later ones. */
  dropped = 0;

  #nextId = 1;
  #weight = 0;
  /** @type {Map<number, number>} */
  #weights = new Map();

  /** @returns {Block | undefined} */
  get last() {
    return this.blocks.at(-1);
  }

  /** The id of the oldest block that is left. */
  get firstId() {
    return this.#nextId - this.blocks.length;
  }

  /** @param {number} id */
  block(id) {
    return this.blocks[id - this.firstId];
  }

  /**
   * @template {Block} T
   * @param {T extends any ? Omit<T, "id"> : never} content
   * @returns {T}
   */
  add(content) {
    const block = /** @type {T} */ (/** @type {unknown} */ ({ ...content, id: this.#nextId }));
    this.#nextId += 1;
    this.blocks.push(block);
    this.touch(block);
    return block;
  }

  /**
   * Say that a block has changed.
   *
   * @param {Block} block
   */
  touch(block) {
    if (block.id < this.firstId) return;
    const weight = weightOf(block);
    this.#weight += weight - (this.#weights.get(block.id) ?? 0);
    this.#weights.set(block.id, weight);
    this.changed.add(block.id);
    while (this.blocks.length > MAX_BLOCKS || (this.#weight > MAX_TEXT && this.blocks.length > 1)) {
      this.#dropFirst();
    }
  }

  #dropFirst() {
    const block = this.blocks.shift();
    if (block === undefined) return;
    this.#weight -= this.#weights.get(block.id) ?? 0;
    this.#weights.delete(block.id);
    this.changed.delete(block.id);
    this.dropped += 1;
    if (block.kind === "tool" && block.state === "running") {
      this.openCalls.splice(this.openCalls.indexOf(block), 1);
    }
  }
}
