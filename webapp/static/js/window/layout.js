/**
 * Where the rows of a list of sections lie, one below the other. A section is a lead row, rows by
 * the number of their block, and a foot row; heights are guessed until they have been measured.
 *
 * @typedef {object} Section
 * @property {string} key
 * @property {number} firstId                  of its blocks; may sink, and rise, as they come and go
 * @property {number} endId                    one after the last block's
 * @property {(id: number) => number} guess    a block's height in pixels
 * @property {number} [leadGuess]
 * @property {number} [footGuess]
 *
 * @typedef {{section: number, row: number}} Place  row 0 is the lead, the last one the foot
 *
 * @typedef {{source: Section, firstId: number, lead: number, foot: number, heights: HeightIndex}} Laid
 */

import { HeightIndex } from "./height_index.js";

const LEAD_GUESS = 96;
const FOOT_GUESS = 48;

export class Layout {
  #sections = [];

  setSections(sources) {
    const known = new Map(this.#sections.map((laid) => [laid.source, laid]));
    this.#sections = sources.map(
      (source) =>
        known.get(source) ?? {
          source,
          firstId: source.firstId,
          lead: source.leadGuess ?? LEAD_GUESS,
          foot: source.footGuess ?? FOOT_GUESS,
          heights: new HeightIndex(),
        },
    );
    this.sync();
  }

  /** Take in which blocks have come and gone. */
  sync() {
    for (const laid of this.#sections) syncSection(laid);
  }

  get total() {
    return this.#sections.reduce((sum, laid) => sum + heightOf(laid), 0);
  }

  get isEmpty() {
    return this.#sections.length === 0;
  }

  offsetOf({ section, row }) {
    let offset = 0;
    for (let before = 0; before < section; before += 1) {
      const laid = this.#sections[before];
      if (laid !== undefined) offset += heightOf(laid);
    }
    const laid = this.#sections[section];
    if (laid === undefined || row === 0) return offset;
    return offset + laid.lead + laid.heights.offsetOf(Math.min(row - 1, laid.heights.length));
  }

  placeAt(offset) {
    let left = offset;
    let section = 0;
    while (section < this.#sections.length - 1 && left >= this.#heightOf(section)) {
      left -= this.#heightOf(section);
      section += 1;
    }
    const laid = this.#sections[section];
    if (laid === undefined || left < laid.lead) return { section, row: 0 };
    left -= laid.lead;
    const { total, length } = laid.heights;
    return { section, row: left >= total ? length + 1 : laid.heights.rowAt(left) + 1 };
  }

  /**
   * The place after this one; null at the end.
   *
   * @returns {Place | null}
   */
  after({ section, row }) {
    const laid = this.#sections[section];
    if (laid !== undefined && row <= laid.heights.length) return { section, row: row + 1 };
    return section + 1 < this.#sections.length ? { section: section + 1, row: 0 } : null;
  }

  describe({ section, row }) {
    const laid = this.#sections[section];
    if (laid === undefined) return null;
    const { source, firstId, heights } = laid;
    const part = row === 0 ? "lead" : row > heights.length ? "foot" : firstId + row - 1;
    return { source, part, key: `${source.key}/${part}` };
  }

  /**
   * Where a row is now that was described before; null when it is gone.
   *
   * @param {Section} source
   * @param {"lead" | "foot" | number} part
   * @returns {Place | null}
   */
  find(source, part) {
    const section = this.#sections.findIndex((laid) => laid.source === source);
    const laid = this.#sections[section];
    if (laid === undefined) return null;
    if (part === "lead") return { section, row: 0 };
    if (part === "foot") return { section, row: laid.heights.length + 1 };
    const row = part - laid.firstId + 1;
    return row < 1 || row > laid.heights.length ? null : { section, row };
  }

  /** @returns {boolean} whether it is another one */
  setHeight({ section, row }, height) {
    const laid = this.#sections[section];
    if (laid === undefined) return false;
    const part = row === 0 ? "lead" : row > laid.heights.length ? "foot" : null;
    const before = part === null ? laid.heights.get(row - 1) : laid[part];
    if (Math.abs(before - height) < 0.01) return false;
    if (part === null) laid.heights.set(row - 1, height);
    else laid[part] = height;
    return true;
  }

  #heightOf(section) {
    const laid = this.#sections[section];
    return laid === undefined ? 0 : heightOf(laid);
  }
}

function heightOf(laid) {
  return laid.lead + laid.heights.total + laid.foot;
}

function syncSection(laid) {
  const { source, heights } = laid;
  if (source.firstId < laid.firstId) {
    const count = laid.firstId - source.firstId;
    const earlier = Array.from({ length: count }, (_, index) => source.guess(source.firstId + index));
    heights.prepend(earlier);
  } else {
    heights.drop(source.firstId - laid.firstId);
  }
  laid.firstId = source.firstId;
  for (let id = laid.firstId + heights.length; id < source.endId; id += 1) heights.push(source.guess(id));
}
