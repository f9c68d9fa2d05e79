/**
 * The heights of a long list's rows, known or guessed, and where each row lies. Heights are kept in
 * pages with their sums: a change costs nothing, a search a few hundred steps among 100,000 rows.
 */

const PAGE = 256;

export class HeightIndex {
  #pages = [];
  #sums = [];
  /** How many rows have left the first page: it is not filled up again. */
  #gone = 0;
  length = 0;
  total = 0;

  push(height) {
    let page = this.#pages.at(-1);
    if (page === undefined || page.length === PAGE) {
      page = [];
      this.#pages.push(page);
      this.#sums.push(0);
    }
    page.push(height);
    this.#add(this.#pages.length - 1, height);
    this.length += 1;
  }

  /** @param {number[]} heights  of rows that come before all others */
  prepend(heights) {
    const all = [...heights, ...this.#pages.flat().slice(this.#gone)];
    this.clear();
    for (const height of all) this.push(height);
  }

  /** @param {number} count  of rows at the start that are no more */
  drop(count) {
    for (let left = Math.min(count, this.length); left > 0; left -= 1) {
      const page = this.#pages[0] ?? [];
      this.#add(0, -(page[this.#gone] ?? 0));
      this.#gone += 1;
      this.length -= 1;
      if (this.#gone < page.length) continue;
      this.#pages.shift();
      this.#sums.shift();
      this.#gone = 0;
    }
  }

  clear() {
    this.#pages = [];
    this.#sums = [];
    this.#gone = 0;
    this.length = 0;
    this.total = 0;
  }

  get(row) {
    const at = row + this.#gone;
    return this.#pages[Math.floor(at / PAGE)]?.[at % PAGE] ?? 0;
  }

  set(row, height) {
    const at = row + this.#gone;
    const index = Math.floor(at / PAGE);
    const page = this.#pages[index];
    if (page === undefined) return;
    this.#add(index, height - (page[at % PAGE] ?? 0));
    page[at % PAGE] = height;
  }

  /** Where a row begins, in pixels from the first. */
  offsetOf(row) {
    const at = row + this.#gone;
    const index = Math.floor(at / PAGE);
    let offset = 0;
    for (let before = 0; before < index; before += 1) offset += this.#sums[before] ?? 0;
    const first = index === 0 ? this.#gone : 0;
    for (let before = first; before < at % PAGE; before += 1) {
      offset += this.#pages[index]?.[before] ?? 0;
    }
    return offset;
  }

  /** The row at this many pixels; the last one beyond the end. */
  rowAt(offset) {
    let index = 0;
    let left = offset;
    while (index < this.#sums.length - 1 && left >= (this.#sums[index] ?? 0)) {
      left -= this.#sums[index] ?? 0;
      index += 1;
    }
    const page = this.#pages[index] ?? [];
    let at = index === 0 ? this.#gone : 0;
    while (at < page.length - 1 && left >= (page[at] ?? 0)) {
      left -= page[at] ?? 0;
      at += 1;
    }
    return Math.max(0, index * PAGE + at - this.#gone);
  }

  #add(index, change) {
    this.#sums[index] = (this.#sums[index] ?? 0) + change;
    this.total += change;
  }
}
