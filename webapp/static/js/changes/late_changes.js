/** The button that says how much a conversation has changed, and the panel behind it. */

import { getJson } from "../api/requests.js";
import { late } from "../late.js";
import { find, setText } from "../view/dom.js";
import { styleSheet } from "../view/style_sheet.js";

const LOOKS = new URL("../../css/changes.css", import.meta.url);
const LINES = new URL("../../css/diff.css", import.meta.url);
/** An agent that begins its next turn at once is not asked in between. */
const SETTLED_MS = 300;

/** @typedef {import("../conversation/shown_session.js").ShownSession} ShownSession */

export class LateChanges {
  #button;
  #load;
  /** @type {import("./panel.js").ChangesPanel | null} */
  #panel = null;
  #sessionId = "";
  #state = "";
  #timer = 0;
  /** What was counted last: the panel need not wait to show it. @type {any} */
  #counted = null;
  /** Sessions that work in no repository. @type {Set<string>} */
  #without = new Set();

  /** @param {(text: string) => void} onComment  what goes into the next message */
  constructor(button, onComment) {
    this.#button = button;
    this.#load = late(async () => {
      const [{ ChangesPanel }] = await Promise.all([
        import("./panel.js"), import("./file_section.js"), import("./comment_form.js"),
        import("../diff/rows.js"), import("../diff/lines_view.js"),
        styleSheet(LOOKS.href), styleSheet(LINES.href),
      ]);
      return new ChangesPanel(find(document, "changes", HTMLElement), button, onComment);
    });
    button.addEventListener("click", () => void this.#toggle());
  }

  /** @param {ShownSession | undefined} turn  the newest session of the conversation */
  show(turn) {
    const sessionId = turn?.sessionId ?? "";
    // A short turn may begin and end between two looks.
    const state = turn === undefined ? "" : `${turn.talkState} ${turn.transcript.talk?.endedTurn}`;
    if (sessionId === this.#sessionId && state === this.#state) return;
    if (sessionId !== this.#sessionId) {
      this.#button.hidden = true;
      this.#counted = null;
      this.#panel?.close();
    }
    this.#sessionId = sessionId;
    this.#state = state;
    clearTimeout(this.#timer);
    if (sessionId === "" || this.#without.has(sessionId)) return;
    this.#timer = setTimeout(() => void this.#count(sessionId), SETTLED_MS);
  }

  async #count(sessionId) {
    try {
      const counted = await getJson(`/api/sessions/${encodeURIComponent(sessionId)}/changes`);
      if (sessionId !== this.#sessionId) return;
      this.#counted = counted;
      const { files, added, removed } = counted;
      setText(this.#button, "added", files.length === 0 ? "" : `+${added}`);
      setText(this.#button, "removed", files.length === 0 ? "" : `−${removed}`);
      this.#button.hidden = false;
      // While the reader reads: a click need not wait for it. A failure is said then.
      setTimeout(() => this.#load().catch(() => null), SETTLED_MS);
      this.#panel?.refresh();
    } catch (error) {
      if (error.status === 404) this.#without.add(sessionId);
      // The panel says what is wrong with a repository.
      else if (sessionId === this.#sessionId) this.#button.hidden = error.status !== 409;
    }
  }

  async #toggle() {
    this.#panel ??= await this.#load().catch(() => null);
    if (this.#panel?.isOpen) this.#panel.close();
    else void this.#panel?.open(this.#sessionId, this.#counted);
  }
}
