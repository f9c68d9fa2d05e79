/** What waits for a person in this conversation: cards between it and the message box. */

import { announce, announceUrgently } from "../view/announcer.js";
import { setText } from "../view/dom.js";
import { ApprovalCard } from "./card.js";

/** How long a card says how it ended: of one's own answer, and of somebody else's. */
const OWN_MS = 900;
const OTHERS_MS = 5_000;

/**
 * @typedef {import("../api/approvals.js").Approval} Approval
 * @typedef {{approval: Approval, agent: string}} Open
 */

export class ApprovalDock {
  #root;
  #list;
  #leave;
  /** By id, in the order of the page. @type {Map<string, ApprovalCard>} */
  #cards = new Map();
  /** The card that a link names, until it is here. @type {string | null} */
  #wanted = null;

  /** @param {HTMLElement} root @param {() => void} leave  where the focus goes when nothing waits any more */
  constructor(root, list, leave) {
    this.#root = root;
    this.#list = list;
    this.#leave = leave;
    document.addEventListener("keydown", (event) => this.#takeKey(event));
  }

  get isEmpty() {
    return this.#open.length === 0;
  }

  get #open() {
    return [...this.#cards.values()].filter((card) => !card.isResolved);
  }

  /**
   * @param {Open[]} open  all that waits
   * @param {(id: string) => any} resolutionOf  how one ended that waits no more; null: nobody knows yet
   */
  show(open, resolutionOf) {
    const known = new Set(open.map(({ approval }) => approval.id));
    for (const [id, card] of this.#cards) {
      if (known.has(id) || card.isResolved) continue;
      this.#end(card, resolutionOf(id) ?? { outcome: "withdrawn" });
    }
    const added = open.filter(({ approval }) => !this.#cards.has(approval.id)).map((entry) => this.#add(entry));
    if (added.length > 0) announceUrgently(spoken(added, open[0]?.agent ?? "agent"));
    this.#write();
  }

  clear() {
    for (const card of this.#cards.values()) card.element.remove();
    this.#cards.clear();
    this.#write();
  }

  /** Put the focus on a card, once it is here. @param {string | null} [id]  null: the first */
  focus(id = null) {
    const card = id === null ? this.#open[0] : this.#cards.get(id);
    this.#wanted = card === undefined ? id : null;
    card?.focus();
    return card !== undefined;
  }

  #add({ approval }) {
    const card = new ApprovalCard(approval, (resolution) => {
      this.#end(card, resolution);
      this.#write();
    });
    this.#cards.set(approval.id, card);
    this.#list.append(card.element);
    if (this.#wanted === approval.id) {
      this.#wanted = null;
      queueMicrotask(() => card.focus());
    }
    return card;
  }

  #end(card, resolution) {
    if (card.isResolved) return;
    const afterMs = card.isSending ? OWN_MS : OTHERS_MS;
    const hadFocus = card.element.contains(document.activeElement);
    card.resolve(resolution);
    announce(card.element.querySelector("[data-title]")?.textContent ?? "");
    if (hadFocus) this.#moveOn();
    window.setTimeout(() => {
      card.element.remove();
      if (this.#cards.get(card.id) === card) this.#cards.delete(card.id);
      this.#write();
    }, afterMs);
  }

  #moveOn() {
    const [next] = this.#open;
    if (next === undefined) this.#leave();
    else next.focus();
  }

  #write() {
    const count = this.#open.length;
    this.#root.hidden = this.#cards.size === 0;
    setText(this.#root, "count", count > 1 ? `${count} answers are needed` : "");
  }

  /** A letter answers, unless somebody types. @param {KeyboardEvent} event */
  #takeKey(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.repeat || event.defaultPrevented) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]") !== null) return;
    const [first] = this.#open;
    const focused = this.#open.find((card) => card.element.contains(document.activeElement));
    if ((focused ?? first)?.press(event.key)) event.preventDefault();
  }
}

function isTyping(target) {
  if (target instanceof HTMLInputElement) return !["radio", "checkbox"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** @param {ApprovalCard[]} cards */
function spoken(cards, agent) {
  const hasBox = document.querySelector("[data-composer]") !== null;
  const what = cards.map((card) => card.spoken).join(" ");
  return `${agent} waits for you. ${what}${hasBox ? " Escape in the message box goes to it." : ""}`;
}
