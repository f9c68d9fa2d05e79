/** A session's facts at the side, each to copy. */

import { getSession, logUrl } from "../api/sessions.js";
import { serverPath } from "../root.js";
import { copyOnClick } from "./clipboard.js";
import { copyOf, find, setText } from "./dom.js";
import { factsOf } from "./facts.js";
import { eachSecond } from "./ticker.js";

export class FactsPanel {
  #root;
  #place;
  #turn = null;
  #costs = {};
  /** Where the focus was, to go back to. @type {HTMLElement | null} */
  #opener = null;

  constructor(root) {
    this.#root = root;
    this.#place = { var: root.dataset.var ?? "", database: root.dataset.database ?? "" };
    find(root, "facts-close", HTMLButtonElement).addEventListener("click", () => this.close());
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
  }

  open(turn) {
    const isNew = this.#turn !== turn;
    this.#turn = turn;
    this.#opener = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    if (isNew) this.#costs = {};
    void this.#askCosts(turn);
    if (isNew) find(this.#root, "facts-list", HTMLElement).replaceChildren();
    this.#root.hidden = false;
    document.body.toggleAttribute("data-facts-open", true);
    find(this.#root, "log-link", HTMLAnchorElement).href = logUrl(turn.sessionId);
    find(this.#root, "replay-link", HTMLAnchorElement).href = serverPath(`/sessions/${turn.sessionId}`);
    this.#write();
    eachSecond(this.#root, () => this.#write());
    find(this.#root, "facts-close", HTMLButtonElement).focus();
  }

  async #askCosts(turn) {
    const { costUsd, workflowCostUsd } = await getSession(turn.sessionId).catch(() => ({}));
    if (turn !== this.#turn) return;
    this.#costs = { costUsd, workflowCostUsd };
    this.#write();
  }

  close() {
    if (this.#root.hidden) return;
    this.hide();
    if (this.#opener?.isConnected) this.#opener.focus();
  }

  hide() {
    this.#turn = null;
    this.#root.hidden = true;
    document.body.toggleAttribute("data-facts-open", false);
  }

  update(turn) {
    if (turn === this.#turn) this.#write();
  }

  #write() {
    if (this.#turn === null) return;
    const { row, status } = this.#turn;
    const list = find(this.#root, "facts-list", HTMLElement);
    const facts = factsOf({ ...row, ...this.#costs, status }, this.#place);
    facts.forEach((fact, index) => {
      let item = list.querySelector(`[data-fact="${fact.name}"]`);
      if (item === null) item = newItem(fact.name, fact.isCode);
      if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
      setText(item, "label", fact.label);
      setText(item, "value", fact.value);
      const button = find(item, "copy", HTMLButtonElement);
      button.dataset.content = fact.copy;
      button.setAttribute("aria-label", `Copy ${fact.label.toLowerCase()}`);
    });
    while (list.children.length > facts.length) list.lastElementChild?.remove();
  }
}

function newItem(name, isCode) {
  const item = copyOf("fact");
  item.dataset.fact = name;
  item.toggleAttribute("data-code", isCode);
  const button = find(item, "copy", HTMLButtonElement);
  copyOnClick(button, () => button.dataset.content ?? "");
  return item;
}
