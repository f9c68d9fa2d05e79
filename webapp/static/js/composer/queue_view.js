/** Messages that wait until the agent takes them: above the box, to be edited and taken back. */

import { cancelMessage } from "../api/approvals.js";
import { announce } from "../view/announcer.js";
import { copyOf, find, setText } from "../view/dom.js";

/** @typedef {{id: string, content: string, by: string | null}} Queued */

export class QueueView {
  #root;
  #onEdit;
  #onProblem;
  /** By message. @type {Map<string, HTMLElement>} */
  #items = new Map();

  /** @param {HTMLElement} root @param {(text: string) => void} onEdit  it goes back to the box */
  constructor(root, onEdit, onProblem) {
    this.#root = root;
    this.#onEdit = onEdit;
    this.#onProblem = onProblem;
  }

  /** @param {string} sessionId @param {Queued[]} queued  in their order */
  show(sessionId, queued) {
    const known = new Set(queued.map(({ id }) => id));
    for (const [id, item] of this.#items) {
      if (known.has(id)) continue;
      item.remove();
      this.#items.delete(id);
    }
    const list = find(this.#root, "queue-list", HTMLElement);
    for (const message of queued) {
      if (this.#items.has(message.id)) continue;
      const item = this.#itemOf(sessionId, message);
      this.#items.set(message.id, item);
      list.append(item);
      announce("Queued: the agent takes it when it can.");
    }
    this.#root.hidden = queued.length === 0;
    setText(this.#root, "queue-count", queued.length === 1 ? "1 message waits" : `${queued.length} messages wait`);
  }

  #itemOf(sessionId, message) {
    const item = copyOf("queued");
    const text = message.content.replace(/\s+/g, " ").trim();
    const short = text.length > 60 ? `${text.slice(0, 59)}…` : text;
    setText(item, "text", text);
    const edit = find(item, "edit", HTMLButtonElement);
    const remove = find(item, "remove", HTMLButtonElement);
    edit.setAttribute("aria-label", `Edit: ${short}`);
    remove.setAttribute("aria-label", `Take back: ${short}`);
    edit.addEventListener("click", () => void this.#takeBack(sessionId, message, true));
    remove.addEventListener("click", () => void this.#takeBack(sessionId, message, false));
    return item;
  }

  async #takeBack(sessionId, { id, content }, isEdit) {
    try {
      const { cancelled } = await cancelMessage(sessionId, id);
      if (!cancelled) this.#onProblem(new Error("The agent has taken this message already."));
      else if (isEdit) this.#onEdit(content);
      else announce("Taken back");
    } catch (error) {
      this.#onProblem(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
