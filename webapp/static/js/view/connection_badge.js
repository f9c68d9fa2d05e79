/** What the line to the server is doing, in words. */

import { find, setText } from "./dom.js";

/** @typedef {import("../stream/event_stream.js").StreamState} StreamState */

/** @type {Record<StreamState["phase"], {word: string, tone: string}>} */
const LOOKS = {
  connecting: { word: "Connecting…", tone: "quiet" },
  live: { word: "Live", tone: "live" },
  reconnecting: { word: "Reconnecting…", tone: "warn" },
  waiting: { word: "Reconnecting", tone: "warn" },
  parked: { word: "Resting", tone: "quiet" },
  ended: { word: "Ended", tone: "quiet" },
  refused: { word: "Not connected", tone: "bad" },
};

/** The most important phase comes first. @type {StreamState["phase"][]} */
const ORDER = ["waiting", "reconnecting", "refused", "connecting", "live", "parked", "ended"];

/**
 * What several lines are doing, as one.
 *
 * @param {StreamState[]} states
 * @returns {StreamState | null}
 */
export function overall(states) {
  return states.reduce(
    (worst, state) =>
      worst === null || ORDER.indexOf(state.phase) < ORDER.indexOf(worst.phase) ? state : worst,
    null,
  );
}

export class ConnectionBadge {
  #root;
  #countdown = 0;
  #shown = null;

  constructor(root, onTryNow) {
    this.#root = root;
    find(root, "try-now", HTMLButtonElement).addEventListener("click", onTryNow);
  }

  show(state) {
    if (state === null) return this.hide();
    if (state === this.#shown) return;
    this.#shown = state;
    const look = LOOKS[state.phase];
    clearInterval(this.#countdown);
    this.#root.hidden = false;
    this.#root.dataset.tone = look.tone;
    this.#root.dataset.phase = state.phase;
    setText(this.#root, "word", look.word);
    find(this.#root, "try-now", HTMLButtonElement).hidden = state.phase !== "waiting";
    this.#countDown(state.phase === "waiting" ? (state.delayMs ?? 0) : 0);
  }

  hide() {
    this.#shown = null;
    clearInterval(this.#countdown);
    this.#root.hidden = true;
  }

  #countDown(delayMs) {
    const until = performance.now() + delayMs;
    const tick = () => {
      const seconds = Math.max(0, Math.ceil((until - performance.now()) / 1_000));
      setText(this.#root, "countdown", seconds > 1 ? `in ${seconds} s` : "");
      if (seconds <= 1) clearInterval(this.#countdown);
    };
    this.#countdown = window.setInterval(tick, 250);
    tick();
  }
}
