/** A transcript in the document: only blocks that have changed are written again. */

import { drawBlock } from "./block_views.js";

/** @typedef {import("./block_views.js").Drawn} Drawn */

export class TranscriptView {
  #root;
  #onDropped;
  /** In the order of the blocks. @type {Map<number, Drawn>} */
  #drawn = new Map();
  #dropped = 0;

  /**
   * @param {HTMLElement} root
   * @param {(dropped: number) => void} onDropped  told when blocks have left the page
   */
  constructor(root, onDropped) {
    this.#root = root;
    this.#onDropped = onDropped;
  }

  clear() {
    this.#root.replaceChildren();
    this.#drawn.clear();
    this.#dropped = 0;
  }

  /**
   * @param {import("../transcript/transcript.js").Transcript} transcript
   * @param {() => boolean} isOverBudget
   * @returns {boolean} whether something is left to write
   */
  write(transcript, isOverBudget) {
    this.#removeDropped(transcript);

    const added = document.createDocumentFragment();
    for (const id of transcript.changed) {
      transcript.changed.delete(id);
      const block = transcript.block(id);
      if (block === undefined) continue;

      const drawn = this.#drawn.get(id);
      if (drawn === undefined) {
        const fresh = drawBlock(block);
        this.#drawn.set(id, fresh);
        added.append(fresh.element);
      } else {
        drawn.update(block);
      }
      if (isOverBudget()) break;
    }
    this.#root.append(added);
    return transcript.changed.size > 0;
  }

  /** @param {import("../transcript/transcript.js").Transcript} transcript */
  #removeDropped(transcript) {
    if (transcript.dropped === this.#dropped) return;
    this.#dropped = transcript.dropped;
    for (const [id, { element }] of this.#drawn) {
      if (id >= transcript.firstId) break;
      element.remove();
      this.#drawn.delete(id);
    }
    this.#onDropped(transcript.dropped);
  }
}
