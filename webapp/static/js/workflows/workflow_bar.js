/** The line above the conversation: the workflow, its stages, its actions. */

import { advance, changeWorkflow, satisfyGate } from "../api/workflows.js";
import { late } from "../late.js";
import { copyOf, find, setIcon, setText } from "../view/dom.js";
import {
  canAdvance, currentStage, hasClosedGate, isAtEnd, isFinal, lookOfWorkflow, waitsForApproval,
} from "./status.js";

/**
 * @typedef {import("../api/workflows.js").Workflow} Workflow
 *
 * @typedef {object} BarHooks
 * @property {(workflow: Workflow) => void} onWorkflow  as the server has it now
 * @property {(workflowId: string) => void} onGone      it is no more in the list
 */

const loadMenu = late(() => import("./chat_menu.js"));

/** What is asked before it is done, for it cannot be taken back. */
const QUESTIONS = {
  cancel: "Cancel this workflow? Its running agents are stopped, and it takes no more messages.",
  discard: "Discard this workflow? Its running agents are stopped, and it takes no more messages. What they printed is kept.",
};

export class WorkflowBar {
  #root;
  #gate;
  #hooks;
  #workflow = null;
  #isBusy = false;

  /** @param {HTMLElement} gate  what a person has to decide */
  constructor(root, gate, hooks) {
    this.#root = root;
    this.#gate = gate;
    this.#hooks = hooks;
    for (const verb of ["pause", "resume"]) {
      this.#onClick(root, verb, (id) => changeWorkflow(verb, id));
    }
    for (const verb of ["cancel", "discard"]) {
      find(root, verb, HTMLButtonElement).addEventListener("click", () => this.#ask(verb));
    }
    // With the stage that is meant: a second click must not act on the next one.
    const stage = () => this.#workflow?.currentStage ?? 0;
    this.#onClick(gate, "approve", async (id) => {
      const at = stage();
      this.#hooks.onWorkflow(await satisfyGate(id, at));
      return advance(id, at);
    });
    this.#onClick(gate, "advance", (id) => advance(id, stage()));
    this.#onClick(root, "open-gate", (id) => satisfyGate(id, stage()));
    this.#onClick(root, "complete", (id) => advance(id, stage()));
    for (const verb of ["rename", "pin", "archive", "export", "link", "delete"]) {
      find(root, `chat-${verb}`, HTMLButtonElement).addEventListener("click", () => void this.#choose(verb));
    }
    this.#closeMenuOutside(find(root, "menu", HTMLDetailsElement));
  }

