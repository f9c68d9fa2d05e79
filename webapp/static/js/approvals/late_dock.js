/** The dock of what waits for a person, loaded when something may wait: most visits need no card. */

import { late } from "../late.js";
import { announceUrgently } from "../view/announcer.js";
import { setText } from "../view/dom.js";
import { styleSheet } from "../view/style_sheet.js";

const LOOKS = new URL("../../css/approvals.css", import.meta.url);
const DIFF_LOOKS = new URL("../../css/diff.css", import.meta.url);

/** @typedef {import("./dock.js").Open} Open */

export class LateDock {
  #root;
  #load;
  /** @type {import("./dock.js").ApprovalDock | null} */
  #dock = null;
  /** @type {[Open[], (id: string) => any]} */
  #shown = [[], () => null];
  /** The card that a link names. @type {string | null} */
  #wanted = null;

  /** @param {HTMLElement} root @param {() => void} leave  where the focus goes when nothing waits any more */
  constructor(root, list, leave) {
    this.#root = root;
    this.#load = late(async () => {
      // All at once: none waits until another one has named it.
      const [{ ApprovalDock }] = await Promise.all([
        import("./dock.js"), import("./card.js"), import("./questions.js"), import("./input_editor.js"),
        styleSheet(LOOKS.href), styleSheet(DIFF_LOOKS.href),
      ]);
      this.#dock = new ApprovalDock(root, list, leave);
      this.#dock.show(...this.#shown);
      if (this.#wanted !== null) this.#dock.focus(this.#wanted);
    });
  }

  get isEmpty() {
    return this.#dock === null ? this.#shown[0].length === 0 : this.#dock.isEmpty;
  }

  /** Something may wait soon. */
  prepare() {
    this.#load().catch((error) => this.#writeProblem(error));
  }

  /** As `ApprovalDock.show`. @param {Open[]} open @param {(id: string) => any} resolutionOf */
  show(open, resolutionOf) {
    this.#shown = [open, resolutionOf];
    this.#dock?.show(open, resolutionOf);
    if (open.length > 0) this.prepare();
  }

  clear() {
    this.show([], () => null);
    this.#dock?.clear();
  }

  /** As `ApprovalDock.focus`. @param {string | null} [id] */
  focus(id = null) {
    if (this.#dock !== null) return this.#dock.focus(id);
    this.#wanted = id;
    return false;
  }

  /** Nobody can answer what is not shown. */
  #writeProblem({ message }) {
    const isAsked = this.#shown[0].length > 0;
    const text = isAsked ? `The agent waits for your answer. ${message}` : "";
    if (isAsked && this.#root.hidden) announceUrgently(text);
    this.#root.hidden = !isAsked;
    setText(this.#root, "count", text);
  }
}
