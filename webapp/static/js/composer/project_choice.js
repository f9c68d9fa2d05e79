/** Where a conversation is to work: a project of the server's, and in a worktree of its own if wanted. */

import { dataOf, query } from "../api/trpc.js";
import { find } from "../view/dom.js";

const REMEMBERED = "agent-stream project";

/** @typedef {{project: string, worktree?: boolean}} Place */

export class ProjectChoice {
  #select;
  #worktree;
  #isRepository = new Map();

  constructor(form, projects) {
    this.#select = find(form, "project-choice", HTMLSelectElement);
    this.#worktree = find(form, "worktree-choice", HTMLInputElement);
    for (const { name, path, isRepository } of projects) {
      const option = new Option(name, name);
      option.title = path;
      this.#select.add(option);
      this.#isRepository.set(name, isRepository);
    }
    this.#recall();
    this.#select.addEventListener("change", () => this.#keep());
    this.#worktree.addEventListener("change", () => this.#keep());
  }

  static async load(form) {
    const [answer] = await query([["project.list", {}]]);
    return new ProjectChoice(form, dataOf(answer).projects);
  }

  /** @returns {Place | undefined}  undefined: no project */
  get place() {
    const project = this.#select.value;
    if (project === "") return undefined;
    return this.#hasWorktree ? { project, worktree: true } : { project };
  }

  get #hasWorktree() {
    return this.#worktree.checked && this.#isRepository.get(this.#select.value) === true;
  }

  #recall() {
    try {
      const { project, worktree } = JSON.parse(localStorage.getItem(REMEMBERED) ?? "{}");
      if (this.#isRepository.has(project)) this.#select.value = project;
      this.#worktree.checked = worktree === true;
    } catch {
      // What is there is not ours, or may not be read: nothing is chosen.
    }
  }

  #keep() {
    const label = this.#worktree.closest("label");
    if (label !== null) label.hidden = false;
    this.write();
    try {
      const kept = { project: this.#select.value, worktree: this.#worktree.checked };
      localStorage.setItem(REMEMBERED, JSON.stringify(kept));
    } catch {
      // It counts for this page all the same.
    }
  }

  /** Only a repository can have a worktree. */
  write() {
    const label = this.#worktree.closest("label");
    if (label !== null) label.hidden ||= this.#isRepository.get(this.#select.value) !== true;
  }
}