  setTitle(title) {
    setText(this.#root, "title", title);
  }

  resume() {
    void this.#do((id) => changeWorkflow("resume", id));
  }

  show(workflow) {
    if (workflow?.id !== this.#workflow?.id) this.#say("");
    this.#workflow = workflow;
    find(this.#root, "workflow-status", HTMLElement).hidden = workflow === null;
    find(this.#root, "menu", HTMLElement).hidden = workflow === null;
    find(this.#root, "stages", HTMLElement).hidden = workflow === null || workflow.stages.length < 2;
    this.#writeGate();
    if (workflow === null) return;

    const look = lookOfWorkflow(workflow.status);
    const status = find(this.#root, "workflow-status", HTMLElement);
    status.dataset.tone = look.tone;
    status.hidden = workflow.status === "active";
    setIcon(status, look.icon);
    setText(status, "word", look.word);
    setText(this.#root, "chat-pin", workflow.pinnedAt === null ? "Pin" : "Unpin");
    setText(this.#root, "chat-archive", workflow.archivedAt === null ? "Archive" : "Take out of the archive");
    // What belongs to stages is of no use to a conversation that has none.
    const hasStages = workflow.stages.length > 1 && !isFinal(workflow.status);
    find(this.#root, "of-stages", HTMLElement).hidden = !hasStages;
    find(this.#root, "pause", HTMLElement).hidden = workflow.status !== "active";
    find(this.#root, "resume", HTMLElement).hidden = workflow.status !== "paused";
    find(this.#root, "open-gate", HTMLElement).hidden = !hasClosedGate(workflow, "agent");
    find(this.#root, "complete", HTMLElement).hidden = !isAtEnd(workflow) || !canAdvance(workflow);
    this.#writeStages(workflow);
  }

  #writeStages(workflow) {
    const items = workflow.stages.map((stage, index) => {
      const item = copyOf("stage");
      const isCurrent = index === workflow.currentStage;
      const isPast = index < workflow.currentStage || stage.status === "completed";
      const waits = isCurrent && waitsForApproval(workflow);
      item.dataset.state = waits ? "waiting" : isPast ? "past" : isCurrent ? "current" : "ahead";
      if (isCurrent) item.setAttribute("aria-current", "step");
      setText(item, "number", isPast ? "✓" : String(index + 1));
      setText(item, "name", stage.name);
      setText(item, "where", waits ? "waits for approval" : isPast ? "done" : isCurrent ? "now" : "to come");
      return item;
    });
    find(this.#root, "stages", HTMLElement).replaceChildren(...items);
  }

  #writeGate() {
    const workflow = this.#workflow;
    const stage = workflow === null ? undefined : currentStage(workflow);
    const next = workflow?.stages[workflow.currentStage + 1];
    const waits = workflow !== null && waitsForApproval(workflow);
    const isOpen = workflow !== null && workflow.stages.length > 1 && canAdvance(workflow);
    this.#gate.hidden = !waits && !isOpen;
    this.#gate.dataset.tone = waits ? "warn" : "good";
    find(this.#gate, "approve", HTMLElement).hidden = !waits;
    find(this.#gate, "advance", HTMLElement).hidden = !isOpen;
    if (stage === undefined) return;
    setText(this.#gate, "next", next === undefined ? "Complete the workflow" : `Go on to ${next.name}`);
    setText(
      this.#gate,
      "gate-text",
      waits
        ? `The stage “${stage.name}” is done when you approve it.`
        : `The gate of “${stage.name}” is open: go on, or send more.`,
    );
  }

  #ask(verb) {
    find(this.#root, "menu", HTMLDetailsElement).open = false;
    const dialog = find(document, "confirm", HTMLDialogElement);
    setText(dialog, "question", QUESTIONS[verb]);
    setText(dialog, "yes", verb === "cancel" ? "Cancel the workflow" : "Discard it");
    dialog.returnValue = "";
    dialog.addEventListener(
      "close",
      () => {
        if (dialog.returnValue === "yes") void this.#do((id) => changeWorkflow(verb, id));
      },
      { once: true },
    );
    dialog.showModal();
  }

  async #choose(verb) {
    find(this.#root, "menu", HTMLDetailsElement).open = false;
    this.#say("");
    try {
      const { DO } = await loadMenu();
      if (this.#workflow !== null) await DO[verb]?.(this.#workflow, this.#hooks);
    } catch (error) {
      this.#say(error instanceof Error ? error.message : String(error));
    }
  }

  #onClick(root, hook, call) {
    find(root, hook, HTMLButtonElement).addEventListener("click", () => void this.#do(call));
  }

  async #do(call) {
    if (this.#workflow === null || this.#isBusy) return;
    this.#isBusy = true;
    find(this.#root, "menu", HTMLDetailsElement).open = false;
    this.#say("");
    try {
      this.#hooks.onWorkflow(await call(this.#workflow.id));
    } catch (error) {
      this.#say(error instanceof Error ? error.message : String(error));
    }
    this.#isBusy = false;
  }

  #say(problem) {
    const box = find(document, "workflow-problem", HTMLElement);
    box.hidden = problem === "";
    setText(box, "text", problem);
  }

  #closeMenuOutside(menu) {
    document.addEventListener("click", (event) => {
      if (event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
    });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      find(menu, "menu-button", HTMLElement).focus();
    });
  }
}
