/** The middle of the page: nothing yet, a session's output, or why there is none. */

import { logUrl } from "../api/sessions.js";
import { formatFigure } from "../format.js";
import { find, setText } from "./dom.js";
import { frameBatch } from "./frame_batch.js";
import { TailFollower } from "./tail_follower.js";
import { TranscriptView } from "./transcript_view.js";

/** History is not read out: what comes in the first moments of a connection has happened before. */
const HISTORY_MS = 700;

export class Stage {
  #root;
  #blocks;
  #view;
  #follower;
  #batch;
  #historyTimer = 0;
  /** @type {import("../transcript/transcript.js").Transcript | null} */
  #transcript = null;

  /**
   * @param {HTMLElement} root
   * @param {() => void} onRetry
   */
  constructor(root, onRetry) {
    this.#root = root;
    this.#blocks = find(root, "blocks", HTMLElement);
    this.#view = new TranscriptView(this.#blocks, (dropped) => this.#showEarlier(dropped));
    this.#follower = new TailFollower(
      find(root, "scroller", HTMLElement),
      find(root, "content", HTMLElement),
      find(root, "jump", HTMLButtonElement),
    );
    this.#batch = frameBatch((isOverBudget) => this.#write(isOverBudget));
    find(root, "refused-retry", HTMLButtonElement).addEventListener("click", onRetry);
  }

  showEmpty() {
    this.#show("empty");
    this.#follower.rest();
  }

  /** @param {string} sessionId */
  showSession(sessionId) {
    this.#show("session");
    this.#root.dataset.phase = "connecting";
    for (const link of this.#root.querySelectorAll("[data-log-link]")) {
      if (link instanceof HTMLAnchorElement) link.href = logUrl(sessionId);
    }
    this.#blocks.setAttribute("aria-busy", "true");
    this.#follower.follow();
  }

  /** @param {import("../transcript/transcript.js").Transcript} transcript */
  showTranscript(transcript) {
    this.#transcript = transcript;
    this.#batch.schedule();
  }

  /** @param {import("../stream/event_stream.js").StreamState} state */
  showState(state) {
    this.#root.dataset.phase = state.phase;
    if (state.phase === "live" || state.phase === "ended") this.#endHistory();

    const refused = find(this.#root, "refused", HTMLElement);
    refused.hidden = state.phase !== "refused";
    if (state.phase === "refused") setText(refused, "text", state.error?.message ?? "");
  }

  /** @param {"empty" | "session"} name */
  #show(name) {
    clearTimeout(this.#historyTimer);
    this.#batch.cancel();
    this.#transcript = null;
    this.#view.clear();
    this.#showEarlier(0);
    this.#root.dataset.stage = name;
    find(this.#root, "empty", HTMLElement).hidden = name !== "empty";
    find(this.#root, "session", HTMLElement).hidden = name !== "session";
    find(this.#root, "refused", HTMLElement).hidden = true;
    find(this.#root, "loading", HTMLElement).hidden = false;
  }

  /** @param {() => boolean} isOverBudget */
  #write(isOverBudget) {
    if (this.#transcript === null) return false;
    find(this.#root, "loading", HTMLElement).hidden = true;
    return this.#view.write(this.#transcript, isOverBudget);
  }

  #endHistory() {
    clearTimeout(this.#historyTimer);
    this.#historyTimer = window.setTimeout(
      () => this.#blocks.setAttribute("aria-busy", "false"),
      HISTORY_MS,
    );
  }

  /** @param {number} dropped */
  #showEarlier(dropped) {
    const earlier = find(this.#root, "earlier", HTMLElement);
    earlier.hidden = dropped === 0;
    setText(earlier, "count", formatFigure(dropped));
  }
}
