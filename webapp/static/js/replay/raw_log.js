/** The log file as it was written, near the moment that is shown: only a window of it is here. */

import { logUrl } from "../api/sessions.js";
import { pictured } from "../transcript/plain_text.js";
import { copyOf, find, setText } from "../view/dom.js";
import { linesOf } from "./log_lines.js";

/** @typedef {import("./log_lines.js").LogLine} LogLine */

const PIECE_BYTES = 48 * 1024;
const MAX_LINES = 1_500;
/** A reader this near to an edge of the window is near what comes behind it. */
const NEAR_PX = 600;

export class RawLog {
  #root;
  #sessionId;
  #scroller;
  #list;
  /** @type {{line: LogLine, element: HTMLElement}[]} */
  #rows = [];
  #wantedId = -1;
  #markedId = -1;
  #isLoading = false;
  #isAtEnd = false;
  /** Of the log, when a part of it came last. */
  #size = Number.POSITIVE_INFINITY;

  /** @param {(id: string) => void} onSeek */
  constructor(root, sessionId, onSeek) {
    this.#root = root;
    this.#sessionId = sessionId;
    this.#scroller = find(root, "log-scroller", HTMLElement);
    this.#list = find(root, "log-lines", HTMLElement);
    this.#scroller.addEventListener("scroll", () => void this.#extend(), { passive: true });
    this.#list.addEventListener("click", (event) => {
      const row = event.target instanceof Element ? event.target.closest("[data-end]") : null;
      if (row instanceof HTMLElement && getSelection()?.isCollapsed) onSeek(row.dataset.end ?? "0");
    });
  }

  /** Show the record that ends at (or after) an offset. @param {string} id  of an event */
  async show(id) {
    // An event inside of a record has the offset at which that begins.
    const [offset, inner] = id.split(".");
    this.#wantedId = Number(offset) + (inner === undefined ? 0 : 1);
    await this.#showWanted();
  }

  async #showWanted() {
    if (this.#root.hidden || this.#isLoading) return;
    this.#isLoading = true;
    try {
      while (this.#wantedId !== this.#markedId) await this.#goTo(this.#wantedId);
    } catch {
      this.#markedId = this.#wantedId; // the page says elsewhere that the server is away
    }
    this.#isLoading = false;
  }

  async #goTo(end) {
    const from = this.#rows[0]?.line.start ?? 0;
    const to = this.#rows.at(-1)?.line.end ?? 0;
    if (end > to && end <= to + 2 * PIECE_BYTES && this.#rows.length > 0) await this.#append();
    if (end < from || end > (this.#rows.at(-1)?.line.end ?? 0)) await this.#replace(end);
    this.#mark(end);
  }

  async #replace(end) {
    const start = Math.max(0, end - PIECE_BYTES);
    const lines = await this.#read(start, end + PIECE_BYTES, start === 0);
    this.#rows = lines.map(rowOf);
    this.#list.replaceChildren(...this.#rows.map(({ element }) => element));
    this.#isAtEnd = false;
  }

  #mark(end) {
    this.#markedId = end;
    const row = this.#rows.find(({ line }) => line.end >= end) ?? this.#rows.at(-1);
    this.#list.querySelector("[aria-current]")?.removeAttribute("aria-current");
    if (row === undefined) return;
    const isBefore = end === 0;
    if (!isBefore) row.element.setAttribute("aria-current", "true");
    const top = row.element.offsetTop - this.#scroller.clientHeight * 0.6;
    this.#scroller.scrollTop = isBefore ? 0 : top;
  }

  async #extend() {
    if (this.#isLoading || this.#rows.length === 0) return;
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const isNearEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    const isNearStart = scrollTop < NEAR_PX && (this.#rows[0]?.line.start ?? 0) > 0;
    if (!isNearStart && (!isNearEnd || this.#isAtEnd)) return;
    this.#isLoading = true;
    try {
      await (isNearStart ? this.#prepend() : this.#append());
    } catch {
      // Asked for again when its reader scrolls on.
    }
    this.#isLoading = false;
    if (this.#wantedId !== this.#markedId) void this.#showWanted();
  }

  async #append() {
    const from = this.#rows.at(-1)?.line.end ?? 0;
    const lines = await this.#read(from, from + PIECE_BYTES, true);
    this.#isAtEnd = lines.length === 0;
    const rows = lines.map(rowOf);
    this.#rows.push(...rows);
    this.#list.append(...rows.map(({ element }) => element));
    this.#keepPlace(() => {
      for (const { element } of this.#rows.splice(0, Math.max(0, this.#rows.length - MAX_LINES))) element.remove();
    });
  }

  async #prepend() {
    const to = this.#rows[0]?.line.start ?? 0;
    const from = Math.max(0, to - PIECE_BYTES);
    const lines = await this.#read(from, to, from === 0);
    const rows = lines.map(rowOf);
    this.#keepPlace(() => {
      this.#rows.unshift(...rows);
      this.#list.prepend(...rows.map(({ element }) => element));
    });
    for (const { element } of this.#rows.splice(MAX_LINES)) element.remove();
    this.#isAtEnd = false;
  }

  /** What its reader looks at stays where it is while lines above it come or go. */
  #keepPlace(change) {
    const before = this.#list.scrollHeight;
    const { scrollTop } = this.#scroller;
    const anchor = this.#rows.find(({ element }) => element.offsetTop >= scrollTop);
    const at = anchor?.element.offsetTop ?? before;
    change();
    if (anchor?.element.isConnected) this.#scroller.scrollTop = scrollTop + anchor.element.offsetTop - at;
  }

  /** @returns {Promise<LogLine[]>} the whole lines of a part; of one that holds none, its one line */
  async #read(from, to, isWhole) {
    if (from >= this.#size && this.#wantedId <= from) return [];
    for (let end = to; ; end += 8 * PIECE_BYTES) {
      const headers = { Range: `bytes=${from}-${Math.max(from, end - 1)}` };
      const response = await fetch(logUrl(this.#sessionId), { headers, cache: "no-store" });
      if (response.status === 416) return [];
      if (!response.ok) throw new Error(`The server answered ${response.status}.`);
      this.#size = Number(response.headers.get("Content-Range")?.split("/")[1] ?? Number.NaN);
      const bytes = new Uint8Array(await response.arrayBuffer());
      const lines = linesOf(bytes, from, { isWhole });
      if (lines.length > 0 || bytes.length < end - from || !isWhole) return lines;
    }
  }
}

/** @param {LogLine} line */
function rowOf(line) {
  const element = copyOf("log-line");
  element.dataset.stream = line.stream;
  element.dataset.end = String(line.end);
  setText(element, "time", line.time.slice(11, 23));
  setText(element, "name", line.stream);
  setText(element, "text", pictured(line.text));
  return { line, element };
}
