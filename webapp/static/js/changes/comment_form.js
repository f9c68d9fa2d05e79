/** A comment on a line of a diff: it goes into the next message, with the file, the line and its text. */

import { visible } from "../transcript/plain_text.js";
import { find, setText } from "../view/dom.js";

/** @typedef {{path: string, line: number, isOld: boolean, text: string}} Where */

export class CommentForm {
  #root;
  /** @type {Where | null} */
  #where = null;
  /** @type {HTMLElement | null} */
  #opener = null;

  /** @param {(text: string) => void} onComment */
  constructor(root, onComment) {
    this.#root = root;
    const area = find(root, "comment-text", HTMLTextAreaElement);
    root.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#where === null || area.value.trim() === "") return area.focus();
      onComment(messageOf(this.#where, area.value.trim()));
      area.value = "";
      this.close();
    });
    area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) root.requestSubmit();
    });
    find(root, "comment-cancel", HTMLButtonElement).addEventListener("click", () => this.close());
  }

  get isOpen() {
    return !this.#root.hidden;
  }

  /** @param {Where} where @param {HTMLElement} opener */
  open(where, opener) {
    this.#where = where;
    this.#opener = opener;
    setText(this.#root, "where", nameOf(where));
    setText(this.#root, "quoted", visible(where.text.trim()));
    this.#root.hidden = false;
    find(this.#root, "comment-text", HTMLTextAreaElement).focus();
  }

  close() {
    this.#root.hidden = true;
    if (this.#opener?.isConnected) this.#opener.focus({ preventScroll: true });
  }
}

function nameOf({ path, line, isOld }) {
  return `${visible(path)}, ${isOld ? "removed " : ""}line ${line}`;
}

/** @param {Where} where */
export function messageOf({ path, line, isOld, text }, comment) {
  const name = JSON.stringify(path).slice(1, -1);
  return `In \`${name}\`, ${isOld ? "removed " : ""}line ${line}:\n> ${text}\n${comment}`;
}
