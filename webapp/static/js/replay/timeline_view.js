/** The timeline: a picture to look at, and a slider to move by pointer and by keyboard. */

import { formatExactClock } from "../format.js";
import { find, setText } from "../view/dom.js";
import { HEIGHT, formatElapsed, pathsOf, shareOf } from "./timeline_shape.js";

/** @typedef {import("./timeline_shape.js").Timeline} Timeline */

/** A key moves by a hundredth of the whole, a page key by a tenth. */
const STEP = 0.01;
const PAGE = 0.1;

export class TimelineView {
  #root;
  #slider;
  #onSeek;
  #startMs = 0;
  #endMs = 0;
  #nowMs = 0;

  /** @param {(ms: number) => void} onSeek */
  constructor(root, onSeek) {
    this.#root = root;
    this.#onSeek = onSeek;
    this.#slider = find(root, "slider", HTMLElement);
    this.#slider.addEventListener("pointerdown", (event) => this.#grab(event));
    this.#slider.addEventListener("pointermove", (event) => {
      this.#hover(event.clientX);
      if (this.#slider.hasPointerCapture(event.pointerId)) this.#seek(this.#msAt(event.clientX));
    });
    this.#slider.addEventListener("pointerleave", () => {
      find(this.#root, "hover", HTMLElement).hidden = true;
    });
    this.#slider.addEventListener("keydown", (event) => this.#press(event));
  }

  /** @param {Timeline} timeline */
  show({ start, end, sampled, buckets }) {
    this.#startMs = Date.parse(start) || 0;
    this.#endMs = Date.parse(end) || 0;
    const picture = find(this.#root, "picture", SVGSVGElement);
    picture.setAttribute("viewBox", `0 0 ${Math.max(1, buckets.length)} ${HEIGHT}`);
    const paths = pathsOf(buckets);
    for (const name of ["stdout", "stderr", "tools", "errors"]) {
      find(picture, `${name}-path`, SVGPathElement).setAttribute("d", paths[name]);
    }
    this.#root.toggleAttribute("data-sampled", sampled);
    setText(this.#root, "total", formatElapsed(this.#endMs - this.#startMs));
    this.write(this.#nowMs);
  }

  /** @param {number} ms  what is shown now */
  write(ms, endMs = this.#endMs) {
    this.#nowMs = ms;
    this.#endMs = Math.max(this.#endMs, endMs);
    const elapsed = Math.max(0, ms - this.#startMs);
    const share = shareOf(ms, this.#startMs, this.#endMs);
    find(this.#root, "playhead", HTMLElement).style.left = `${share * 100}%`;
    find(this.#root, "past", HTMLElement).style.width = `${share * 100}%`;
    setText(this.#root, "elapsed", formatElapsed(elapsed));
    setText(this.#root, "total", formatElapsed(this.#endMs - this.#startMs));
    setText(this.#root, "clock", this.#startMs === 0 ? "" : formatExactClock(new Date(ms).toISOString()));
    this.#slider.setAttribute("aria-valuemax", String(Math.round(this.#endMs - this.#startMs)));
    this.#slider.setAttribute("aria-valuenow", String(Math.round(elapsed)));
    const total = formatElapsed(this.#endMs - this.#startMs);
    this.#slider.setAttribute("aria-valuetext", `${formatElapsed(elapsed)} of ${total}`);
  }

  #grab(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.#slider.focus({ preventScroll: true });
    this.#slider.setPointerCapture(event.pointerId);
    this.#seek(this.#msAt(event.clientX));
  }

  #msAt(clientX) {
    const { left, width } = this.#slider.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (clientX - left) / Math.max(1, width)));
    return this.#startMs + share * (this.#endMs - this.#startMs);
  }

  /** Which moment a press would lead to. */
  #hover(clientX) {
    const hover = find(this.#root, "hover", HTMLElement);
    const ms = this.#msAt(clientX);
    hover.hidden = false;
    hover.style.left = `${shareOf(ms, this.#startMs, this.#endMs) * 100}%`;
    setText(this.#root, "hover", formatElapsed(ms - this.#startMs));
  }

  #press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const whole = this.#endMs - this.#startMs;
    const to = {
      ArrowLeft: this.#nowMs - STEP * whole,
      ArrowDown: this.#nowMs - STEP * whole,
      ArrowRight: this.#nowMs + STEP * whole,
      ArrowUp: this.#nowMs + STEP * whole,
      PageDown: this.#nowMs - PAGE * whole,
      PageUp: this.#nowMs + PAGE * whole,
      Home: this.#startMs,
      End: this.#endMs,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#seek(to);
  }

  #seek(ms) {
    // Up to the end of its last millisecond: a log's times have nine decimals.
    const to = ms >= this.#endMs ? this.#endMs + 1 : Math.max(this.#startMs, ms);
    this.write(Math.min(to, this.#endMs));
    this.#onSeek(to);
  }
}
