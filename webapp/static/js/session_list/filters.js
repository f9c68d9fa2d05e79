/** The form above the list, as a query. */

import { formatFigure } from "../format.js";
import { lookOf } from "../sessions/status.js";
import { find, setIcon, setText } from "../view/dom.js";
import { hasCounts } from "./query.js";

/** @typedef {import("./query.js").Query} Query */

/** So long after a letter was typed, it is searched for. */
const SETTLED_MS = 300;

export class Filters {
  #root;
  #query;
  #onChange;
  #timer = 0;

  /**
   * @param {Query} query
   * @param {(query: Query, isTyping: boolean) => void} onChange
   */
  constructor(root, query, onChange) {
    this.#root = root;
    this.#query = query;
    this.#onChange = onChange;
    root.addEventListener("submit", (event) => event.preventDefault());
    for (const chip of this.#chips) {
      if (chip.dataset.status) this.#dress(chip);
      chip.addEventListener("click", () => this.#toggle(chip.dataset.status ?? ""));
    }
    this.#onSelect("agent", "agent");
    this.#onSelect("project", "project");
    this.#onSelect("since", "since");
    this.#onSelect("sort", "sort");
    for (const name of ["from", "to"]) {
      const input = find(root, name, HTMLInputElement);
      input.addEventListener("change", () => this.#change({ [name]: input.value }));
    }
    const text = find(root, "text", HTMLInputElement);
    text.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => this.#change({ text: text.value }, true), SETTLED_MS);
    });
    find(root, "any-workflow", HTMLButtonElement).addEventListener("click", () => {
      this.#change({ workflowId: "" });
      text.focus();
    });
    this.show(query);
  }

  /** @returns {HTMLButtonElement[]} */
  get #chips() {
    return [...this.#root.querySelectorAll(".status-chip")];
  }

  #dress(chip) {
    const look = lookOf(chip.dataset.status);
    chip.dataset.tone = look.tone;
    setIcon(chip, look.icon);
    setText(chip, "word", look.word);
  }

  #onSelect(hook, field) {
    const select = find(this.#root, hook, HTMLSelectElement);
    select.addEventListener("change", () => this.#change({ [field]: select.value }));
  }

  #toggle(status) {
    const { statuses } = this.#query;
    if (status === "") return this.#change({ statuses: [] });
    const isOn = statuses.includes(status);
    this.#change({ statuses: isOn ? statuses.filter((other) => other !== status) : [...statuses, status] });
  }

  /** @param {Partial<Query>} fields */
  #change(fields, isTyping = false) {
    // What is being typed counts too, and its own moment need not come any more.
    clearTimeout(this.#timer);
    const text = find(this.#root, "text", HTMLInputElement).value;
    this.show({ ...this.#query, text, ...fields, cursor: "" });
    this.#onChange(this.#query, isTyping);
  }

  /** @param {Query} query */
  show(query) {
    this.#query = query;
    for (const chip of this.#chips) {
      const status = chip.dataset.status ?? "";
      const isOn = status === "" ? query.statuses.length === 0 : query.statuses.includes(status);
      chip.setAttribute("aria-pressed", String(isOn));
    }
    const text = find(this.#root, "text", HTMLInputElement);
    if (text.value.trim() !== query.text.trim()) text.value = query.text;
    for (const name of ["agent", "project"]) {
      this.#offer(name, query[name]);
      find(this.#root, name, HTMLSelectElement).value = query[name];
    }
    const project = find(this.#root, "project", HTMLSelectElement);
    find(this.#root, "project-field", HTMLElement).hidden = project.options.length < 2;
    find(this.#root, "since", HTMLSelectElement).value = query.since;
    find(this.#root, "sort", HTMLSelectElement).value = query.sort;
    find(this.#root, "range", HTMLElement).hidden = query.since !== "range";
    for (const name of ["from", "to"]) find(this.#root, name, HTMLInputElement).value = query[name];
    find(this.#root, "workflow", HTMLElement).hidden = query.workflowId === "";
    setText(this.#root, "workflow-id", query.workflowId);
  }

  /** @param {{total: number, byStatus: Record<string, number>} | null} counts  of this agent, or of all */
  showCounts(counts) {
    const isShown = counts !== null && hasCounts(this.#query);
    for (const chip of this.#chips) {
      const status = chip.dataset.status ?? "";
      const count = status === "" ? counts?.total : counts?.byStatus[status];
      setText(chip, "count", isShown && count !== undefined ? formatFigure(count) : "");
      chip.toggleAttribute("data-none", isShown && count === 0);
    }
  }

  /** @param {string[]} agents */
  showAgents(agents) {
    for (const agent of agents) this.#offer("agent", agent);
  }

  /** @param {string[]} projects */
  showProjects(projects) {
    for (const project of projects) this.#offer("project", project);
    this.show(this.#query);
  }

  #offer(hook, value) {
    const select = find(this.#root, hook, HTMLSelectElement);
    if ([...select.options].some((option) => option.value === value)) return;
    select.add(new Option(value, value));
  }
}
