/**
 * A list of any length in a scroller: only rows near the screen are in the document, and what the
 * reader looks at stays where it is while rows above it come, grow and go.
 *
 * @typedef {import("./layout.js").Place} Place
 * @typedef {"lead" | "foot" | number} Part
 *
 * @typedef {object} Drawn
 * @property {HTMLElement} element
 * @property {() => void | false} update   called when the version is another one; false: draw it anew
 *
 * @typedef {import("./layout.js").Section & {
 *   versionOf: (part: Part) => number,
 *   draw: (part: Part) => Drawn,
 *   onNear: (part: Part) => void,
 * }} DrawnSection
 *
 * @typedef {{drawn: Drawn, version: number, place: Place}} Row
 */

import { Layout } from "./layout.js";
import { TailFollower } from "./tail_follower.js";

/** Rows within this distance of the screen are in the document: a fling goes as far. */
const MARGIN_PX = 1_400;
/** Measuring a row may move others into sight; each pass draws them. */
const MAX_PASSES = 5;

export class WindowedList {
  #scroller;
  #root;
  #follower;
  #layout = new Layout();
  #rows = new Map();
  #frame = 0;
  #sizes = new ResizeObserver(() => this.refresh());

  #startsAtEnd;

  /**
   * @param {HTMLElement} root  in it; nothing else in there changes its height
   * @param {HTMLElement | null} jump  leads to the end; null: the list starts at its beginning, and follows no end
   */
  constructor(scroller, root, jump) {
    this.#startsAtEnd = jump !== null;
    this.#scroller = scroller;
    this.#root = root;
    this.#follower = new TailFollower(scroller, jump, () => this.refresh());
    scroller.addEventListener("scroll", () => this.refresh(), { passive: true });
    this.#sizes.observe(scroller);
  }

  setSections(sections) {
    const anchor = this.#anchor();
    this.#layout.setSections(sections);
    this.#draw(anchor);
  }

  /** Draw what has changed, with the next frame. */
  refresh() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      const anchor = this.#anchor();
      this.#layout.sync();
      this.#draw(anchor);
    });
  }

  follow() {
    this.#follower.isFollowing = true;
    this.refresh();
  }

  /** Bring a section's beginning to the top. */
  show(section) {
    const place = this.#layout.find(section, "lead");
    if (place === null) return;
    this.#follower.isFollowing = false;
    this.#follower.moveTo(this.#layout.offsetOf(place) + this.#root.offsetTop);
    this.refresh();
  }

  /** What stands at the top of the screen, and how far above the top it begins. */
  #anchor() {
    if (this.#layout.isEmpty || this.#follower.isFollowing) return null;
    const top = this.#scroller.scrollTop - this.#root.offsetTop;
    const place = this.#layout.placeAt(Math.max(0, top));
    const row = this.#layout.describe(place);
    return row === null ? null : { ...row, delta: top - this.#layout.offsetOf(place), top };
  }

  #topFor(anchor) {
    const height = this.#scroller.clientHeight;
    if (anchor === null) return this.#startsAtEnd ? Math.max(0, this.#layout.total - height) : 0;
    const place = this.#layout.find(anchor.source, anchor.part);
    return place === null ? anchor.top : this.#layout.offsetOf(place) + anchor.delta;
  }

  #draw(anchor) {
    for (let pass = 0; pass < MAX_PASSES; pass += 1) {
      const top = this.#topFor(anchor);
      const from = this.#layout.placeAt(Math.max(0, top - MARGIN_PX));
      this.#render(from, top + this.#scroller.clientHeight + MARGIN_PX);
      if (!this.#measure()) break;
    }
    if (this.#layout.isEmpty) return this.#follower.moveTo(0);
    const end = this.#scroller.scrollHeight;
    if (anchor === null && !this.#startsAtEnd) return this.#follower.moveTo(0);
    this.#follower.moveTo(anchor === null ? end : this.#topFor(anchor) + this.#root.offsetTop);
  }

  #render(from, untilOffset) {
    if (this.#layout.isEmpty) return this.#clear();
    const before = this.#layout.offsetOf(from);
    let offset = before;
    const wanted = new Map();
    for (let place = from; place !== null && offset < untilOffset; ) {
      wanted.set(this.#layout.describe(place)?.key ?? "", place);
      place = this.#layout.after(place);
      offset = place === null ? this.#layout.total : this.#layout.offsetOf(place);
    }

    for (const key of this.#rows.keys()) if (!wanted.has(key)) this.#remove(key);
    // All of them first: one that is drawn anew leaves the document.
    const rows = [...wanted].map(([key, place]) => this.#rowAt(key, place));
    let next = this.#root.firstElementChild;
    for (const { drawn: { element } } of rows) {
      if (element === next) next = element.nextElementSibling;
      else this.#root.insertBefore(element, next);
    }
    this.#root.style.paddingTop = `${before}px`;
    this.#root.style.paddingBottom = `${Math.max(0, this.#layout.total - offset)}px`;
  }

  #rowAt(key, place) {
    const { source, part } = this.#layout.describe(place);
    const section = source;
    section.onNear(part);
    const version = section.versionOf(part);
    let row = this.#rows.get(key);
    if (row !== undefined && row.version !== version) {
      row.version = version;
      if (row.drawn.update() === false) {
        this.#remove(key);
        row = undefined;
      }
    }
    if (row === undefined) {
      row = { drawn: section.draw(part), version, place };
      this.#rows.set(key, row);
      this.#sizes.observe(row.drawn.element);
    }
    row.place = place;
    return row;
  }

  #clear() {
    for (const key of this.#rows.keys()) this.#remove(key);
    this.#root.style.paddingTop = this.#root.style.paddingBottom = "0";
  }

  /** Take the heights that the rows have now. @returns whether one was not what it was taken for */
  #measure() {
    let isOff = false;
    for (const { drawn, place } of this.#rows.values()) {
      const { height } = drawn.element.getBoundingClientRect();
      if (this.#layout.setHeight(place, height)) isOff = true;
    }
    return isOff;
  }

  /** The focus must not fall back to the page's beginning with it. */
  #remove(key) {
    const element = this.#rows.get(key)?.drawn.element;
    this.#rows.delete(key);
    if (element === undefined) return;
    const hadFocus = element.contains(document.activeElement);
    this.#sizes.unobserve(element);
    element.remove();
    if (hadFocus) this.#scroller.focus({ preventScroll: true });
  }
}
