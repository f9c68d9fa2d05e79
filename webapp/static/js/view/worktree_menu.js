/** The branch of a conversation's worktree in the head line, and what can become of it. */

import { ApiError } from "../api/errors.js";
import { mutate } from "../api/trpc.js";
import { find, setText } from "./dom.js";

/** @typedef {import("../api/workflows.js").Workflow} Workflow */

const OUTCOMES = { merged: "merged", kept: "kept as a branch", discarded: "discarded" };

export class WorktreeMenu {
  #root;
  #onWorkflow;
  #workflow = null;

  /** @param {(workflow: Workflow) => void} onWorkflow  as the server has it now */
  constructor(root, onWorkflow) {
    this.#root = root;
    this.#onWorkflow = onWorkflow;
    for (const how of ["merge", "keep", "discard"]) {
      find(root, `worktree-${how}`, HTMLButtonElement).addEventListener("click", () => void this.#end(how));
    }
    document.addEventListener("click", ({ target }) => {
      if (target instanceof Node && !root.contains(target)) this.#close();
    });
    root.addEventListener("keydown", ({ key }) => {
      if (key !== "Escape") return;
      this.#close();
      root.querySelector("summary")?.focus();
    });
  }

  /** @param {Workflow | null} workflow */
  show(workflow) {
    if (workflow?.id !== this.#workflow?.id) this.#say("");
    this.#workflow = workflow;
    const worktree = workflow?.worktree ?? null;
    this.#root.hidden = worktree?.branch == null;
    if (this.#root.hidden) return;
    const outcome = OUTCOMES[worktree.outcome];
    setText(this.#root, "branch", worktree.branch);
    setText(this.#root, "outcome", outcome === undefined ? "" : outcome);
    setText(this.#root, "base", worktree.baseBranch ?? "its project");
    find(this.#root, "ends", HTMLElement).hidden = outcome !== undefined;
    find(this.#root, "over", HTMLElement).hidden = outcome === undefined;
  }

  async #end(how, more = {}) {
    this.#close();
    this.#say("");
    const workflowId = this.#workflow?.id;
    try {
      this.#onWorkflow(await mutate(`worktree.${how}`, { workflowId, ...more }));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const isUntaken = how === "discard" && error instanceof ApiError && message.includes("nobody has taken");
      if (isUntaken && (await this.#confirm(message))) await this.#end(how, { evenUntaken: true });
      else if (!isUntaken) this.#say(message);
    }
  }

  /** @returns {Promise<boolean>} */
  #confirm(message) {
    const dialog = find(document, "confirm", HTMLDialogElement);
    setText(dialog, "question", message);
    setText(dialog, "yes", "Discard the changes");
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    });
  }

  #close() {
    if (this.#root instanceof HTMLDetailsElement) this.#root.open = false;
  }

  #say(problem) {
    const line = find(document, "head-problem", HTMLElement);
    line.textContent = problem;
    line.hidden = problem === "";
  }
}
